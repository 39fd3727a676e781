import type { FixView } from "../../bindings/ipc";
import { copyText } from "../../shared/copy";

/** The three forms of a fix. */
export type Form = "yaml" | "commands" | "pullRequest";
export const FORMS: readonly { id: Form; title: string }[] = [
  { id: "yaml", title: "YAML" },
  { id: "commands", title: "Command" },
  { id: "pullRequest", title: "Pull request" },
];

/** A text of several lines as it is copied. */
export function textOf(lines: readonly string[]): string {
  return lines.join("\n");
}

export interface TextLine {
  readonly text: string;
  readonly kind: "add" | "cut" | "note" | "same";
}

/** The lines of a text: of a difference those that come and those that go, of any other what is only said. */
export function linesOf(text: string): TextLine[] {
  const lines = text.replace(/\n$/, "").split("\n");
  // In a difference each line begins with its mark; YAML does so only where it is nothing but a list.
  const marked = lines.filter((line) => line !== "");
  const isDifference = marked.every((line) => /^[ +\-@#\\]/.test(line)) && marked.some((line) => /^[+-]/.test(line)) && marked.some((line) => /^[ +@]/.test(line));
  return lines.map((line): TextLine => {
    if (line.startsWith("#")) return { text: line, kind: "note" };
    if (!isDifference || /^(\+\+\+|---) /.test(line)) return { text: line, kind: "same" };
    return { text: line, kind: line.startsWith("+") ? "add" : line.startsWith("-") ? "cut" : "same" };
  });
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
