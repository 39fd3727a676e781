import type { ClosingState, HoldView, RequestsView, RequestView } from "../../bindings/ipc";
import { localTimes, timeText } from "../../shared/time";

/** A few words and how they look. */
export interface Badge {
  readonly text: string;
  readonly tone: "open" | "wait" | "danger" | "info" | "";
}

/** In a few words; what is not proven stands out. */
export const STATE: Record<ClosingState, Badge> = {
  untold: { text: "not told yet", tone: "danger" },
  refused: { text: "not ended", tone: "danger" },
  told: { text: "being closed", tone: "info" },
  hindered: { text: "not gone yet", tone: "danger" },
  unreached: { text: "not reached", tone: "danger" },
  proven: { text: "closed, proven", tone: "open" },
  unproven: { text: "closed, not proven", tone: "danger" },
};

/** What is known of the end of a request, and what is not. */
export function closingText({ closing, cluster }: RequestView, now: number): string | null {
  if (closing === null) return null;
  const kept = closing.keptSince === null ? "" : ` at ${timeText(closing.keptSince, "moment", now)}`;
  switch (closing.state) {
    case "untold": return `You said${kept} to end it, and the hub was not told yet: ${closing.said ?? "it does not answer"}. The session goes on. This desktop tells the hub as soon as it can hear, while you stay signed in and Sallyport runs.`;
    case "refused": return `You said${kept} to end it, and the hub said no when it heard: ${closing.said ?? "it does not say why"}. The session goes on, and the hub is not told again by itself.`;
    case "told": return `The hub has the word; the broker of ${cluster} has not answered to it yet.`;
    case "hindered": return `The broker of ${cluster} removes it, and this is left there: ${localTimes(closing.said ?? "it does not say what")}. It goes on by itself.`;
    case "unreached": {
      const heard = closing.seenAt === null ? "was not heard" : `was last heard at ${timeText(closing.seenAt, "moment", now)}`;
      const left = closing.said === null ? "" : ` It had said that this is left: ${localTimes(closing.said)}.`;
      return `The broker of ${cluster} ${heard}, so nobody removes it there now.${left} It does as soon as it is back.`;
    }
    case "proven": return `Its broker has seen that nothing is left: ${localTimes(closing.said ?? "")}`;
    case "unproven": return "Nobody has said that nothing is left of it: what became of it could not be read on the hub, or is deleted there.";
  }
}

/** The hub has not heard that this person ended it, or said no: the session goes on. */
export function goesOn({ closing }: Pick<RequestView, "closing">): boolean {
  return closing !== null && (closing.state === "untold" || closing.state === "refused");
}

/** The bound that holds with nobody acting (P10); none where nothing is left or it had no rights. */
export function boundText({ closing }: RequestView, now: number): string | null {
  if (closing === null || closing.state === "proven") return null;
  const { refusedFrom } = closing;
  if (refusedFrom === null) return "It had no rights on the cluster when this was last told of.";
  // Times show no seconds, and a bound is not told as an earlier one.
  const at = timeText(Math.ceil(refusedFrom / 60_000) * 60_000, "moment", now);
  return refusedFrom <= now
    ? `Whatever is left of it, the cluster’s API server refuses its token since ${at}.`
    : `Whatever happens, the cluster’s API server refuses its token from ${at} on.`;
}

const FIRST: readonly ClosingState[] = ["refused", "untold", "unproven", "unreached", "hindered", "told", "proven"];

/** What was open under a hold and ends by it; what needs to be looked at first. */
export function endingsOf(view: Pick<RequestsView, "requests" | "closed"> | null, { on, name }: Pick<HoldView, "on" | "name">): RequestView[] {
  const theirs = (r: RequestView) => r.closing !== null && r.phase !== "pending" && (on === "everything" || (on === "user" ? r.user : r.cluster) === name);
  const all = [...(view?.requests ?? []), ...(view?.closed ?? [])].filter(theirs);
  const at = (r: RequestView) => (r.closing === null ? FIRST.length : FIRST.indexOf(r.closing.state));
  return all.sort((a, b) => at(a) - at(b) || a.askedAt - b.askedAt || (a.id < b.id ? -1 : 1));
}

/** How many of each: `1 not reached, 2 closed, proven`. */
export function sumText(all: readonly RequestView[]): string {
  const of = (state: ClosingState) => all.filter((r) => r.closing?.state === state).length;
  return FIRST.map((state) => [of(state), STATE[state].text] as const).filter(([n]) => n > 0).map(([n, words]) => `${n} ${words}`).join(" · ");
}
