// What docs/guide shows: pictures that are there, light enough for a repository, and made by `npm run guide`.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { PICTURES, README } from "../tools/guide.mjs";

const GUIDE = new URL("../../docs/guide/", import.meta.url);
const pages = readdirSync(GUIDE).filter((name) => name.endsWith(".md")).map((name) => readFileSync(new URL(name, GUIDE), "utf8"));
const links = pages.flatMap((page) => [...page.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, to]) => to)).filter((to) => !/^https?:/.test(to));

test("every page and picture that the guide leads to is there", () => {
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((to) => !existsSync(new URL(to, GUIDE)))).toEqual([]);
});

test("every picture of the guide is shown, made by one command, and under 150 kB", () => {
  const there = readdirSync(new URL("pictures/", GUIDE)).sort();
  expect(there).toEqual(Object.keys(PICTURES).map((name) => `${name}.webp`).sort());
  expect(there.filter((name) => !links.includes(`pictures/${name}`))).toEqual([]);
  expect(there.filter((name) => statSync(new URL(`pictures/${name}`, GUIDE)).size >= 150_000)).toEqual([]);
  expect(readdirSync(new URL("../pictures/", GUIDE)).sort()).toEqual(Object.keys(README).map((name) => `${name}.png`).sort());
});
