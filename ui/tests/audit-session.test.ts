import { expect, test, vi } from "vitest";
import type { SessionEvidence, TimelineRow } from "../src/bindings/ipc";
import { at } from "./window";

const { host } = await at(() => import("../src/host"));
const { chain, currentOf, rowsOf } = await import("../src/features/audit/chain.svelte");

const AT = 1_700_000_000_000;
const row = (id: string, seconds: number, word = "call") => ({ id, atUs: (AT + seconds * 1000) * 1000, side: id.startsWith("own") ? "own" : "cluster", word, tie: null, command: null, entry: null }) as unknown as TimelineRow;

test("a chain and its calls are one list, each row once, and steps that a page of calls brings along stand in it once", () => {
  const of = { chain: [row("own:1", 0, "ask"), row("call:7", 5, "create"), row("call:9", 60, "delete")] };
  const calls = [row("own:1", 0, "ask"), row("own:2", 10), row("call:8", 20, "get"), row("call:9", 60, "delete")];
  expect(rowsOf(of, calls).map(({ id }) => id)).toEqual(["own:1", "call:7", "own:2", "call:8", "call:9"]);
  expect(rowsOf(null, [])).toEqual([]);
});

test("the call of a moment is the last before it, and neither a step nor what was made for the session is one", () => {
  const rows = [row("own:1", 0, "ask"), row("call:7", 5, "create"), row("own:2", 10), row("own:3", 20, "stream_start"), row("own:4", 30, "stream_end"), row("own:5", 40, "leave")];
  const made = new Set(["call:7"]);
  const of = (seconds: number) => currentOf(rows, AT + seconds * 1000, made);
  expect([of(-1), of(6), of(10), of(15), of(25), of(99)]).toEqual([-1, -1, 2, 2, 3, 3]);
});

test("a row that is chosen seeks what is watched, a moment that is shown leads to its call, and nothing is opened unasked", async () => {
  const asked: string[] = [];
  const view = { session: "s", terminal: "t", beganAt: AT, endedAt: AT + 100_000, problem: null, segments: [] };
  const calls = [row("own:2", 10), row("own:3", 50)];
  vi.spyOn(host, "call").mockImplementation((async (name: string) => {
    asked.push(name);
    if (name === "recordings_list") return [view];
    if (name === "recording_open") return view;
    if (name === "audit_calls") return { rows: calls.toReversed(), next: null, lacks: { stores: [] } };
    throw new Error(name);
  }) as typeof host.call);
  const settled = async (is: () => boolean) => { while (!is()) await Promise.resolve(); };
  const of = { request: "r", session: "s", fromUs: AT * 1000, isOver: true, chain: [row("own:1", 0, "ask")] } as unknown as SessionEvidence;
  chain.begin(of, null);
  await settled(() => !chain.calls.loading && chain.watching.all !== null);
  expect(chain.rows.map(({ id }) => id)).toEqual(["own:1", "own:2", "own:3"]);
  chain.choose("own:2");
  expect([asked.includes("recording_open"), chain.watching.at]).toEqual([false, null]);
  await chain.watch();
  expect(chain.watching.at).toEqual({ ms: AT + 10_000 });
  chain.choose("own:3");
  expect(chain.watching.at).toEqual({ ms: AT + 50_000 });
  // It plays on from elsewhere: the list follows, and what was chosen stays chosen until it is asked for.
  chain.clocked(AT + 12_000, false);
  const shown = chain.items[chain.inView];
  expect([shown?.kind === "row" && chain.rows[shown.at]?.id, chain.chosen?.id]).toEqual(["own:2", "own:3"]);
  chain.toCall();
  expect(chain.chosen?.id).toBe("own:2");
  // The same session, put together anew: nothing is lost of what is looked at.
  chain.begin({ ...of }, null);
  expect([chain.chosen?.id, chain.watching.shown !== null, asked.filter((name) => name === "recording_open").length]).toEqual(["own:2", true, 1]);
  chain.begin({ ...of, request: "other", session: null }, null);
  expect([chain.chosen, chain.watching.shown, chain.now]).toEqual([null, null, null]);
  chain.forget();
});
