import { expect, test } from "vitest";
import type { TimelineRow } from "../src/bindings/ipc";
import { binAt, highest, marks, spanOf, ticks } from "../src/features/audit/bins";
import { changed, chips, DECISIONS, isDecision } from "../src/features/audit/filter";
import { itemsOf } from "../src/features/audit/items";
import { lackWords } from "../src/features/audit/words";
import { written } from "../src/shared/time";

test("what is empty is no part of a filter, and each part is a chip that says it", () => {
  expect(changed({ verb: "get" }, { verb: "", cluster: "a", fromUs: null })).toEqual({ cluster: "a" });
  const words = chips({ cluster: "a", code: "denied", verb: "delete", session: "5e55107f3k2", side: "cluster" }).map((chip) => chip.words);
  expect(words).toEqual(["clusters' logs alone", "a", "verb delete", "denied", "session 5e55107f"]);
  expect(chips({ code: "403", action: "terminal_open", request: "0b6f2c7e-2f1d" }).map((chip) => chip.words)).toEqual(["code 403", "request 0b6f2c7e", "terminal open"]);
  for (const { code } of DECISIONS) expect(chips({ code })[0]?.words).toBe(code);
  expect([isDecision("403"), isDecision(undefined), isDecision("denied\u202e")]).toEqual([false, false, false]);
  expect(chips({ fromUs: 0, toUs: 60_000_000 })[0]?.parts).toEqual(["fromUs", "toUs"]);
  expect(chips({ person: "a\u202eb" })[0]?.words).not.toContain("\u202e");
});

test("a brush is a range of whole bins, and ends where the last one does", () => {
  const view = { fromUs: 1000, stepUs: 10, bins: Array.from({ length: 4 }, () => ({ own: 1, calls: 2, failed: 0 })), lacks: { isCut: false, damaged: 0, unreadFiles: 0, why: null, stores: [] } };
  expect(spanOf(view, 1, 2)).toEqual({ fromUs: 1010, toUs: 1030 });
  expect([binAt(-1, 4), binAt(0.5, 4), binAt(1, 4)]).toEqual([0, 2, 3]);
  expect(highest(view.bins)).toBe(3);
  expect(ticks(view)).toEqual([1000, 1010, 1020, 1030, 1040]);
  const from = Date.UTC(2026, 10, 30, 7, 50, 37) * 1000;
  const words = (stepUs: number) => marks({ fromUs: from, stepUs, bins: view.bins }).map(({ at, form, isAgain }) => (isAgain ? "" : written(at, form, false)));
  // Of a single entry: one moment is not said five times.
  expect(words(1).filter(Boolean)).toHaveLength(1);
  expect(new Set(words(15_000_000)).size).toBe(5);
  expect(words(900_000_000).every((one) => /^\d\d:\d\d$/.test(one))).toBe(true);
  expect(words(90_000_000_000)[0]).toMatch(/^30 Nov \d\d:\d\d$/);
});

test("each day stands in a row of its own, also where thousands of rows come", () => {
  const at = (n: number) => ({ atUs: n * 3_600_000_000 }) as TimelineRow;
  const items = itemsOf(Array.from({ length: 72 }, (_, i) => at(1000 - i)));
  expect(items.filter((item) => item.kind === "row")).toHaveLength(72);
  const days = items.filter((item) => item.kind === "day");
  expect(new Set(days.map((item) => item.id)).size).toBe(days.length);
});

test("in a zone of half an hour a row stands under its own day", () => {
  const before = process.env["TZ"];
  try {
    for (const [zone, hour, minute] of [["Asia/Kolkata", 18, 30], ["Asia/Kathmandu", 18, 15], ["UTC", 0, 0]] as const) {
      process.env["TZ"] = zone;
      const midnight = Date.UTC(2026, 10, 29, hour, minute);
      const rows = [midnight + 60_000, midnight - 60_000].map((ms) => ({ atUs: ms * 1000 }) as TimelineRow);
      expect(itemsOf(rows).map((item) => item.kind), zone).toEqual(["day", "row", "day", "row"]);
    }
  } finally {
    if (before === undefined) delete process.env["TZ"];
    else process.env["TZ"] = before;
  }
});

test("what an answer lacks is said in words, and nothing where it lacks nothing", () => {
  expect(lackWords({ isCut: false, damaged: 0, unreadFiles: 0, why: null, stores: [] })).toEqual([]);
  expect(lackWords({ isCut: true, damaged: 1, unreadFiles: 2, why: "x", stores: [] })).toHaveLength(4);
  const store = { store: "logs.example", why: "it did not answer", beforeUs: 1_772_323_200_000_000, isPending: false, hasFailed: false };
  const [words] = lackWords({ isCut: false, damaged: 0, unreadFiles: 0, why: null, stores: [store] });
  expect(words).toContain("logs.example: it did not answer. Its calls before ");
  expect(lackWords({ isCut: false, damaged: 0, unreadFiles: 0, why: null, stores: [{ ...store, beforeUs: null }] })[0]).not.toContain("before");
});

test("where midnight lies within an hour of UTC, rows still stand under their own day", () => {
  const zone = process.env["TZ"];
  try {
    for (const [name, midnight] of [["Asia/Kolkata", "18:30"], ["Asia/Kathmandu", "18:15"], ["UTC", "00:00"]] as const) {
      process.env["TZ"] = name;
      const at = Date.parse(`2026-11-29T${midnight}:00Z`) * 1000;
      const items = itemsOf([at + 900_000_000, at, at - 1, at - 600_000_000].map((atUs) => ({ atUs }) as TimelineRow));
      expect(items.map((item) => item.kind), name).toEqual(["day", "row", "row", "day", "row", "row"]);
    }
  } finally {
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  }
});
