import { beforeEach, expect, test, vi } from "vitest";
import type { LacksView, TimelineFilter, TimelinePage, TimelineRow } from "../src/bindings/ipc";
import { at } from "./window";

const { host } = await at(() => import("../src/host"));
const { timeline } = await import("../src/features/audit/timeline.svelte");
const { look } = await import("../src/features/audit/look.svelte");

const NOTHING: LacksView = { isCut: false, damaged: 0, unreadFiles: 0, why: null, stores: [] };

/** A timeline of `size` rows, a second apart, newest first: what there is of it, and what was asked. */
function kept(size: number) {
  const row = (n: number) => ({ id: `call:${n}`, atUs: n * 1_000_000, side: "cluster", cluster: n % 2 ? "b" : "a", who: "", tie: null, entry: null }) as unknown as TimelineRow;
  const of = { size, asked: [] as string[], fails: null as unknown, lacks: NOTHING as LacksView };
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
      if ((filter.toUs === undefined || one.atUs < filter.toUs) && (filter.fromUs === undefined || one.atUs >= filter.fromUs) && (!filter.cluster || filter.cluster === one.cluster)) rows.push(one);
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
  for (let i = 0; i < 20; i++) await Promise.resolve();
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

test("what a log store has that was away and is back is put among all rows, and not on top alone", async () => {
  const of = kept(3_000);
  of.lacks = { ...NOTHING, stores: [{ store: "logs.example", why: "it can't be reached", beforeUs: null, isPending: false, hasFailed: true }] };
  await timeline.load();
  for (let pages = 0; pages < 3; pages++) await timeline.more();
  expect(timeline.isAway).toBe(true);
  timeline.grew();
  await turns();
  expect(timeline.rows).toHaveLength(800);
  // It answers, but not in time: it is no less away.
  of.lacks = { ...NOTHING, stores: [{ store: "logs.example", why: "has not answered yet", beforeUs: null, isPending: true, hasFailed: false }] };
  timeline.grew();
  await turns();
  of.lacks = NOTHING;
  timeline.grew();
  await turns();
  expect(timeline.isAway).toBe(false);
  // The pages behind the first one were made without it.
  expect(timeline.rows).toHaveLength(200);
  await timeline.more();
  together();
});

test("a call that was found in a log store is shown, whatever its look calls it", async () => {
  kept(50);
  await look.find({ id: "look:7.9@30000000", atUs: 30_000_000, cluster: "a", sentence: undefined as unknown as string, who: "" });
  expect(look.row?.id).toBe("call:30");
});
