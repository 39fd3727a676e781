import { beforeEach, expect, test, vi } from "vitest";
import type { LacksView, StoreLacks, TimelineFilter, TimelinePage, TimelineRow } from "../src/bindings/ipc";
import { at } from "./window";

const { host } = await at(() => import("../src/host"));
const { timeline } = await import("../src/features/audit/timeline.svelte");
const { look } = await import("../src/features/audit/look.svelte");

const NOTHING: LacksView = { isCut: false, damaged: 0, unreadFiles: 0, why: null, stores: [] };

/** A timeline of `size` rows, a second apart, newest first: what there is of it, and what was asked. */
function kept(size: number) {
  const row = (n: number) => ({ id: `call:${n}`, atUs: n * 1_000_000, side: "cluster", cluster: n % 2 ? "b" : "a", who: "", tie: null, entry: null }) as unknown as TimelineRow;
  const of = { size, asked: [] as string[], fails: null as unknown, lacks: NOTHING as LacksView, has: (_n: number): boolean => true };
  vi.spyOn(host, "call").mockImplementation((async (name: string, args: { filter: TimelineFilter; before: string | null; limit: number }) => {
    of.asked.push(name);
    await Promise.resolve();
    if (name !== "audit_timeline") return null;
    if (of.fails) throw of.fails;
    const { filter, before, limit } = args;
    const rows: TimelineRow[] = [];
    let n = before === null ? of.size : Number(before) - 1;
    for (; n > 0 && rows.length < limit; n--) {
      const one = row(n);
      if (of.has(n) && (filter.toUs === undefined || one.atUs < filter.toUs) && (filter.fromUs === undefined || one.atUs >= filter.fromUs) && (!filter.cluster || filter.cluster === one.cluster)) rows.push(one);
    }
    return { rows, next: n > 0 ? (rows.at(-1)?.id.slice(5) ?? null) : null, lacks: of.lacks, ownTotal: 0, clusterTotal: of.size } satisfies TimelinePage;
  }) as typeof host.call);
  return of;
}

/** That nothing is missing between the rows on screen. */
function together() {
  const ids = timeline.rows.map((row) => Number(row.id.slice(5)));
  expect(ids).toEqual(Array.from(ids, (_, i) => (ids[0] as number) - i));
}
const turns = async () => {
  for (let i = 0; i < 100; i++) await Promise.resolve();
};

beforeEach(() => {
  vi.restoreAllMocks();
  look.forget();
  timeline.live = false;
  timeline.forget();
});

test("a live timeline that is as long as it may be lets go of its end alone", async () => {
  const of = kept(25_000);
  await timeline.load();
  for (let pages = 0; pages < 200; pages++) await timeline.more();
  expect(timeline.rows).toHaveLength(20_000);
  timeline.live = true;
  for (const more of [100, 1, 700, 0, 499]) {
    of.size += more;
    timeline.grew();
    await turns();
    expect(timeline.rows[0]?.id).toBe(`call:${of.size}`);
    for (let pages = 0; pages < 5; pages++) await timeline.more();
    expect(timeline.rows.length).toBeLessThanOrEqual(20_000);
    together();
  }
});

test("a long look on live keeps its end where it can go on", async () => {
  const of = kept(10_000);
  await timeline.load();
  timeline.live = true;
  for (let times = 0; times < 120; times++) {
    of.size += 300;
    timeline.grew();
    await turns();
  }
  expect(timeline.rows.length).toBeLessThanOrEqual(20_000);
  for (let pages = 0; pages < 5; pages++) await timeline.more();
  together();
});

test("a row that is looked at stays, also where more comes between two looks than a page has", async () => {
  const of = kept(3_000);
  await timeline.load();
  timeline.live = true;
  look.choose("call:2990");
  // More than stay while one looks on, too.
  for (const more of [1_200, 501, 2_400, 2_900]) {
    of.size += more;
    timeline.grew();
    await turns();
    expect(timeline.rows[0]?.id).toBe(`call:${of.size}`);
    expect(look.row?.id, `after ${more} more`).toBe("call:2990");
    together();
  }
  await timeline.more();
  together();
  // What no few pages reach begins anew, without a hole.
  of.size += 10_000;
  timeline.grew();
  await turns();
  expect(timeline.rows[0]?.id).toBe(`call:${of.size}`);
  await timeline.more();
  together();
});

test("while one looks on, rows are let go that nobody went down to, and go on where they end", async () => {
  const of = kept(10_000);
  await timeline.load();
  timeline.live = true;
  for (let times = 0; times < 40; times++) {
    of.size += 300;
    timeline.grew();
    await turns();
  }
  expect(timeline.rows.length).toBeLessThanOrEqual(2_000);
  expect(timeline.rows.length).toBeGreaterThan(1_500);
  for (let pages = 0; pages < 20; pages++) await timeline.more();
  together();
  const { length } = timeline.rows;
  expect(length).toBeGreaterThan(5_000);
  of.size += 1_000;
  timeline.grew();
  await turns();
  expect(timeline.rows.length, "what somebody went down to stays").toBeGreaterThan(length - 500);
  together();
});

test("a look that fails is said, one that is taken back is not, and a good one takes the words away", async () => {
  const of = kept(300);
  await timeline.load();
  const error = { code: "failed", message: "The archive is in use", hint: null, details: null };
  of.fails = error;
  timeline.grew();
  await turns();
  expect(timeline.error?.message).toBe("The archive is in use");
  expect(timeline.rows).toHaveLength(200);
  of.fails = null;
  timeline.grew();
  await turns();
  expect(timeline.error).toBeNull();
  of.fails = { ...error, code: "cancelled" };
  timeline.grew();
  await turns();
  await timeline.more();
  expect(timeline.error).toBeNull();
});

test("a call that was found is shown, however many came right after it", async () => {
  const of = kept(5000);
  const found = { id: "call:2000", atUs: 2_000_000_000, cluster: "a", sentence: "", who: "" };
  await look.find(found);
  expect(look.row?.id).toBe("call:2000");
  expect(timeline.rows[0]?.id, "what led to it is below it").toBe("call:2000");
  expect(of.asked.filter((name) => name === "audit_timeline")).toHaveLength(1);
  // Asked for once more, with the filter as it is.
  look.choose(null);
  await look.find(found);
  expect(look.row?.id).toBe("call:2000");
});

const lacking = (over: Partial<StoreLacks>): LacksView => ({ ...NOTHING, stores: [{ store: "logs.example", why: "it can't be reached", beforeUs: null, isPending: false, hasFailed: false, ...over }] });
const PENDING = lacking({ why: "has not answered yet", isPending: true });

test("what a log store has that was away and is back is put among all rows, and not on top alone", async () => {
  const of = kept(3_000);
  of.lacks = lacking({ hasFailed: true });
  await timeline.load();
  for (let pages = 0; pages < 3; pages++) await timeline.more();
  expect(timeline.lacking.isAway).toBe(true);
  timeline.grew();
  await turns();
  expect(timeline.rows).toHaveLength(800);
  // It answers, but not in time: it is no less away.
  of.lacks = PENDING;
  timeline.grew();
  await turns();
  const before = timeline.rows;
  [of.lacks, of.asked] = [NOTHING, []];
  timeline.grew();
  await turns();
  expect(timeline.lacking.isAway).toBe(false);
  // The pages behind the first one were made without it: each is asked for again, and none is taken from whoever reads it.
  expect(of.asked.filter((name) => name === "audit_timeline")).toHaveLength(3);
  expect(timeline.rows).toHaveLength(800);
  expect(before.some((row) => timeline.rows.includes(row))).toBe(false);
  await timeline.more();
  expect(timeline.rows).toHaveLength(1000);
  together();
});

test("while a log store has not answered, a history that grows takes no older row away, and older ones are asked for", async () => {
  const of = kept(3_000);
  of.lacks = PENDING;
  await timeline.load();
  await timeline.more();
  for (const told of [false, false, true]) {
    of.size += 1;
    timeline.grew(told);
    expect(timeline.loading, "whoever scrolls may go on").toBe(false);
    await turns();
    expect(timeline.rows[0]?.id).toBe(`call:${of.size}`);
  }
  // All of them were asked for anew, down to the oldest on screen.
  expect(timeline.rows).toHaveLength(602);
  timeline.grew();
  await timeline.more();
  await turns();
  expect(timeline.rows).toHaveLength(802);
  expect(timeline.lacking.all).toEqual(PENDING);
  together();
});

test("what a log store or a cluster's log tells late is put among all rows that are on screen, however they were read", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    const of = kept(3_000);
    of.has = (n) => n % 3 === 0;
    await timeline.load();
    for (let pages = 0; pages < 2; pages++) await timeline.more();
    const oldest = timeline.rows.at(-1)?.atUs as number;
    expect(timeline.rows).toHaveLength(600);
    // It answers at once, so that no page ever lacked it.
    of.has = () => true;
    timeline.grew(true);
    await turns();
    expect(timeline.rows.at(-1)?.atUs, "nothing that was on screen is taken away").toBeLessThanOrEqual(oldest);
    together();
    // Told of again and again, all is read anew a part of the time only, and what is on top at once.
    of.asked = [];
    const clock = vi.spyOn(performance, "now");
    let now = performance.now();
    clock.mockImplementation(() => (now += 5));
    timeline.grew(true);
    await turns();
    const whole = of.asked.filter((name) => name === "audit_timeline").length;
    expect(whole).toBeGreaterThan(1);
    of.asked = [];
    of.size += 1;
    timeline.grew(true);
    await turns();
    expect(of.asked.filter((name) => name === "audit_timeline")).toHaveLength(1);
    expect(timeline.rows[0]?.id).toBe(`call:${of.size}`);
    of.asked = [];
    now += 60_000;
    await vi.runAllTimersAsync();
    await turns();
    expect(of.asked.filter((name) => name === "audit_timeline").length, "what was put off is made up for").toBe(whole);
    together();
  } finally {
    vi.useRealTimers();
  }
});

test("what an older page lacks stays said, and is asked for again once its store may have more to say", async () => {
  const of = kept(3_000);
  await timeline.load();
  of.lacks = PENDING;
  await timeline.more();
  of.lacks = NOTHING;
  timeline.grew();
  await turns();
  expect(timeline.lacking.all.stores).toEqual(PENDING.stores);
  timeline.grew(true);
  await turns();
  expect([timeline.rows.length, timeline.lacking.all.stores]).toEqual([400, []]);
});

test("a page that lacks what a store had that was away is asked for again, as long as it lacks that", async () => {
  let lacks = lacking({ hasFailed: true });
  let asked = 0;
  vi.spyOn(host, "call").mockImplementation((async () => {
    asked += 1;
    await Promise.resolve();
    return { request: "a-request", lacks };
  }) as typeof host.call);
  look.open({ kind: "session", request: "a-request" });
  await turns();
  // What else came to be known is no word of that store: page and store would ask each other in a circle.
  look.grew();
  expect([asked, look.isAway]).toEqual([1, true]);
  lacks = NOTHING;
  look.ifBack();
  await turns();
  expect([asked, look.isAway]).toEqual([2, false]);
  look.ifBack();
  expect(asked).toBe(2);
});

test("a call that was found in a log store is shown, whatever its look calls it", async () => {
  kept(50);
  await look.find({ id: "look:7.9@30000000", atUs: 30_000_000, cluster: "a", sentence: undefined as unknown as string, who: "" });
  expect(look.row?.id).toBe("call:30");
});
