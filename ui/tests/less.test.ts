import { expect, test } from "vitest";
import type { RequestView, Right } from "../src/bindings/ipc";
import { givenText, lessOf, limitsText, rightIn, shorter, termsOf, termsText } from "../src/features/requests/less";

const MINUTE = 60;
const two = { namespaces: ["checkout", "payments"], seconds: 120 * MINUTE };
const all = { seconds: null, ticked: ["checkout", "payments"], names: "" };
const problem = (...args: Parameters<typeof lessOf>) => { const less = lessOf(...args); return "problem" in less ? less.problem : null; };

test("lengths are at least a quarter of an hour and never as long as asked", () => {
  expect(shorter(120 * MINUTE).map((s) => s / MINUTE)).toEqual([15, 30, 60]);
  expect(shorter(24 * 60 * MINUTE).map((s) => s / MINUTE)).toEqual([15, 30, 60, 120, 240, 480]);
  expect(shorter(15 * MINUTE)).toEqual([]);
});
test("p8_what is sent takes off what was chosen and nothing else", () => {
  expect(lessOf(two, { ...all, seconds: 30 * MINUTE, ticked: ["payments"] })).toEqual({ given: { namespaces: ["payments"], seconds: 1800 }, limits: { durationSeconds: 1800, namespaces: ["payments"] } });
  expect(lessOf(two, { ...all, ticked: ["payments"] })).toEqual({ given: { namespaces: ["payments"], seconds: 7200 }, limits: { durationSeconds: null, namespaces: ["payments"] } });
  expect(lessOf(two, { ...all, seconds: 900 })).toEqual({ given: { ...two, seconds: 900 }, limits: { durationSeconds: 900, namespaces: null } });
  // What others took off meanwhile leaves less than what was chosen: that is no limit any more.
  expect(problem({ ...two, seconds: 900 }, { ...all, seconds: 3600 })).toContain("Nothing is taken off yet");
});
test("nothing at all, nothing taken off and names that are none can't be sent, and it is said why", () => {
  expect(problem(two, { ...all, ticked: [] })).toContain("No namespace is left");
  expect(problem(two, { ...all, ticked: ["elsewhere"] })).toContain("No namespace is left");
  expect(problem(two, all)).toContain("Nothing is taken off yet");
  const wide = { namespaces: [], seconds: 7200 };
  expect(problem(wide, { ...all, ticked: [] })).toContain("Nothing is taken off yet");
  expect(lessOf(wide, { ...all, names: " payments,  cart\npayments ," })).toEqual({ given: { namespaces: ["payments", "cart"], seconds: 7200 }, limits: { durationSeconds: null, namespaces: ["payments", "cart"] } });
  for (const name of ["Payments", "-a", "a-", "a.b", "a_b", "a".repeat(64), "caf\u00e9", "*"]) expect(problem(wide, { ...all, names: `ok ${name}` }), name).toContain(`\u201c${name}\u201d is no name of a namespace`);
  expect(problem(wide, { ...all, names: "a".repeat(63) })).toBe(null);
});
test("what is given is told beside what was asked for", () => {
  const request = (over: Partial<RequestView>) => ({ namespaces: ["checkout", "payments"], durationSeconds: 7200, given: null, phase: "pending", ended: null, ...over }) as RequestView;
  const given = { namespaces: ["payments"], durationSeconds: 1800 };
  expect(termsText(termsOf(request({})))).toBe("checkout + payments, 2 h");
  expect(termsText({ namespaces: [], seconds: 900 })).toBe("cluster-wide, 15 min");
  expect(termsText({ namespaces: Array.from({ length: 40 }, (_, i) => `n${i}`), seconds: 900 })).toBe("n0 + n1 + n2 + n3 + n4 + n5 and 34 more, 15 min");
  expect(givenText(request({}))).toBe(null);
  expect(givenText(request({ given }))).toBe("so far: payments, 30 min");
  expect(givenText(request({ given, phase: "active" }))).toBe("payments, 30 min");
  expect(limitsText({ durationSeconds: 1800, namespaces: ["payments"] })).toBe("for 30 min at most, in payments only");
  expect(limitsText({ durationSeconds: null, namespaces: ["a", "b"] })).toBe("in a + b only");
});
test("once something was taken off, rights are shown where they are given and nowhere else", () => {
  const right = (namespaces: string[]) => ({ title: "Read logs", detail: "get pods/log", namespaces, writes: false }) as Right;
  const given = { namespaces: ["cart", "payments"], seconds: 1800 };
  expect(rightIn(right(["checkout", "payments"]), given)?.namespaces).toEqual(["payments"]);
  expect(rightIn(right([]), given)?.namespaces).toEqual(["cart", "payments"]);
  expect(rightIn(right(["checkout"]), given)).toBe(null);
  expect(rightIn(right(["checkout"]), { namespaces: [], seconds: 900 })?.namespaces).toEqual(["checkout"]);
});
