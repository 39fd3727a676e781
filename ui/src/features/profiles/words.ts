import type { DriftWay, ProfileLook, ProfileVerdict, RulesDifference } from "../../bindings/ipc";
import { count, visible } from "../../shared/text";

export type Tone = "open" | "wait" | "danger" | "info" | "";

export const WAYS: Record<DriftWay, { text: string; tone: Tone }> = {
  wider: { text: "more", tone: "wait" },
  other: { text: "other", tone: "info" },
  narrower: { text: "less", tone: "" },
};

/** What came of trying it, in a sentence. */
export function verdictText(verdict: ProfileVerdict): { title: string; text: string; tone: Tone } {
  switch (verdict.kind) {
    case "taken": return { title: "The hub would take it", text: "It was tried there, and nothing of it is stored yet.", tone: "open" };
    case "same": return { title: "It changes nothing", text: "The text says what the hub stores already.", tone: "info" };
    case "wrong": return { title: "It is no profile yet", text: "Nothing was changed. What is wrong, by line:", tone: "wait" };
    case "refused": return { title: "The hub does not take it from you", text: visible(verdict.why), tone: "danger" };
    case "changed": return { title: "Somebody else changed it since you read it", text: "Nothing of yours was applied. Compare your text with the profile as it is now, and you see what it would undo; or read it again and drop what you wrote.", tone: "wait" };
    case "gone": return { title: "It is gone", text: "Somebody deleted this profile since you read it. Copy the text if you want to make it anew, with New profile.", tone: "danger" };
  }
}

/** On which clusters, in a few words. */
export function whereText({ clusters, covered, wasCovered }: RulesDifference): string {
  const names = clusters.slice(0, 3).map(visible).join(", ");
  const where = clusters.length <= 3 ? names : `${names} and ${count(clusters.length - 3, "more", "more")}`;
  if (!wasCovered) return `${where}: covered now`;
  return covered ? where : `${where}: no longer covered`;
}

/** How much of it widens, for the heading. */
export function tally(look: ProfileLook): string {
  const difference = look.difference;
  if (difference === null) return "";
  const all = [...difference.conditions, ...difference.people, ...difference.rules].map((one) => one.way);
  const of = (way: DriftWay, word: string) => {
    const n = all.filter((one) => one === way).length;
    return n === 0 ? "" : `${n} ${word}`;
  };
  return [of("wider", "more"), of("narrower", "less"), of("other", "other")].filter(Boolean).join(" · ");
}
