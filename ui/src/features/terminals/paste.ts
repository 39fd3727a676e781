import type { PasteAsks } from "../../bindings/ipc";
import { visible } from "../../shared/text";

/** What a paste would type. */
export interface Paste {
  /** Without control characters; lines end with a line feed. */
  text: string;
  /** Lines that are not empty: more than one runs several commands. */
  lines: number;
  /** As it came, line by line, with what is not seen made visible. */
  shown: readonly string[];
  /** Something in it is not seen: what was left out, and what joins or hides letters. */
  hidden: boolean;
}

/** Why a paste is asked about first. */
export type Why = "hidden" | "lines" | "always";

// Control characters but tab and line feed, of both sets: an ESC [201~ would end a bracketed paste, and what follows it
// would be typed. Then those that turn the direction of text, so that it is read otherwise than it runs.
const REFUSED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
const PASTE_MARKS = /(?:\u001b\[|\u009b)20[01]~/g;

/** What is pasted, as it may be typed. */
export function cleaned(pasted: string): Paste {
  const came = pasted.replace(/\r\n?/g, "\n");
  let text = came.replace(/[\u0085\u2028\u2029]/g, "\n");
  // Until nothing changes: a mark may be put together by taking another away.
  for (let before = ""; before !== text; ) {
    before = text;
    text = text.replace(PASTE_MARKS, "");
  }
  text = text.replace(REFUSED, "");
  const lines = text.split("\n").filter((line) => line.trim() !== "").length;
  // One line runs when its person says so, also where no shell holds pastes back.
  if (lines <= 1) text = text.replace(/^\n+|\n+$/g, "");
  // A tab is seen as room, and would be a box here.
  const shown = came.trimEnd().split("\n").map((line) => visible(line.replaceAll("\t", "    ")));
  return { text, lines, shown, hidden: visible(came.replace(/[\t\n]/g, "")) !== came.replace(/[\t\n]/g, "") };
}

/**
 * Why a paste is asked about; null: it is not. What is not seen is asked about whatever was chosen, and so are several lines
 * into production: that is where one line too many is not taken back.
 */
export function whyAsked(paste: Paste, asks: PasteAsks, production: boolean): Why | null {
  if (paste.hidden) return "hidden";
  if (paste.lines > 1 && (production || asks !== "never")) return "lines";
  return asks === "always" ? "always" : null;
}
