import { expect, test } from "vitest";
import { pressed } from "../src/shared/keys";
import { at } from "./window";

const { KEYS, windowsOwn } = await at(() => import("../src/views/keyboard"));

const event = (key: string, over: Partial<KeyboardEvent> = {}) =>
  ({ key, code: "", ctrlKey: false, shiftKey: false, altKey: false, metaKey: false, ...over }) as KeyboardEvent;
const ids = (press: KeyboardEvent, mac = false, typing = false) => pressed(KEYS, press, mac, typing).keys.map((key) => key.action.id);

test("a terminal keeps every Ctrl key of its own", () => {
  for (const letter of "abcdefghijklmnopqrstuvwxyz") expect(windowsOwn(event(letter, { ctrlKey: true }), false), `Ctrl+${letter}`).toBe(false);
  for (const letter of "abcdefghijklmnopqrstuvwxyz?/") expect(windowsOwn(event(letter), false), letter).toBe(false);
  for (const letter of ["Enter", "Escape", "Tab"]) expect(windowsOwn(event(letter), false), letter).toBe(false);
  for (const letter of ["L", "P", "T", "W", "F", "C"]) expect(windowsOwn(event(letter, { ctrlKey: true, shiftKey: true }), false), letter).toBe(true);
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
  expect(ids(event("a"))).toEqual([]);
});
test("a sequence is not begun by what is typed", () => {
  expect(ids(event("g"), false, true)).toEqual([]);
  expect(ids(event("a"))).toEqual([]);
});
