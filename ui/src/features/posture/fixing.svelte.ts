import type { FixView } from "../../bindings/ipc";
import { copyText } from "../../shared/copy";

/** The three forms of a fix. */
export type Form = "yaml" | "command" | "pullRequest";
export const FORMS: readonly { id: Form; title: string }[] = [
  { id: "yaml", title: "YAML" },
  { id: "command", title: "Command" },
  { id: "pullRequest", title: "Pull request" },
];

/** A text of several lines as it is copied. The desktop shows line ends as characters where a text is one value. */
export function textOf(shown: string | readonly string[]): string {
  return typeof shown === "string" ? shown.replaceAll("␊", "\n") : shown.join("\n");
}

/** The lines of a text, each added, taken away, said about it, or as it is. */
export function linesOf(text: string): { text: string; kind: "add" | "cut" | "note" | "same" }[] {
  return text.replace(/\n$/, "").split("\n").map((line) => ({ text: line, kind: /^\+(?!\+\+)/.test(line) ? "add" : /^-(?!--|\s)/.test(line) || /^-\s{2,}/.test(line) ? "cut" : line.startsWith("#") ? "note" : "same" }));
}

/** Which form of a fix is shown, and whether it was copied. */
class Fixing {
  form = $state<Form>("yaml");
  copied = $state.raw<{ text: string; done: boolean } | null>(null);

  async copy(fix: FixView): Promise<void> {
    await this.take(textOf(fix[this.form]));
  }

  async take(text: string): Promise<void> {
    this.copied = { text, done: await copyText(text) };
  }

  /** What the button of a text says. */
  said(text: string): string {
    return this.copied?.text !== text ? "Copy" : this.copied.done ? "Copied" : "Could not copy";
  }
}

export const fixing = new Fixing();
