import { beforeEach, expect, test, vi } from "vitest";
import type { TimelineFilter, TimelineRow } from "../src/bindings/ipc";
import { at } from "./window";

const { host } = await at(() => import("../src/host"));
const { Calls } = await import("../src/features/recording/calls.svelte");
const { replay } = await import("../src/features/recording/replay.svelte");

const BEGAN = 1_700_000_000_000;
const HOURS = 8 * 3600_000;
const view = { session: "s", terminal: "t", cluster: "c", user: "u", shell: "bash", input: false, sealed: true, beganAt: BEGAN, endedAt: BEGAN + HOURS, cutOff: false, segments: [], problem: null };

/** A history whose entries are at `moments`, Unix milliseconds in their order; as the host answers: newest first, before `to`. */
function kept(moments: readonly number[]) {
  const of = { asked: 0, fails: null as unknown };
  vi.spyOn(host, "call").mockImplementation((async (name: string, args: { filter: TimelineFilter; before: string | null; limit: number }) => {
    await Promise.resolve();
    if (name === "recordings_list") return [view];
    if (name === "recording_open") return view;
    if (name !== "audit_calls") throw new Error(name);
    of.asked += 1;
    if (of.fails) throw of.fails;
    const { filter, before, limit } = args;
    const fit: TimelineRow[] = [];
    let next: string | null = null;
    for (let n = Math.min(before === null ? Infinity : Number(before), moments.length + 1) - 1; n > 0; n--) {
      const us = (moments[n - 1] as number) * 1000;
      if ((filter.fromUs !== undefined && us < filter.fromUs) || (filter.toUs !== undefined && us >= filter.toUs)) continue;
      if (fit.length === limit) {
        next = String(number(fit.at(-1)));
        break;
      }
      fit.push({ id: `own:${n}`, atUs: us, side: "own", word: "call", tie: null } as TimelineRow);
    }
    return { rows: fit, next, lacks: { stores: [] } };
  }) as typeof host.call);
  return of;
}
const settled = async (calls: { loading: boolean }) => {
  while (calls.loading) await Promise.resolve();
};
const number = (row: TimelineRow | undefined) => Number(row?.id.slice("own:".length));
const sequences = (calls: { rows: readonly TimelineRow[] }) => calls.rows.map(number);
function together(calls: { rows: readonly TimelineRow[] }) {
  const found = sequences(calls);
  expect(found).toEqual(found.map((_, i) => (found[0] as number) + i));
}

beforeEach(() => {
  vi.restoreAllMocks();
  replay.close();
});

test("a long session's calls are listed around what is shown, and what is not listed is said", async () => {
  // Two a second for eight hours.
  const all = Array.from({ length: HOURS / 500 }, (_, i) => BEGAN + i * 500);
  kept(all);
  await replay.watch("s");
  const { calls } = replay;
  await settled(calls);
  expect(sequences(calls)[0]).toBe(1);
  expect([calls.earlier, calls.later]).toEqual([false, true]);
  expect(calls.rows.length).toBeGreaterThan(50);
  together(calls);
  calls.follow(BEGAN + HOURS / 2, false);
  await settled(calls);
  const middle = all.length / 2;
  expect(sequences(calls)).toContain(middle);
  expect(sequences(calls)).toContain(middle + 50);
  expect([calls.earlier, calls.later]).toEqual([true, true]);
  together(calls);
  calls.follow(BEGAN + HOURS, false);
  await settled(calls);
  expect(sequences(calls).at(-1)).toBe(all.length);
  expect([calls.earlier, calls.later]).toEqual([true, false]);
});

test("as it plays every call comes by, and few questions are asked", async () => {
  const all: number[] = [];
  // Quiet, and bursts.
  for (let ms = 0; ms < 600_000; ms += 1000) for (let i = 0; i < (ms % 60_000 === 0 ? 90 : 3); i++) all.push(BEGAN + ms + i);
  const of = kept(all);
  const calls = new Calls();
  calls.begin({ session: "s" });
  await calls.around(BEGAN);
  const seen = new Set(sequences(calls));
  let most = 0;
  for (let ms = 0; ms <= 601_000; ms += 33) {
    calls.follow(BEGAN + ms, false);
    if (calls.loading) {
      await settled(calls);
      together(calls);
      most = Math.max(most, calls.rows.length);
      for (const one of sequences(calls)) seen.add(one);
    }
  }
  expect(seen.size).toBe(all.length);
  expect(of.asked).toBeLessThan(200);
  expect(most).toBeLessThanOrEqual(1000);
});

test("more than a page of one millisecond is listed whole", async () => {
  kept([...Array.from({ length: 1300 }, () => BEGAN), BEGAN + 1000]);
  const calls = new Calls();
  calls.begin({ session: "s" });
  await calls.around(BEGAN - 1);
  expect(sequences(calls)).toHaveLength(1300);
  together(calls);
  expect(calls.later).toBe(true);
});

test("back at the first one that is listed, the ones before it are asked for", async () => {
  kept(Array.from({ length: 2000 }, (_, i) => BEGAN + i * 1000));
  const calls = new Calls();
  calls.begin({ session: "s" });
  await calls.around(BEGAN + 1_999_000);
  const first = calls.rows[0] as TimelineRow;
  expect(number(first)).toBe(1501);
  calls.follow(first.atUs / 1000, false);
  await settled(calls);
  expect(sequences(calls)[0]).toBe(1002);
  together(calls);
});

test("where calls can't be read the recording is shown all the same, and that is said", async () => {
  const of = kept([BEGAN]);
  of.fails = { code: "failed", message: "The history can't be read", hint: null, details: null };
  await replay.watch("s");
  await settled(replay.calls);
  expect(replay.shown).toEqual(view);
  expect([replay.error, replay.calls.error?.message]).toEqual([null, "The history can't be read"]);
  const asked = of.asked;
  for (let i = 1; i < 50; i++) replay.calls.follow(BEGAN + i * 33, false);
  expect(of.asked, "not with every frame").toBe(asked);
  of.fails = null;
  await replay.calls.around(BEGAN);
  expect([replay.calls.error, replay.calls.rows.length]).toEqual([null, 1]);
});

test("of a call that both sides tell of, and that lies where two answers meet, one row is left", async () => {
  kept([BEGAN]);
  const row = (id: string, ms: number, call?: string) => ({ id, atUs: ms * 1000, side: id.startsWith("own") ? "own" : "cluster", word: "call", tie: call ? { call } : null }) as TimelineRow;
  const own = row("own:1", BEGAN);
  const told = row("call:1@2", BEGAN + 3);
  vi.spyOn(host, "call").mockImplementation((async (_: string, { filter }: { filter: TimelineFilter }) => {
    const rows = [told, own].filter(({ atUs }) => (filter.fromUs ?? 0) <= atUs && atUs < (filter.toUs ?? Infinity));
    // As the host pairs them, where both are on a page.
    return { rows: rows.length === 2 ? [row("own:1", BEGAN, told.id)] : rows, next: null, lacks: { stores: [] } };
  }) as typeof host.call);
  const calls = new Calls();
  calls.begin({ session: "s" });
  await calls.around(BEGAN);
  expect(calls.rows).toEqual([row("own:1", BEGAN, told.id)]);
  // Where the answers lie over each other only one of the two rows is in both.
  await calls.around(BEGAN + 2001);
  expect(calls.rows.map(({ id }) => id)).toEqual(["own:1"]);
});
