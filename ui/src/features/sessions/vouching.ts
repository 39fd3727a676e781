import type { SessionView } from "../../bindings/ipc";
import { visible } from "../../shared/text";
import { span, timeText } from "../../shared/time";

/** Why an open session is about to be closed for want of the provider's word; null while that is not overdue. */
export function overdueText({ state, vouching }: SessionView, now: number): string | null {
  if (state !== "open" || !vouching?.overdue) return null;
  const since = vouching.vouchedAt === null ? "" : ` since ${timeText(vouching.vouchedAt, "moment", now)}`;
  const closes = vouching.closesAt === null ? "This session closes soon" : `This session closes at ${timeText(vouching.closesAt, "moment", now)}`;
  return `Your identity provider has not vouched for you${since}: ${visible(vouching.overdue)}. ${closes} unless it does.`;
}

/** How often the provider vouches for the person, and when it did last; null where nobody asks it to. */
export function vouchedText({ vouching }: SessionView, now: number): string | null {
  if (!vouching) return null;
  const last = vouching.vouchedAt === null ? "" : ` · last at ${timeText(vouching.vouchedAt, "moment", now)}`;
  return `every ${span(vouching.everySeconds)}${last}`;
}
