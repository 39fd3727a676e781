import type { HeldKind, HoldView, RequestView } from "../../bindings/ipc";
import { shortName } from "../../desktop/words";
import { count } from "../../shared/text";
import { timeText } from "../../shared/time";

/** What a hold is on, in a word or two: `dana@example.test`, `cluster ledger-us-1`, `everything`. */
export function whatText(on: HeldKind, name: string): string {
  return on === "user" ? shortName(name) : on === "cluster" ? `cluster ${name}` : "everything";
}

/** The same where a sentence begins with it; names stay as they are. */
export function titleText(on: HeldKind, name: string): string {
  return on === "user" ? shortName(name) : on === "cluster" ? `Cluster ${name}` : "Everything";
}

/** How long a hold may be, in minutes, with its words. */
export const LENGTHS: readonly { minutes: number; text: string }[] = [
  { minutes: 60, text: "1 h" },
  { minutes: 8 * 60, text: "8 h" },
  { minutes: 24 * 60, text: "1 d" },
  { minutes: 7 * 24 * 60, text: "7 d" },
];

/** Those of the requests that a hold would end. */
export function ended(requests: readonly RequestView[], on: HeldKind, name: string): number {
  return requests.filter((r) => r.ended === null && (on === "everything" || (on === "user" ? r.user : r.cluster) === name)).length;
}

/** What a hold does now. `n` requests are known to end; `whole`: there are no others in the person's teams. */
export function nowText(on: HeldKind, n: number, whole: boolean): string {
  const whose = { user: " of theirs", cluster: " there", everything: "" }[on];
  const elsewhere = { user: " So does what they have in other teams.", cluster: " So does what other teams have there.", everything: " So does everything in all other teams." }[on];
  if (n === 0) return `${whole ? "No open request" : "No known open request"}${whose} in your teams.${on === "user" ? " Look at the name again if you expected one." : ""}`;
  return `${whole ? "" : "At least "}${count(n, "open request")}${whose} in your teams end${n === 1 && whole ? "s" : ""} now, with the sessions open by them.${elsewhere}`;
}

/** What a hold stops until it ends; `me`: it is on whoever reads this. */
export function untilText(on: HeldKind, until: number, now: number, me = false): string {
  const when = timeText(until, "moment", now);
  if (on === "user") return `Until ${when} ${me ? "you" : "they"} ask for nothing, approve nothing and keep nothing open.`;
  if (on === "cluster") return `Until ${when} nobody asks for anything there or keeps anything open there.`;
  return `Until ${when} nobody asks for anything, approves anything or keeps anything open, and that includes you.`;
}

/** Why this person can't remove a hold. */
export function whyStays({ on, onMe }: HoldView): string {
  if (onMe && on === "user") return "Nobody removes a hold on themselves. Somebody else who may hold can, or it ends by itself.";
  return `You may not remove it. ${WHO_MAY}`;
}

export const WHO_MAY = "Who may hold, and end a hold, is bound on the hub to the ClusterRole sallyport:responder.";
