import { beforeEach, expect, test, vi } from "vitest";
import type { AuditEntryView, TimelineRow } from "../src/bindings/ipc";

type Call = (name: string, args: Record<string, unknown>) => Promise<unknown>;
const { answers } = vi.hoisted(() => ({ answers: { call: null as Call | null } }));
vi.mock("../src/host", () => ({
  host: { call: (name: string, args: Record<string, unknown>) => answers.call?.(name, args) ?? Promise.reject(new Error(name)) },
  asError: (thrown: unknown) => ({ code: "failed", message: String(thrown), hint: null, retry: null }),
}));
const { entriesOf } = await import("../src/features/recording/replay.svelte");
const { timeline } = await import("../src/features/audit/timeline.svelte");

const nothing = { isCut: false, damaged: 0, unreadFiles: 0, why: null };
const row = (n: number) => ({ id: String(n), atUs: n }) as TimelineRow;
/** Rows from the newest on, `before` one of them. */
const page = (newest: number, limit: number) => {
  const rows = Array.from({ length: Math.min(limit, newest + 1) }, (_, i) => row(newest - i));
  const last = newest - rows.length;
  return { rows, next: last < 0 ? null : String(last), ownTotal: 0, clusterTotal: 0, lacks: nothing };
};

beforeEach(() => {
  timeline.forget();
  answers.call = null;
});

test("all entries of a session are listed, and of too many it is said that there are earlier ones", async () => {
  const of = (count: number): Call => (_, { before, limit }) => {
    const from = (before as number | null) ?? count;
    const entries = Array.from({ length: Math.min(limit as number, from) }, (_, i) => ({ sequence: from - i }) as AuditEntryView);
    const next = from - entries.length;
    return Promise.resolve({ entries, next: next > 0 ? next : null, total: count });
  };
  answers.call = of(1234);
  const some = await entriesOf("s");
  expect([some.entries.length, some.entries[0]?.sequence, some.entries.at(-1)?.sequence, some.hasEarlier]).toEqual([1234, 1, 1234, false]);
  answers.call = of(20_000);
  const many = await entriesOf("s");
  expect([many.hasEarlier, many.entries.at(-1)?.sequence]).toEqual([true, 20_000]);
});

test("rows that were let go are no hole: what is behind them is not put in their place", async () => {
  let newest = 40_000;
  answers.call = (name, { before, limit }) =>
    Promise.resolve(name === "audit_timeline" ? page(before === null ? newest : Number(before), limit as number) : null);
  await timeline.load();
  while (timeline.rows.length < 20_000) await timeline.more();
  newest += 150;
  await timeline.refresh();
  for (let n = 0; n < 5; n++) await timeline.more();
  const ids = timeline.rows.map((one) => Number(one.id));
  expect(ids.every((id, at) => at === 0 || id === (ids[at - 1] ?? 0) - 1)).toBe(true);
  expect(ids[0]).toBe(newest);
});
