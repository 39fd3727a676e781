import { expect, test } from "vitest";
import { shortened } from "../src/features/settings/ellipsis";
import { at } from "./window";

const { within } = await at(() => import("../src/features/terminals/size"));

test("a path that fits stays whole", () => {
  expect(shortened("/home/dev", 9)).toBe("/home/dev");
  expect(shortened("", 9)).toBe("");
});

test("of a long path the middle is left out, and its end keeps whole names", () => {
  expect(shortened("/home/a.very.long.name/.local/share/sallyport/kubectl-cache", 32)).toBe("/home/a.very.long…/kubectl-cache");
  // A name that is longer than the end shows how it ends.
  expect(shortened(`/home/${"x".repeat(60)}.sqlite`, 20)).toBe("/home/x…xxxxx.sqlite");
  for (let most = 3; most < 60; most++) {
    const path = "/net/fileserver/export/home/departments/platform/dev/.local/share/sallyport";
    const short = shortened(path, most);
    const [start, end] = short.split("…");
    expect(short.length, short).toBeLessThanOrEqual(most);
    expect(path.startsWith(start!) && path.endsWith(end!), short).toBe(true);
  }
});

test("no character is cut in two", () => {
  for (let most = 2; most < 9; most++) expect(shortened("/𝒶𝒷𝒸𝒹𝑒𝒻𝑔𝒽", most)).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/);
});

test("the size of text stays within what the desktop takes", () => {
  expect([8, 9, 13, 24, 25].map(within)).toEqual([9, 9, 13, 24, 24]);
});
