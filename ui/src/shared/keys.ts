/** Every key of the window, in one table: the dispatcher, the buttons and the cheat sheet read it. */
export interface Key {
  id: KeyId;
  /** `Ctrl+Shift+L`; `Mod` is Cmd on macOS and Ctrl elsewhere. */
  press: string;
  does: string;
  where: "everywhere" | "clusters" | "session" | "list";
  /** Also while a terminal has the focus: only keys with Shift, Alt or Cmd, the shell keeps the others. */
  inTerminal?: boolean;
  /** Also while a field has the focus. */
  inField?: boolean;
}

export type KeyId =
  | "palette" | "paletteAlways" | "help" | "goClusters" | "goSessions" | "goAudit"
  | "find" | "open" | "pin" | "asLast"
  | "leave" | "newTerminal" | "closeTerminal" | "findInTerminal" | "copy" | "nextTab" | "previousTab" | "tab";

export const KEYS: readonly Key[] = [
  { id: "paletteAlways", press: "Ctrl+Shift+P", does: "Palette, from a terminal too", where: "everywhere", inTerminal: true, inField: true },
  { id: "palette", press: "Mod+K", does: "Palette", where: "everywhere", inField: true },
  { id: "goClusters", press: "g c", does: "Clusters", where: "everywhere" },
  { id: "goSessions", press: "g s", does: "Sessions", where: "everywhere" },
  { id: "goAudit", press: "g a", does: "Audit", where: "everywhere" },
  { id: "help", press: "?", does: "This sheet", where: "everywhere" },
  { id: "find", press: "/", does: "Search the list", where: "list" },
  { id: "open", press: "Enter", does: "Open the selected cluster", where: "clusters" },
  { id: "asLast", press: "R", does: "Open it as last time", where: "clusters" },
  { id: "pin", press: "P", does: "Pin or unpin it", where: "clusters" },
  { id: "leave", press: "Ctrl+Shift+L", does: "Leave the session", where: "session", inTerminal: true, inField: true },
  { id: "newTerminal", press: "Ctrl+Shift+T", does: "Another terminal in this session", where: "session", inTerminal: true },
  { id: "closeTerminal", press: "Ctrl+Shift+W", does: "Close this terminal", where: "session", inTerminal: true },
  { id: "findInTerminal", press: "Ctrl+Shift+F", does: "Find in the terminal", where: "session", inTerminal: true },
  { id: "copy", press: "Ctrl+Shift+C", does: "Copy what is selected (paste with V)", where: "session", inTerminal: true },
  { id: "tab", press: "Alt+1…9", does: "Tab 1 to 9", where: "session", inTerminal: true, inField: true },
  { id: "nextTab", press: "Ctrl+Tab", does: "Next tab", where: "session", inTerminal: true, inField: true },
  { id: "previousTab", press: "Ctrl+Shift+Tab", does: "Previous tab", where: "session", inTerminal: true, inField: true },
];

/** A key's text for buttons: `Ctrl K`, `⌘K`. */
export function keyText(id: KeyId, mac: boolean): string {
  const press = KEYS.find((key) => key.id === id)?.press ?? "";
  return pressText(press, mac);
}

export function pressText(press: string, mac: boolean): string {
  if (mac) return press.replace("Mod+", "⌘").replace("Ctrl+Shift+", "⌃⇧").replace("Ctrl+", "⌃").replace("Alt+", "⌘");
  return press.replace("Mod", "Ctrl").replaceAll("+", " ");
}

let pending = "";
let pendingAt = 0;

/**
 * The key of the table that `event` presses, and for tabs which. Plain letters count only when `plain`; a first `g`
 * is remembered for a second.
 */
export function pressed(event: KeyboardEvent, mac: boolean, plain = true): { id: KeyId; digit?: number } | null {
  const { key, ctrlKey, shiftKey, altKey, metaKey } = event;
  const letter = key.length === 1 ? key.toLowerCase() : key;
  if ((mac ? metaKey : altKey) && !ctrlKey && !shiftKey && /^Digit[1-9]$/.test(event.code)) {
    return { id: "tab", digit: Number(event.code.slice(5)) };
  }
  if (key === "Tab" && ctrlKey) return { id: shiftKey ? "previousTab" : "nextTab" };
  if (ctrlKey && shiftKey && !altKey && !metaKey) {
    const found = KEYS.find((k) => k.press === `Ctrl+Shift+${letter.toUpperCase()}`);
    return found ? { id: found.id } : null;
  }
  if (letter === "k" && !altKey && !shiftKey && (mac ? metaKey && !ctrlKey : ctrlKey && !metaKey)) return { id: "palette" };
  if (!plain || ctrlKey || altKey || metaKey) return null;
  if (pending === "g" && performance.now() - pendingAt < 1000) {
    pending = "";
    const found = KEYS.find((k) => k.press === `g ${letter}`);
    if (found) return { id: found.id };
  }
  if (letter === "g") {
    pending = "g";
    pendingAt = performance.now();
    return null;
  }
  const found = KEYS.find((k) => k.press === letter);
  return found ? { id: found.id } : null;
}

/** Whether a terminal must leave this key press to the window. Everything else is the shell's. */
export function windowsOwn(event: KeyboardEvent, mac: boolean): boolean {
  const key = pressed(event, mac, false);
  return key !== null && KEYS.some((k) => k.id === key.id && k.inTerminal);
}

/** Whether `target` is a field or inside a terminal, where plain letters are text. */
export function focusKind(target: EventTarget | null): "terminal" | "field" | "page" {
  if (!(target instanceof HTMLElement)) return "page";
  if (target.closest(".xterm")) return "terminal";
  return target.closest("input, textarea, select, [contenteditable]") ? "field" : "page";
}
