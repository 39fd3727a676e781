import { expect, test } from "vitest";
import { KEYS, pressed, windowsOwn } from "../src/shared/keys";

const event = (key: string, over: Partial<KeyboardEvent> = {}) =>
  ({ key, code: "", ctrlKey: false, shiftKey: false, altKey: false, metaKey: false, ...over }) as KeyboardEvent;

test("a terminal keeps every Ctrl key of its own", () => {
  for (const letter of "abcdefghijklmnopqrstuvwxyz") expect(windowsOwn(event(letter, { ctrlKey: true }), false), `Ctrl+${letter}`).toBe(false);
  for (const letter of "abcdefghijklmnopqrstuvwxyz?/") expect(windowsOwn(event(letter), false), letter).toBe(false);
  for (const letter of ["L", "P", "T", "W", "F", "C"]) expect(windowsOwn(event(letter, { ctrlKey: true, shiftKey: true }), false), letter).toBe(true);
  // Pasting is the web view's own.
  expect(windowsOwn(event("V", { ctrlKey: true, shiftKey: true }), false)).toBe(false);
});
test("keys of the table", () => {
  expect(pressed(event("k", { ctrlKey: true }), false)?.id).toBe("palette");
  expect(pressed(event("k", { metaKey: true }), true)?.id).toBe("palette");
  expect(pressed(event("k", { ctrlKey: true }), true)).toBe(null);
  expect(pressed(event("?", { shiftKey: true }), false)?.id).toBe("help");
  expect(pressed(event("3", { altKey: true, code: "Digit3" }), false)).toEqual({ id: "tab", digit: 3 });
  expect(pressed(event("Tab", { ctrlKey: true, shiftKey: true }), false)?.id).toBe("previousTab");
  expect(pressed(event("g"), false)).toBe(null);
  expect(pressed(event("a"), false)?.id).toBe("goAudit");
  expect(pressed(event("a"), false)).toBe(null);
});
test("plain letters count only where they are not text", () => {
  expect(pressed(event("/"), false, false)).toBe(null);
  expect(pressed(event("/"), false)?.id).toBe("find");
});
test("no two keys of the table are the same", () => {
  expect(new Set(KEYS.map((k) => k.press)).size).toBe(KEYS.length);
});
