import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { titleOf } from "../src/shared/actions";
import { at } from "./window";

const { ACTIONS } = await at(() => import("../src/views/actions"));
const { KEYS } = await at(() => import("../src/views/keyboard"));
const { SHEET } = await at(() => import("../src/views/palette/sheet"));
const { VIEWS } = await at(() => import("../src/views/views"));

const twice = (all: readonly string[]) => all.filter((one, i) => all.indexOf(one) !== i);

test("no two keys collide: the same press is two things only in two views", () => {
  const collide = KEYS.flatMap((one, i) =>
    KEYS.slice(i + 1).filter((other) => one.press === other.press && (one.view === undefined || other.view === undefined || one.view === other.view)).map((other) => `${one.press}: ${one.action.id}, ${other.action.id}`));
  expect(collide).toEqual([]);
  // The first letter of a sequence does nothing by itself.
  for (const { press } of KEYS.filter((key) => key.press.includes(" "))) expect(KEYS.map((key) => key.press.toLowerCase())).not.toContain(press.split(" ")[0]);
});

test("every action with a key is in the sheet once, under a title", () => {
  const lines = SHEET.flatMap((group) => group.lines);
  expect(lines).toHaveLength(ACTIONS.filter((action) => action.key).length);
  for (const action of ACTIONS) {
    expect(titleOf(action)).not.toBe("");
    if (action.key) expect(lines).toContainEqual({ press: action.key.press, does: action.does ?? titleOf(action) });
  }
});

test("every action is in the palette or has a key, and a key of a terminal is none of its own", () => {
  for (const action of ACTIONS) expect(action.palette !== false || action.key !== undefined, action.id).toBe(true);
  // A terminal sends nothing for Ctrl with plus, minus or zero.
  for (const key of KEYS.filter((k) => k.inTerminal)) expect(key.press).toMatch(/^(Ctrl\+Shift\+|Alt\+|Ctrl\+Tab$|Mod\+[-+0]$)/);
});

test("ids, titles and keys of views and actions are each their own", () => {
  expect(twice(VIEWS.map((view) => view.id))).toEqual([]);
  expect(twice(VIEWS.map((view) => view.title))).toEqual([]);
  expect(twice(VIEWS.map((view) => view.key))).toEqual([]);
  expect(twice(ACTIONS.map((action) => action.id))).toEqual([]);
});

test("whoever goes to a view goes to one that there is", () => {
  const files = (folder: string): string[] => readdirSync(folder).flatMap((name) => (statSync(join(folder, name)).isDirectory() ? files(join(folder, name)) : [join(folder, name)]));
  const named = files(fileURLToPath(new URL("../src", import.meta.url))).flatMap((path) => [...readFileSync(path, "utf8").matchAll(/\bview: "(\w+)"/g)].map((found) => found[1]));
  expect(named.length).toBeGreaterThan(3);
  for (const view of named) expect(VIEWS.map((v) => v.id)).toContain(view);
});
