import type { DeletedHow, LacksView, ReviewOf, ReviewRuling, ReviewView, TieBy, TieView } from "../../bindings/ipc";
import { count } from "../../shared/text";
import { timeText } from "../../shared/time";

const TIES: Record<TieBy, string> = {
  auditId: "Audit-ID and JTI",
  jti: "token JTI",
  account: "ServiceAccount of the session",
  issued: "mint of the session's JTI",
  userAndTime: "person and time",
};

export function tieWords(tie: Pick<TieView, "by" | "isInferred">): string {
  return `${TIES[tie.by]}, ${tie.isInferred ? "inferred" : "exact"}`;
}

export const HOWS: Record<DeletedHow, string> = {
  named: "by its name",
  collection: "with others of its kind: whether it was among them, only the answer says",
  namespace: "with its namespace",
  evicted: "by an eviction",
  kind: "with its kind: the CRD was removed",
};

/** What an answer lacks, in words; none where it lacks nothing. */
export function lackWords(lacks: LacksView): string[] {
  return [
    ...(lacks.why ? [`The clusters' logs were not looked at: ${lacks.why}.`] : []),
    ...(lacks.isCut ? ["The time there was is over, so there is more than was looked at."] : []),
    ...(lacks.damaged > 0 ? [`${count(lacks.damaged, "event")} ${lacks.damaged === 1 ? "is" : "are"} damaged and could not be looked at.`] : []),
    ...(lacks.unreadFiles > 0 ? [`${count(lacks.unreadFiles, "file")} of the archive can't be opened; nobody knows what is in ${lacks.unreadFiles === 1 ? "it" : "them"}.`] : []),
    ...lacks.stores.map((lack) => `${lack.store}: ${lack.why}.${lack.beforeUs === null ? "" : ` Its calls before ${timeText(lack.beforeUs / 1000)} are missing.`}`),
  ];
}

/** Nothing that was wanted is missing: a store was asked no further back than it always is. */
export function isWhole({ why, isCut, damaged, unreadFiles, stores }: LacksView): boolean {
  return why === null && !isCut && damaged === 0 && unreadFiles === 0 && stores.every((store) => !store.hasFailed && !store.isPending && store.beforeUs === null);
}

export const REVIEWED: Record<ReviewOf, string> = { person: "Their access", cluster: "What was done", standing: "Standing access" };
export const RULINGS: Record<ReviewRuling, string> = { kept: "Kept", toBeRemoved: "To be removed" };

/** The newest review of this; they come newest first. */
export function lastReview(reviews: readonly ReviewView[], of: ReviewOf): ReviewView | null {
  return reviews.find((one) => one.of === of) ?? null;
}

const minute = (us: number) => timeText(us / 1000, "minute");

/** Which time was looked at. */
export function reviewSpan({ fromUs, toUs }: { fromUs: number | null; toUs: number }): string {
  return fromUs === null ? `all up to ${minute(toUs)}` : `${minute(fromUs)} to ${minute(toUs)}`;
}
