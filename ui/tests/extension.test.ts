import { expect, test } from "vitest";
import type { ErrorView, Proof, SessionView } from "../src/bindings/ipc";
import { askingText, canExtend, extensionOf, isPart, ofTheirOwn } from "../src/features/sessions/extension";
import { news } from "../src/features/sessions/news";

const one = (over: Partial<SessionView>) => ({ id: "a", extends: null, isScan: false, cluster: "a", state: "open", durationSeconds: 900, proof: [], error: null, ended: null, waitingFor: null, ...over }) as SessionView;
const of = (over: Partial<SessionView>) => one({ id: "b", extends: "a", ...over });
const line = (kind: Proof["kind"], state: Proof["state"]) => ({ kind, state, ms: 1, detail: "" }) as Proof;
const proven = [line("rightsGone", "done"), line("tokenRefused", "done")];
const unproven = [line("rightsGone", "done"), line("tokenRefused", "unproven")];
const ended = (reason: "left" | "denied" | "unanswered" | "failed", message: string | null = null) => ({ reason, by: reason === "denied" ? "lee" : null, message, at: 0 });

test("as long again is offered where it ends later by a minute, while it is open", () => {
  expect(canExtend(one({}), 839_999)).toBe(true);
  expect(canExtend(one({}), 840_000)).toBe(false);
  expect(canExtend(one({}), 0)).toBe(false);
  expect(canExtend(one({ state: "closing" }), 1000)).toBe(false);
});

test("p13_an extension is part of its session until it is proven closed, and what is not proven stands alone", () => {
  const open = one({});
  for (const part of [of({ state: "opening" }), of({ state: "closing" }), of({ state: "closed", proof: proven })]) {
    expect(isPart(part, [open, part])).toBe(true);
    expect(ofTheirOwn([open, part])).toEqual([open]);
  }
  expect(isPart(of({ state: "closed", proof: unproven }), [open])).toBe(false);
  expect(isPart(of({ state: "closing" }), [one({ state: "closed" })]), "its session is over").toBe(false);
  expect(isPart(of({ state: "closing" }), []), "it is gone").toBe(false);
  const closed = of({ state: "closed", proof: proven });
  expect(ofTheirOwn([one({ state: "closed" }), closed]), "its session was ended meanwhile").toEqual([one({ state: "closed" })]);
  expect(isPart(closed, []), "and put away").toBe(true);
});

test("what is waited for is said, and only while it is", () => {
  const asking = of({ state: "opening", waitingFor: "waiting for 1 approval under operate" });
  expect(extensionOf(one({}), [asking])).toBe(asking);
  expect(extensionOf(one({}), [of({ state: "closing" })])).toBe(null);
  expect(askingText(asking)).toBe("more time: waiting for 1 approval under operate");
  expect(askingText(of({ state: "opening" }))).toBe("asking for more time");
  expect(askingText(of({ error: { code: "stepUpNeeded" } as ErrorView }))).toBe("more time needs a stronger sign-in");
});

test("how it came out is told of the session that a person knows", () => {
  const opening = of({ state: "opening" });
  expect(news(opening, of({ state: "closing", ended: ended("left") }), true)).toEqual({ level: "info", text: "a stays open for longer.", session: "a" });
  expect(news(opening, of({ state: "closing", ended: ended("denied", "enough") }), true)?.text).toBe("More time on a was denied by lee: enough.");
  expect(news(opening, of({ state: "closing", ended: ended("unanswered", "x") }), true)?.text).toBe("More time on a was answered by nobody.");
  expect(news(opening, of({ state: "closing", ended: ended("failed"), error: { message: "the hub is away" } as ErrorView }), true)?.text).toBe("More time on a was not given: the hub is away.");
  expect(news(opening, of({ state: "closing", ended: ended("left"), error: { message: "the opening was cancelled" } as ErrorView }), true), "taken back by the person").toBe(null);
  expect(news(of({ state: "closing", ended: ended("left") }), of({ state: "closed", ended: ended("left") }), true)).toBe(null);
});
