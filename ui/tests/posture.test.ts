import { expect, test } from "vitest";
import type { ErrorView, ExceptionView, FindingLine, PostureCell, PostureCluster, PostureView, SessionView, TrendPoint, Weakness } from "../src/bindings/ipc";
import { AREAS, badness, cellSentence, cellText, covered, moved, ordered } from "../src/features/posture/grid";
import { linesOf, textOf } from "../src/features/posture/fixing.svelte";
import { ALL, exceptionsOf, findingsOf, tally, weaknessesOf } from "../src/features/posture/list";
import { scoped } from "../src/features/posture/scope";
import { changed, changeOf, clusterOf, exists, findingOf, keyOf, ofKey, rowOf, weaknessWith, type Selected } from "../src/features/posture/select";
import { changeText, lineOf } from "../src/features/posture/trend";
import { dateOf, endOfDay, lastDay, practiceCounts, runPart, runText, scanSentence, scanText, untilProblem } from "../src/features/posture/words";
import { ends, ofTheirOwn } from "../src/features/sessions/extension";
import { openOn } from "../src/features/clusters/ways";

const DAY = 86_400_000;
const NOW = new Date(2026, 10, 29, 12).getTime();
const ERROR: ErrorView = { code: "failed", message: "", hint: null, retry: true, stepUp: null };
const cell = (over: Partial<PostureCell> = {}): PostureCell => ({ verdict: "pass", worst: null, count: 0, unknown: 0, excepted: 0, ...over });
const cluster = (name: string, over: Partial<PostureCluster> = {}): PostureCluster => ({ name, environment: "prod", environmentWord: "prod", scan: { kind: "none" }, scannedAt: NOW, version: null, coverage: 100, cells: AREAS.map(() => cell()), ...over });
const weakness = (id: string, over: Partial<Weakness> = {}): Weakness => ({ id, check: "RB-07", area: "rights", title: "t", verdict: "fail", severity: "high", about: "a", places: [{ cluster: "a", finding: `f-${id}` }], more: 0, isExcepted: false, ...over });
const line = (id: string, over: Partial<FindingLine> = {}): FindingLine => ({ id, check: "RB-07", area: "rights", severity: "high", said: "s", origin: "own", isInert: false, excepted: null, isNew: false, ...over });

test("p21_what nobody knows is never said as pass, and a cell says the worst with its number", () => {
  expect(cellText(cell())).toEqual({ text: "pass", tone: "pass" });
  expect(cellText(cell({ verdict: "unknown", unknown: 3 }))).toEqual({ text: "unknown", tone: "unknown" });
  expect(cellText(cell({ verdict: "provider" })).text).toBe("provider");
  expect(cellText(cell({ verdict: "notApplicable" })).text).toBe("n/a");
  expect(cellText(cell({ verdict: "fail", worst: "critical", count: 12 }))).toEqual({ text: "12 critical", tone: "critical" });
  // What somebody answers for is no pass either.
  expect(cellText(cell({ excepted: 2 }))).toEqual({ text: "2 excepted", tone: "excepted" });
  expect(cellText(cell({ verdict: "fail", excepted: 1 })).text).toBe("1 excepted");
});

test("a cell as a sentence tells what it has no room for", () => {
  expect(cellSentence("rights", cell({ verdict: "fail", worst: "high", count: 4, unknown: 1, excepted: 2 }))).toBe("RBAC: 4 high, 1 check is unknown, 2 excepted");
  expect(cellSentence("reach", cell({ excepted: 2 }))).toBe("TLS & reach: 2 excepted");
});

test("the worst of a column come first: found before unknown before fine, and equal ones keep their order", () => {
  const of = (name: string, over: Partial<PostureCell>) => cluster(name, { cells: [cell(over), ...AREAS.slice(1).map(() => cell())] });
  const all = [of("pass", {}), of("unknown", { verdict: "unknown" }), of("low", { verdict: "fail", worst: "low", count: 900 }), of("two", { verdict: "fail", worst: "critical", count: 2 }), of("nine", { verdict: "fail", worst: "critical", count: 9 }), of("pass too", {}), cluster("never", { cells: [] })];
  expect(ordered(all, "", "reach").map(({ name }) => name)).toEqual(["nine", "two", "low", "unknown", "never", "pass", "pass too"]);
  expect(ordered(all, "", "name")).toBe(all);
  expect(badness(undefined)).toBeGreaterThan(badness(cell()));
});

test("the worst clusters come first by their worst cell, then by all; and the oldest scans by their day, never first", () => {
  const of = (name: string, ...cells: Partial<PostureCell>[]) => cluster(name, { cells: AREAS.map((_, i) => cell(cells[i])) });
  const high = { verdict: "fail", worst: "high", count: 1 } as const;
  const all = [of("fine"), of("high", high), of("highs", high, high), of("critical", {}, { verdict: "fail", worst: "critical", count: 1 }), cluster("never", { cells: [], scannedAt: null }), of("unknown", { verdict: "unknown" })];
  expect(ordered(all, "", "worst").map(({ name }) => name)).toEqual(["critical", "highs", "high", "unknown", "never", "fine"]);
  const days = [cluster("new"), cluster("old", { scannedAt: NOW - DAY }), cluster("never", { scannedAt: null })];
  expect(ordered(days, "", "scanned").map(({ name }) => name)).toEqual(["never", "old", "new"]);
});

test("clusters are found by every word, of their name or environment", () => {
  const all = [cluster("payments-eu-1"), cluster("payments-dev-2", { environment: "dev", environmentWord: "dev" })];
  expect(ordered(all, " prod PAY ", "name").map(({ name }) => name)).toEqual(["payments-eu-1"]);
  expect(ordered(all, "payments zz", "name")).toEqual([]);
});

test("the arrows go over the cells and never out of the grid", () => {
  const rows = ["a", "b", "c"].map((name) => cluster(name));
  const at = (cluster: string, column: number) => ({ cluster, column });
  expect(moved(rows, at("a", 1), "ArrowDown")).toEqual(at("b", 1));
  expect(moved(rows, at("c", 8), "ArrowDown")).toEqual(at("c", 8));
  expect(moved(rows, at("a", 0), "ArrowLeft")).toEqual(at("a", 0));
  expect(moved(rows, at("a", 8), "ArrowRight")).toEqual(at("a", 8));
  expect(moved(rows, at("b", 4), "Home")).toEqual(at("b", 0));
  expect(moved(rows, at("b", 4), "End")).toEqual(at("b", 8));
  expect(moved(rows, at("b", 4), "Ctrl+End")).toEqual(at("c", 8));
  expect(moved(rows, at("b", 4), "PageUp")).toEqual(at("a", 4));
  // The row one was on is not shown any more.
  expect(moved(rows, at("gone", 3), "ArrowDown")).toEqual(at("a", 3));
  expect(moved(rows, null, "ArrowDown")).toEqual(at("a", 0));
  expect(moved(rows, at("a", 1), "x")).toBe(null);
  expect(moved([], null, "ArrowDown")).toBe(null);
});

test("coverage is of what was scanned, and is not rounded up", () => {
  expect(covered([cluster("a", { coverage: 100 }), cluster("b", { coverage: 99 }), cluster("c", { scannedAt: null, coverage: 0 })])).toEqual({ scanned: 2, coverage: 99 });
  expect(covered([])).toEqual({ scanned: 0, coverage: 0 });
});

test("which clusters a scan is for: those under way are left alone", () => {
  const all = [cluster("a"), cluster("b", { scannedAt: NOW - 8 * DAY, environment: "dev" }), cluster("c", { scannedAt: null }), cluster("d", { scan: { kind: "waiting" }, scannedAt: null }), cluster("e", { scan: { kind: "failed", error: ERROR } })];
  expect(scoped("shown", all, all.slice(0, 2), null, NOW)).toEqual(["a", "b"]);
  expect(scoped("prod", all, [], null, NOW)).toEqual(["a", "c", "e"]);
  expect(scoped("week", all, [], null, NOW)).toEqual(["b", "c"]);
  expect(scoped("selected", all, [], "c", NOW)).toEqual(["c"]);
  expect(scoped("rest", [...all, cluster("f", { scan: { kind: "cancelled" } }), cluster("g", { scan: { kind: "unproven", session: "s", error: null } }), cluster("h", { scan: { kind: "unproven", session: "s", error: ERROR } })], [], null, NOW)).toEqual(["e", "f", "h"]);
  expect(scoped("selected", all, [], "d", NOW)).toEqual([]);
  expect(scoped("selected", all, [], null, NOW)).toEqual([]);
});

test("weaknesses are found by title, check, cluster, severity and area, and the excepted only when asked for", () => {
  const all = [weakness("1", { title: "Anonymous reads /metrics", area: "reach", places: [{ cluster: "search-ap-1", finding: "" }] }), weakness("2", { severity: "low", isExcepted: true })];
  const ids = (over: object) => weaknessesOf(all, { ...ALL, ...over }).map(({ id }) => id);
  expect(ids({})).toEqual(["1"]);
  expect(ids({ excepted: true })).toEqual(["1", "2"]);
  expect(ids({ query: "anonymous search-ap" })).toEqual(["1"]);
  expect(ids({ query: "tls" })).toEqual(["1"]);
  expect(ids({ area: "rights", excepted: true })).toEqual(["2"]);
  expect(ids({ severities: new Set(["low"]), excepted: true })).toEqual(["2"]);
  expect(ids({ severities: new Set(["critical"]) })).toEqual([]);
});

test("what comes with Kubernetes or a vendor is folded away and not hidden", () => {
  const all = [line("own"), line("default-1", { origin: "default" }), line("vendor", { origin: "vendor" }), line("default-2", { origin: "default" }), line("new", { isNew: true })];
  const rows = (unfolded: string[], over = {}) => findingsOf(all, { ...ALL, ...over }, new Set(unfolded)).map((row) => (row.kind === "fold" ? `${row.id} ${row.count}` : row.id));
  expect(rows([])).toEqual(["own", "new", "vendor 1", "default 2"]);
  expect(rows(["default"])).toEqual(["own", "new", "vendor 1", "default 2", "default-1", "default-2"]);
  expect(rows([], { onlyNew: true })).toEqual(["new"]);
  expect(tally(all).get("high")).toBe(5);
});

test("what is selected is there as long as the view tells of it, and leads to its finding", () => {
  const drift = [{ cluster: "a", since: 0, way: "wider", text: "t" }];
  const view = { clusters: [cluster("a")], practices: [], weaknesses: [weakness("1"), weakness("cloud", { verdict: "provider", places: [{ cluster: "a", finding: "" }] })], drift, exceptions: [] } as unknown as PostureView;
  expect(exists(view, { kind: "weakness", id: "1", cluster: null })).toBe(true);
  expect(exists(view, { kind: "weakness", id: "gone", cluster: null })).toBe(false);
  expect(exists(view, { kind: "cluster", cluster: "b", area: null })).toBe(false);
  expect(exists(view, { kind: "change", cluster: "a", way: "wider", text: "t" })).toBe(true);
  expect(exists(view, { kind: "change", cluster: "a", way: "narrower", text: "t" })).toBe(false);
  expect(findingOf(view, { kind: "weakness", id: "1", cluster: null })).toEqual({ cluster: "a", finding: "f-1" });
  expect(findingOf(view, { kind: "weakness", id: "cloud", cluster: null })).toBe(null);
  expect(clusterOf(view, { kind: "change", cluster: "a", way: "wider", text: "t" })).toBe("a");
  expect(clusterOf(view, { kind: "practice", number: 1 })).toBe(null);
  expect(weaknessWith(view, { cluster: "a", finding: "f-1" })?.id).toBe("1");
  expect(weaknessWith(view, { cluster: "b", finding: "f-1" })).toBe(null);
  const [row, finding] = [{ kind: "weakness", id: "1", cluster: "a" }, { kind: "finding", cluster: "a", finding: "f-1" }] as const;
  expect(rowOf(view, "a", row), "the list of its cluster has it as a finding").toEqual(finding);
  expect(rowOf(view, "b", row)).toEqual(row);
  expect(rowOf(view, "", finding), "the list of all has it as a weakness").toEqual(row);
  expect(rowOf(view, "", { ...finding, finding: "f-2" })).toEqual({ ...finding, finding: "f-2" });
  expect(rowOf(view, "a", { kind: "weakness", id: "cloud", cluster: null })).toEqual({ kind: "weakness", id: "cloud", cluster: null });
  const odd = { cluster: 'a","b', finding: "[1]\u202e" };
  expect(ofKey(keyOf(odd))).toEqual(odd);
});

test("what is selected stays the same one when a scan puts others before it", () => {
  const places = (...names: string[]) => names.map((cluster) => ({ cluster, finding: `f-${cluster}` }));
  const line = (text: string) => ({ cluster: "a", since: 0, way: "wider" as const, text });
  const view = (names: string[], texts: string[]) => ({ weaknesses: [weakness("1", { places: places(...names) })], drift: texts.map(line) }) as unknown as PostureView;
  const one = { kind: "weakness", id: "1", cluster: "b" } as const;
  expect(findingOf(view(["b", "c"], []), one)?.cluster).toBe("b");
  expect(findingOf(view(["a", "b", "c"], []), one)?.cluster).toBe("b");
  expect(findingOf(view(["a", "c"], []), one)?.cluster, "fixed there: the first that has it").toBe("a");
  const change = changed(line("old")) as Extract<Selected, { kind: "change" }>;
  expect(changeOf(view([], ["old"]), change)).toBe(0);
  expect(changeOf(view([], ["new", "old"]), change)).toBe(1);
  expect(changeOf(view([], ["new"]), change)).toBe(-1);
});

test("exceptions that want something come first", () => {
  const one = (id: string, over: Partial<ExceptionView>) => ({ id, isExpired: false, matches: 1, until: NOW, ...over }) as ExceptionView;
  const all = [one("late", { until: NOW + DAY }), one("soon", {}), one("unused", { matches: 0 }), one("over", { isExpired: true, matches: 0 })];
  expect(exceptionsOf(all).map(({ id }) => id)).toEqual(["over", "unused", "soon", "late"]);
});

test("how far a scan is, in words", () => {
  expect(scanText({ kind: "none" }, null, NOW).text).toBe("never");
  expect(scanText({ kind: "none" }, NOW - 2 * DAY, NOW).text).toBe("2 d");
  expect(scanText({ kind: "reading", session: "s", done: 12, total: 40 }, null, NOW).text).toBe("reading 12/40");
  expect(scanText({ kind: "unproven", session: "s", error: null }, NOW, NOW)).toEqual({ text: "not proven", tone: "wait" });
  expect(scanSentence({ kind: "unproven", session: "s", error: null })).toMatch(/what was read is kept/);
  expect(scanSentence({ kind: "unproven", session: "s", error: ERROR })).toMatch(/nothing new is kept/);
  const run = { begunAt: 0, total: 4, done: 1, failed: 1, cancelled: 0, isOver: false };
  expect(runText(run)).toBe("Scanning: 1 of 4 clusters done · 1 failed");
  expect(runText({ ...run, cancelled: 2, isOver: true })).toBe("Scanned: 1 of 4 clusters done · 1 failed · 2 cancelled");
  expect(runPart(run)).toBe(50);
  expect(runPart({ ...run, total: 0 })).toBe(100);
  expect(practiceCounts({ number: 1, name: "", verdict: "fail", evidence: [], gap: null, next: null, kept: 3, broken: 1, unknown: 0 })).toBe("3 kept · 1 not");
});

test("an exception ends within a year, and not in the past", () => {
  expect(untilProblem(endOfDay("2026-12-24"), NOW)).toBe(null);
  expect(untilProblem(endOfDay(dateOf(NOW)), NOW), "today still").toBe(null);
  expect(untilProblem(endOfDay("2026-11-28"), NOW)).toMatch(/over already/);
  expect(untilProblem(endOfDay("2027-11-30"), NOW)).toMatch(/within a year/);
  for (const wrong of ["", "soon", "2026-1-1", "24.12.2026"]) expect(untilProblem(endOfDay(wrong), NOW), wrong).toMatch(/Choose the day/);
  expect(dateOf(endOfDay("2027-02-03"))).toBe("2027-02-03");
  expect(lastDay(endOfDay("2027-02-03")), "in any time zone").toBe("3 Feb 2027");
});

test("a fix is copied with its line ends, and its lines are told apart", () => {
  expect(textOf(["a:", "  b"])).toBe("a:\n  b");
  const kinds = (text: string) => linesOf(text).map(({ kind }) => kind);
  expect(kinds("--- a\n+++ b\n# x\n - apiGroups: [a]\n+  resourceNames: [b]\n-- verbs: [c]\n")).toEqual(["same", "same", "note", "same", "add", "cut"]);
  expect(kinds("kind: Role\nrules:\n- verbs: [get]\n")).toEqual(["same", "same", "same"]);
  expect(kinds("- a\n- b"), "a list is no difference").toEqual(["same", "same"]);
});

test("a trend is a line within its box, and its ends are said", () => {
  const point = (at: number, high: number): TrendPoint => ({ at, clusters: 1, coverage: 50, critical: 1, high, medium: 0, low: 0 });
  expect(lineOf([0, 10, 99], 10, 100, 20)).toBe("M0.0 20.0L50.0 0.0L100.0 0.0");
  expect(lineOf([5], 10, 100, 20)).toBe("M0.0 10.0L100.0 10.0");
  expect(lineOf([0, 0], 0, 10, 10)).toBe("M0.0 10.0L10.0 10.0");
  const day = () => "1 Jan";
  expect(changeText([point(0, 4), point(1, 1)], day)).toBe("2 critical and high, 3 fewer than on 1 Jan");
  expect(changeText([point(0, 1), point(1, 1)], day)).toBe("2 critical and high, as many as on 1 Jan");
  expect(changeText([point(0, 1), point(1, 3)], day)).toBe("4 critical and high, 2 more than on 1 Jan");
  expect(changeText([point(0, 1)], day)).toBe("2 critical and high");
  expect(changeText([], day)).toBe("");
});

test("what a scan opened is no session of a person's, and only an end that is not shown is shown where one signs in", () => {
  const one = (over: Partial<SessionView>) => ({ id: "a", extends: null, isScan: false, cluster: "a", state: "open", openedAt: 1, proof: [], ...over }) as SessionView;
  const scan = one({ id: "b", cluster: "b", isScan: true });
  expect(ofTheirOwn([one({}), scan]).map(({ id }) => id)).toEqual(["a"]);
  expect([...openOn([one({}), scan]).keys()]).toEqual(["a"]);
  const unproven = { ...scan, state: "closed", proof: [{ kind: "tokenRefused", state: "unproven", ms: 1, detail: "" }] } as SessionView;
  const proven = { ...scan, state: "closed", proof: [{ kind: "rightsGone", state: "done", ms: 1, detail: "" }, { kind: "tokenRefused", state: "done", ms: 1, detail: "" }] } as SessionView;
  const notOpened = { ...scan, state: "closed", openedAt: null } as SessionView;
  expect(ends([one({}), scan, unproven, proven, notOpened, { ...scan, id: "c", state: "closing" }]).map(({ id, state }) => `${id} ${state}`)).toEqual(["a open", "b closed", "c closing"]);
});
