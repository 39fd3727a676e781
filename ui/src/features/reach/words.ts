import type { GuardrailProof, SubjectKind, WhoCluster, WhoProfile, WhoSubject } from "../../bindings/ipc";
import { count, number, visible } from "../../shared/text";
import { span, timeText } from "../../shared/time";
import { askersOf, profileOf, reachedBy, type Model } from "./model";

export type Tone = "open" | "wait" | "danger" | "info" | "";

export const KINDS: Record<SubjectKind, string> = { group: "group", user: "user", serviceAccount: "ServiceAccount" };

/** What a profile takes: `opens at once`, `2 approvals`. */
export function approvalsText({ approvals }: WhoProfile): string {
  return approvals === 0 ? "opens at once" : count(approvals, "approval");
}

/** The other terms of a profile, in a line. */
export function termsText(profile: WhoProfile): string {
  const where = profile.namespaces.length === 0 ? "cluster-wide" : profile.namespaces.length <= 3 ? profile.namespaces.map(visible).join(", ") : count(profile.namespaces.length, "namespace");
  const mfa = profile.mfa.length === 0 ? "any sign-in" : `sign-in: ${profile.mfa.map(visible).join(", ")}`;
  const day = profile.maxPerDaySeconds === null ? [] : [`up to ${span(profile.maxPerDaySeconds)} within 24 h`];
  const autos = profile.autoApprovals.map((auto) => `at once by ${visible(auto)}`);
  return [`up to ${span(profile.maxDurationSeconds)}`, ...day, where, mfa, profile.reasonRequired ? "with a reason" : "without a reason", ...autos].join(" · ");
}

/** What somebody holds, in a line; of what was looked for, where something was. */
export function subjectText(model: Model, subject: WhoSubject, focus: ReadonlySet<number>): string {
  const holds = focus.size === 0 ? subject.may : subject.may.filter((one) => focus.has(one.profile));
  const of = (verb: "request" | "approve" | "revoke", what: string) => {
    const those = holds.filter((one) => one[verb]);
    if (those.length === 0) return "";
    return focus.size > 0 || those.length <= 2 ? `${what} ${those.map((one) => visible(profileOf(model, one.profile).name)).join(", ")}` : `${what} ${count(those.length, "profile")}`;
  };
  const asks = of("request", "asks for");
  const on = asks === "" || focus.size > 0 ? "" : ` on ${count(reachedBy(model, subject).size, "cluster")}`;
  return [asks + on, of("approve", "approves"), of("revoke", "ends")].filter(Boolean).join(" · ") || "no profile";
}

/** Who asks for something on a cluster, in a line. */
export function clusterText(model: Model, cluster: WhoCluster, focus: ReadonlySet<number>): string {
  if (cluster.profiles.length === 0) return "no profile covers it";
  const named = cluster.profiles.filter((one) => focus.has(one.profile)).map((one) => visible(profileOf(model, one.profile).name));
  const what = named.length > 0 ? named.join(", ") : count(cluster.profiles.length, "profile");
  const n = askersOf(model, named.length > 0 ? { ...cluster, profiles: cluster.profiles.filter((one) => focus.has(one.profile)) } : cluster).size;
  return `${what} · ${n === 0 ? "nobody may ask" : `${number(n)} may ask`}`;
}

/** How guardrails stand, in two words. */
export function proofBadge(proof: GuardrailProof): { text: string; tone: Tone } {
  switch (proof.kind) {
    case "inForce": return { text: "in force", tone: "open" };
    case "asShipped": return { text: "as shipped", tone: "info" };
    case "notInForce": return { text: "not in force", tone: "danger" };
    case "unknown": return { text: "unknown", tone: "wait" };
  }
}

/** What that rests on, in a sentence. */
export function proofText(proof: GuardrailProof, now: number): string {
  switch (proof.kind) {
    case "inForce": return `In force since ${timeText(proof.at, "moment", now)}, by every check: ${visible(proof.detail)}.`;
    case "asShipped": return `Not proven. As of ${timeText(proof.at, "moment", now)}: ${visible(proof.detail)}.`;
    case "notInForce": return `Not in force since ${timeText(proof.at, "moment", now)}: ${visible(proof.detail)}.`;
    case "unknown": return `Not known: ${visible(proof.why)}.`;
  }
}
