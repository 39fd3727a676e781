import { expect, test } from "vitest";
import type { CommandCall, Outcome, TimelineRow } from "../src/bindings/ipc";
import { binAt, highest, marks, spanOf, ticks } from "../src/features/audit/bins";
import { changed, chips, DECISIONS, isDecision } from "../src/features/audit/filter";
import { itemsOf, placeOf, stepFrom } from "../src/features/audit/items";
import { isWhole, lackWords } from "../src/features/audit/words";
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
  // Amber is for what is missing, and not for how far back a store is always asked.
  const none = { isCut: false, damaged: 0, unreadFiles: 0, why: null, stores: [] };
  expect([none, { ...none, isCut: true }, { ...none, damaged: 1 }, { ...none, unreadFiles: 1 }, { ...none, why: "x" }].map(isWhole)).toEqual([true, false, false, false, false]);
  const of = (over: object) => isWhole({ ...none, stores: [{ ...store, beforeUs: null, isPending: false, hasFailed: false, ...over }] });
  expect([of({}), of({ beforeUs: 1 }), of({ isPending: true }), of({ hasFailed: true })]).toEqual([true, false, false, false]);
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

const AT = Date.UTC(2026, 10, 29, 12) * 1000;
/** Newest first: each `[seconds ago, command, call, says, outcome]`. */
const told = (rows: readonly (readonly [number, string | null, string?, CommandCall?, Outcome?])[]) =>
  rows.map(([ago, id, call = "", says = "reads", outcome = "done"], n) => ({ id: `own:${n}`, atUs: AT - ago * 1e6, outcome, command: id === null ? null : { id, name: `kubectl ${id}`, call, says } }) as TimelineRow);
const shape = (rows: readonly TimelineRow[], opened: readonly string[] = []) =>
  itemsOf(rows, new Set(opened)).flatMap((item) => (item.kind === "day" ? [] : item.kind === "row" ? [`${item.of === null ? "" : " "}${item.at}`] : [`${item.command.id}×${item.command.calls}`]));

test("calls of one command read as one row, whatever lies between them, and it opens into them in their order", () => {
  const rows = told([[0, "get", "g2"], [1, null], [2, "apply", "p2"], [3, "get", "g1"], [4, "apply", "p1"], [5, "one", "o1"]]);
  expect(shape(rows)).toEqual(["get×2", "1", "apply×2", "5"]);
  expect(shape(rows, ["apply"])).toEqual(["get×2", "1", "apply×2", " 2", " 4", "5"]);
  // Oldest first, as on a session's page, it stands where its first call was made.
  expect(shape(rows.toReversed())).toEqual(["0", "apply×2", "get×2", "4"]);
});

test("a stream's beginning and end, and what both sides tell of one call, are no command of several calls", () => {
  expect(shape(told([[0, "exec", "x"], [60, "exec", "x"]]))).toEqual(["0", "1"]);
  expect(shape(told([[0, "exec", "x"], [1, "exec", "x"], [2, "exec", "y"]]))).toEqual(["exec×2"]);
});

test("what goes on after a long pause, or on another day, is told where it goes on", () => {
  expect(shape(told([[0, "watch", "d"], [100, "watch", "c"], [300, "watch", "b"], [400, "watch", "a"]]))).toEqual(["watch×2", "watch×2"]);
  const zone = process.env["TZ"];
  process.env["TZ"] = "UTC";
  try {
    const midnight = Date.UTC(2026, 10, 29) * 1000;
    const rows = told([[0, "get", "a"], [0, "get", "b"], [0, "get", "c"]]).map((row, n) => ({ ...row, atUs: midnight + [20, 10, -10][n]! * 1e6 }));
    expect(itemsOf(rows).map((item) => item.kind)).toEqual(["day", "command", "day", "row"]);
  } finally {
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  }
});

test("a command says what went wrong first, then what it changed, and of several the first", () => {
  const lead = (rows: TimelineRow[]) => itemsOf(rows).flatMap((item) => (item.kind === "command" ? [[item.command.lead, item.command.alike, item.command.acts]] : []))[0];
  expect(lead(told([[0, "c", "d", "asks"], [1, "c", "c", "reads"], [2, "c", "b", "reads"], [3, "c", "a", "asks"]]))).toEqual([2, 1, 0]);
  expect(lead(told([[0, "c", "d", "acts"], [1, "c", "c", "acts"], [2, "c", "b", "reads"], [3, "c", "a", "acts"]]))).toEqual([3, 2, 0]);
  expect(lead(told([[0, "c", "d", "acts"], [1, "c", "c", "asks", "refused"], [2, "c", "b", "acts"]])), "changes are not hidden behind a refusal").toEqual([1, 0, 2]);
});

test("what is chosen stays chosen as its command grows, is closed and is opened, and the keys pass days over", () => {
  const rows = told([[0, "get", "c"], [1, "get", "b"], [2, null]]);
  const grown = [...told([[-1, "get", "d"]]), ...rows];
  const at = (items: ReturnType<typeof itemsOf>, place: number, asCommand: boolean) => {
    const item = items[placeOf(items, place, asCommand)];
    return item?.kind === "row" ? item.at : item?.kind === "command" ? item.command.id : null;
  };
  expect(at(itemsOf(rows), 1, true)).toBe("get");
  expect(at(itemsOf(grown), 2, true), "the same row, one further down").toBe("get");
  expect(at(itemsOf(rows), 1, false), "closed, it is its command").toBe("get");
  expect(at(itemsOf(rows, new Set(["get"])), 1, false)).toBe(1);
  expect(at(itemsOf(rows, new Set(["get"])), 1, true)).toBe("get");
  expect([placeOf(itemsOf(rows), -1, false), placeOf(itemsOf(rows), 99, true)]).toEqual([-1, -1]);
  const items = itemsOf(rows);
  expect(stepFrom(items, -1, 1)?.kind).toBe("command");
  expect(stepFrom(items, 1, 1)).toEqual({ kind: "row", at: 2, of: null });
  expect(stepFrom(items, 2, 5)).toEqual({ kind: "row", at: 2, of: null });
  expect(stepFrom(items, 2, -1e9)?.kind).toBe("command");
  expect(stepFrom([], -1, 1)).toBe(null);
});

test("twenty thousand rows of a few commands are put together at once", () => {
  const rows = told(Array.from({ length: 20_000 }, (_, n) => [n / 100, n % 3 === 0 ? null : `c${n % 7}`, String(n)] as const));
  const began = performance.now();
  const items = itemsOf(rows);
  expect(performance.now() - began).toBeLessThan(5000);
  expect(items.filter((item) => item.kind === "command")).toHaveLength(7);
});
