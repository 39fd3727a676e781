import { expect, test } from "vitest";
import type { AppState, Event, SessionView } from "../src/bindings/ipc";
import { first, fold, NOTHING, type Told } from "../src/desktop/fold";

const state = (version: string) => ({ version }) as AppState;
const session = (id: string, over: Partial<SessionView> = {}) => ({ id, state: "open", endsInMs: null, ...over }) as SessionView;

function* orders<T>(of: readonly T[]): Generator<T[]> {
  if (of.length === 0) yield [];
  for (let i = 0; i < of.length; i++) for (const rest of orders([...of.slice(0, i), ...of.slice(i + 1)])) yield [of[i] as T, ...rest];
}
const all = (events: readonly Event[], from: Told = NOTHING) => events.reduce((told, event) => fold(told, event, 0), from);

test("events of different things may come in any order", () => {
  const events: Event[] = [
    { kind: "state", state: state("1") },
    { kind: "session", session: session("a") },
    { kind: "session", session: session("b") },
    { kind: "sessionGone", id: "c" },
    { kind: "clustersChanged" },
    { kind: "historyGrew", position: { sequence: 9 } },
  ];
  for (const order of orders(events)) {
    const told = all(order);
    expect(told.state).toEqual(state("1"));
    expect(told.sessions.map((s) => s.id).sort()).toEqual(["a", "b"]);
    expect(told.changes).toEqual({ clustersChanged: 1, historyGrew: 1 });
  }
});

test("of the same thing the last word counts", () => {
  const told = all([
    { kind: "session", session: session("a", { state: "opening" }) },
    { kind: "session", session: session("b") },
    { kind: "session", session: session("a", { state: "closed" }) },
    { kind: "state", state: state("1") },
    { kind: "state", state: state("2") },
  ]);
  expect(told.sessions.map((s) => [s.id, s.state])).toEqual([["a", "closed"], ["b", "open"]]);
  expect(told.state).toEqual(state("2"));
  expect(all([{ kind: "sessionGone", id: "a" }], told).sessions.map((s) => s.id)).toEqual(["b"]);
});

test("the first answers never undo what an event said while they were under way", () => {
  const events: Event[] = [
    { kind: "state", state: state("newer") },
    { kind: "session", session: session("a", { state: "closing" }) },
    { kind: "sessionGone", id: "b" },
    { kind: "session", session: session("new") },
  ];
  const answer = [session("a", { state: "open" }), session("b"), session("c")];
  for (const order of orders(events)) {
    for (let at = 0; at <= order.length; at++) {
      const told = all(order.slice(at), first(all(order.slice(0, at)), state("older"), answer, 0));
      expect(told.state).toEqual(state("newer"));
      expect(Object.fromEntries(told.sessions.map((s) => [s.id, s.state]))).toEqual({ a: "closing", c: "open", new: "open" });
      expect(told.sessions.map((s) => s.id).filter((id) => id !== "new")).toEqual(["a", "c"]);
    }
  }
});

test("an end that jitters stays where it was, one that moves is taken over", () => {
  const at = (now: number, endsInMs: number | null, from: Told) => fold(from, { kind: "session", session: session("a", { endsInMs }) }, now);
  const begun = at(0, 60_000, NOTHING);
  expect(begun.deadlines.get("a")).toBe(60_000);
  expect(at(1000, 60_400, begun).deadlines).toBe(begun.deadlines);
  expect(at(1000, 90_000, begun).deadlines.get("a")).toBe(91_000);
  expect(at(1000, null, begun).deadlines.get("a")).toBe(60_000);
  expect(fold(begun, { kind: "sessionGone", id: "a" }, 0).deadlines.size).toBe(0);
  expect(first(NOTHING, state("1"), [session("a", { endsInMs: 5 })], 10).deadlines.get("a")).toBe(15);
});

test("what is said once changes nothing that is known", () => {
  const told = all([{ kind: "session", session: session("a") }]);
  expect(all([{ kind: "quitAsked" }, { kind: "notice", notice: { level: "info", text: "", session: null } }], told)).toBe(told);
});
