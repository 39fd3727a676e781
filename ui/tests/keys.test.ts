import { expect, test, vi } from "vitest";
import { pressed, pressText } from "../src/shared/keys";
import { at } from "./window";

const { KEYS, windowsOwn } = await at(() => import("../src/views/keyboard"));

const event = (key: string, over: Partial<KeyboardEvent> = {}) =>
  ({ key, code: "", ctrlKey: false, shiftKey: false, altKey: false, metaKey: false, ...over }) as KeyboardEvent;
const ids = (press: KeyboardEvent, mac = false, typing = false) => pressed(KEYS, press, mac, typing).keys.map((key) => key.action.id);

/** What A means by itself, each in a view of its own. */
const A = ["approve", "applyFix"];

test("a terminal keeps every Ctrl key of its own", () => {
  for (const letter of "abcdefghijklmnopqrstuvwxyz") expect(windowsOwn(event(letter, { ctrlKey: true }), false), `Ctrl+${letter}`).toBe(false);
  for (const letter of "abcdefghijklmnopqrstuvwxyz?/") expect(windowsOwn(event(letter), false), letter).toBe(false);
  for (const letter of ["Enter", "Escape", "Tab"]) expect(windowsOwn(event(letter), false), letter).toBe(false);
  for (const letter of ["L", "P", "T", "W", "F", "C"]) expect(windowsOwn(event(letter, { ctrlKey: true, shiftKey: true }), false), letter).toBe(true);
  for (const key of "-=+0") expect(windowsOwn(event(key, { ctrlKey: true }), false), `Ctrl+${key}`).toBe(true);
  // Ctrl+_ (undo) is made with the same key and Shift.
  expect(windowsOwn(event("_", { ctrlKey: true, shiftKey: true }), false)).toBe(false);
  // Pasting is the web view's own.
  expect(windowsOwn(event("V", { ctrlKey: true, shiftKey: true }), false)).toBe(false);
});
test("keys of the table", () => {
  expect(ids(event("k", { ctrlKey: true }))).toEqual(["palette"]);
  expect(ids(event("k", { metaKey: true }), true)).toEqual(["palette"]);
  expect(ids(event("k", { ctrlKey: true }), true)).toEqual([]);
  expect(ids(event("?", { shiftKey: true }))).toEqual(["keys"]);
  expect(ids(event("3", { altKey: true, code: "Digit3" }))).toEqual(["tab"]);
  expect(pressed(KEYS, event("3", { altKey: true, code: "Digit3" }), false).digit).toBe(3);
  expect(ids(event("3", { altKey: true, shiftKey: true, code: "Digit3" }))).toEqual([]);
  expect(ids(event("Tab", { ctrlKey: true, shiftKey: true }))).toEqual(["previousTab"]);
  expect(ids(event("Tab", { ctrlKey: true }))).toEqual(["nextTab"]);
  expect(ids(event("g"))).toEqual([]);
  expect(ids(event("a"))).toEqual(["go-audit"]);
  // A sequence is over with its second letter: by itself that is another key.
  expect(ids(event("a"))).toEqual(A);
});
test("the second letter of a sequence that comes too late does nothing, and above all nothing else", () => {
  vi.spyOn(performance, "now").mockReturnValueOnce(0).mockReturnValue(2500);
  expect(ids(event("g"))).toEqual([]);
  expect(ids(event("a"))).toEqual([]);
  expect(ids(event("a"))).toEqual(A);
  vi.restoreAllMocks();
});
test("plus, minus and zero are the same on every layout and on the number pad", () => {
  const ctrl = (key: string, over: Partial<KeyboardEvent> = {}) => ids(event(key, { ctrlKey: true, ...over }));
  expect(ctrl("+")).toEqual(["largerText"]);
  expect(ctrl("+", { shiftKey: true })).toEqual(["largerText"]);
  expect(ctrl("=")).toEqual(["largerText"]);
  expect(ctrl("=", { shiftKey: true }), "Shift and zero, where those make it").toEqual([]);
  expect(ctrl("-")).toEqual(["smallerText"]);
  expect(ctrl("0")).toEqual(["usualText"]);
  expect(ctrl("0", { shiftKey: true }), "where digits are made with Shift").toEqual(["usualText"]);
  expect(ctrl("+", { altKey: true })).toEqual([]);
  expect(ids(event("-", { metaKey: true }), true)).toEqual(["smallerText"]);
  expect(ids(event("+"))).toEqual([]);
  expect(["Mod++", "Mod+-", "Ctrl+Shift+P", "g ,"].map((press) => pressText(press, false))).toEqual(["Ctrl +", "Ctrl -", "Ctrl Shift P", "g ,"]);
  expect(pressText("Mod++", true)).toBe("⌘+");
});
test("a sequence is not begun by what is typed", () => {
  expect(ids(event("g"), false, true)).toEqual([]);
  expect(ids(event("a"))).toEqual(A);
});
