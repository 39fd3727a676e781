import { expect, test } from "vitest";
import type { EndReason, SessionView } from "../src/bindings/ipc";
import { neighbour, news, warnIn } from "../src/features/sessions/news";

const session = (state: SessionView["state"], reason?: EndReason, by: string | null = null) =>
  ({ id: "1", extends: null, isScan: false, cluster: "a", state, ended: reason ? { reason, by, message: null, at: 0 } : null }) as SessionView;

test("an opening that goes on elsewhere says that it is through", () => {
  expect(news(session("opening"), session("open"), false)?.text).toBe("a is open.");
  expect(news(session("opening"), session("open"), true)).toBe(null);
  expect(news(undefined, session("open"), false)).toBe(null);
  expect(news(session("open"), session("open"), false)).toBe(null);
});
test("an end that the person did not make is said, looking or not", () => {
  for (const looking of [true, false]) {
    expect(news(session("open"), session("closing", "revoked", "lead"), looking)).toEqual({ level: "danger", text: "Your session on a was revoked by lead.", session: "1" });
    expect(news(session("open"), session("closing", "expired"), looking)?.text).toBe("Your session on a is over: its time was up.");
    expect(news(session("open"), session("closed", "failed"), looking)?.text).toBe("Your session on a ended.");
    expect(news(session("open"), session("closing", "left"), looking)).toBe(null);
  }
});
test("five minutes before the end, but not for less", () => {
  expect(warnIn(900_000)).toBe(600_000);
  expect(warnIn(300_000)).toBe(null);
});
test("what is gone gives its place to its neighbour", () => {
  const all = ["a", "b", "c"].map((id) => ({ id }) as SessionView);
  const after = (gone: string) => neighbour(all, gone, all.filter((s) => s.id !== gone))?.id ?? null;
  expect([after("a"), after("b"), after("c")]).toEqual(["b", "c", "b"]);
  expect(neighbour(all.slice(0, 1), "a", [])).toBe(null);
});
