// Control, bidi and zero-width characters made visible (P24): the same set as `sallyport_model::visible`, for
// anything that reaches the window without having passed it.
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

/** `text` with every hidden character shown: `␊`, `␉` or `⟨U+202E⟩`. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (char) => {
    if (char === "\n") return "␊";
    if (char === "\t") return "␉";
    return `⟨U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}

/** `text` as a sentence begins: a first word that is no name, path or id begins large. */
export function sentence(text: string): string {
  return /^[a-z]+(?=[ ,’'])/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

/** `text` in at most `most` characters, with an ellipsis where it goes on; no character is cut in two. */
export function clip(text: string, most: number): string {
  const all = [...text];
  return all.length <= most ? text : `${all.slice(0, most - 1).join("")}…`;
}

/** `1 call`, `2 calls`, `18,204 calls`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

const numbers = new Intl.NumberFormat("en");

/** `18,204`. */
export function number(n: number): string {
  return numbers.format(n);
}
