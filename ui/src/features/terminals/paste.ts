/** What a paste would type. */
export interface Paste {
  /** Without control characters; lines end with a line feed. */
  text: string;
  /** Lines that are not empty: more than one runs several commands. */
  lines: number;
}

// Control characters but tab and line feed, of both sets: an ESC [201~ would end a bracketed paste, and what follows it
// would be typed. Then those that turn the direction of text, so that it is read otherwise than it runs.
const REFUSED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
const PASTE_MARKS = /(?:\u001b\[|\u009b)20[01]~/g;

/** What is pasted, as it may be typed. */
export function cleaned(pasted: string): Paste {
  let text = pasted.replace(/\r\n?/g, "\n").replace(/[\u0085\u2028\u2029]/g, "\n");
  // Until nothing changes: a mark may be put together by taking another away.
  for (let before = ""; before !== text; ) {
    before = text;
    text = text.replace(PASTE_MARKS, "");
  }
  text = text.replace(REFUSED, "");
  return { text, lines: text.split("\n").filter((line) => line.trim() !== "").length };
}
