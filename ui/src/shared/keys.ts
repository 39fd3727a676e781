/** What a key press does, as far as telling presses apart needs it. */
export interface Key {
  /** `Ctrl+Shift+L`, `g c`, `Enter`; `Mod` is Cmd on macOS and Ctrl elsewhere, `1…9` any of these digits. */
  readonly press: string;
  /** The heading it stands under. */
  readonly group: string;
  /** Only while this view is shown. */
  readonly view?: string;
  /** Only from inside what this selector finds. */
  readonly within?: string;
  /** Also while a terminal has the focus: only keys with Shift, Alt or Cmd, or that no shell knows; the others are its own. */
  readonly inTerminal?: true;
  /** Also while a field has the focus. */
  readonly inField?: true;
  /** Also while a dialog is open. */
  readonly inDialog?: true;
}

/** A key's text for buttons and sheets: `Ctrl K`, `⌘K`. */
export function pressText(press: string, mac: boolean): string {
  if (mac) return press.replace("Mod+", "⌘").replace("Ctrl+Shift+", "⌃⇧").replace("Ctrl+", "⌃").replace("Alt+", "⌘");
  return press.replace("Mod", "Ctrl").replace(/\+(?!$)/g, " ");
}

const NAMES: Record<string, string> = { escape: "esc", "+": "plus" };
const SEQUENCE_MS = 1000;
const LATE_MS = 4000;
let begun = { letter: "", at: 0 };

/**
 * Those of `keys` that `event` presses, and for keys with digits which. The first letter of a sequence is remembered
 * for a second, but not while `typing`, where letters are text.
 */
export function pressed<K extends { readonly press: string }>(keys: readonly K[], event: KeyboardEvent, mac: boolean, typing = false): { keys: K[]; digit: number } {
  const digit = /^Digit[1-9]$/.test(event.code) ? Number(event.code.slice(5)) : 0;
  const plain = !event.ctrlKey && !event.altKey && !event.metaKey;
  const letter = event.key.toLowerCase();
  if (plain && !typing) {
    const { letter: before, at } = begun;
    begun = { letter: "", at: 0 };
    if (before !== "" && performance.now() - at < SEQUENCE_MS) {
      const found = keys.filter((key) => key.press === `${before} ${letter}`);
      if (found.length > 0) return { keys: found, digit };
    }
    // The second letter of a sequence that came too late was meant for it all the same, and for nothing else.
    else if (before !== "" && performance.now() - at < LATE_MS && keys.some((key) => key.press === `${before} ${letter}`)) return { keys: [], digit };
    if (keys.some((key) => key.press.startsWith(`${letter} `))) {
      begun = { letter, at: performance.now() };
      return { keys: [], digit };
    }
  }
  return { keys: keys.filter((key) => matches(key.press, event, mac, digit)), digit };
}

function matches(press: string, event: KeyboardEvent, mac: boolean, digit: number): boolean {
  const parts = press.replace(/\+\+$/, "+plus").split("+");
  const last = (parts.pop() ?? "").toLowerCase();
  const wanted = { ctrl: false, shift: false, alt: false, meta: false };
  for (const part of parts) {
    if (part === "Mod") wanted[mac ? "meta" : "ctrl"] = true;
    // The digits of a Mac's Option key are characters.
    else if (part === "Alt") wanted[mac ? "meta" : "alt"] = true;
    else wanted[part === "Ctrl" ? "ctrl" : "shift"] = true;
  }
  // Where Shift makes the character it is part of it, with other keys too: `+` here is `=` with Shift there.
  const shiftFree = parts.length === 0 || /^(plus|[^a-z])$/.test(last);
  if (event.ctrlKey !== wanted.ctrl || event.altKey !== wanted.alt || event.metaKey !== wanted.meta) return false;
  if (!shiftFree && event.shiftKey !== wanted.shift) return false;
  if (last === "1…9") return digit > 0;
  const letter = event.key.toLowerCase();
  // The key of both: nobody presses Shift for the plus.
  if (last === "plus" && letter === "=") return !event.shiftKey;
  return (NAMES[letter] ?? letter) === last;
}

/** Whether `target` is a field or inside a terminal, where plain letters are text. What is only ticked is none. */
export function focusKind(target: EventTarget | null): "terminal" | "field" | "page" {
  if (!(target instanceof HTMLElement)) return "page";
  if (target.closest(".xterm")) return "terminal";
  return target.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]") ? "field" : "page";
}
