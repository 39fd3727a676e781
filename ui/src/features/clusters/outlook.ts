import type { DayView, OutlookView } from "../../bindings/ipc";
import { count } from "../../shared/text";
import { span, timeText } from "../../shared/time";

/** How what is about to be asked for would be answered: `Opens at once until 18:00, then needs 1 approval.` */
export function outlookText({ atOnce, by, approvals, changesAt }: OutlookView, now: number): string {
  const people = `needs ${count(approvals, "approval")}`;
  if (!atOnce) return changesAt === null ? `It ${people}.` : `It ${people}; it opens at once from ${timeText(changesAt, "moment", now)}.`;
  if (changesAt !== null) return `Opens at once until ${timeText(changesAt, "moment", now)}, then ${people}.`;
  return by === null ? "Opens at once." : `Opens at once, by ${by}.`;
}

/** What is left of a person's day, which is an estimate: the broker counts again. */
export function dayText({ mostSeconds, leftSeconds, fits }: DayView): string {
  const most = `Up to ${span(mostSeconds)} within 24 hours here`;
  if (leftSeconds === null) return `${most}; what is left could not be read.`;
  const left = leftSeconds < 60 ? "nothing" : span(leftSeconds);
  return `${most}; by this desktop’s estimate ${left} is left${fits ? "" : ", so this would be denied"}.`;
}
