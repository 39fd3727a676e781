// How the end of what somebody ended is told, and where it is shown.
import { expect, test } from "vitest";
import type { ClosingState, RequestView } from "../src/bindings/ipc";
import { mayOf } from "../src/features/requests/can";
import { boundText, closingText, endingsOf, sumText } from "../src/features/requests/closing";
import { rowsOf } from "../src/features/requests/rows";
import { badge } from "../src/features/requests/words";

const NOW = Date.UTC(2026, 10, 30, 12);
const request = (id: string, state: ClosingState | null, over: Partial<RequestView> = {}): RequestView => ({
  id, team: "t", user: "oidc:dana", own: false, groups: [], acr: null, amr: [], mfaAt: null, cluster: "eu", environment: "dev", environmentWord: "dev", profile: "debug",
  namespaces: [], durationSeconds: 3600, reason: "", askedAt: NOW, waitsUntil: NOW, phase: "active", offer: null, approvals: [], autoApproval: null, reaffirm: null, recording: null, given: null, needed: 1,
  endsAt: NOW, message: null, ended: state && "revoked by oidc:lee", decide: "over", mayDeny: false, mayRevoke: false,
  closing: state && { state, said: null, seenAt: null, refusedFrom: NOW + 75_000, keptSince: null }, ...over,
});
const closingOf = (state: ClosingState, over: Partial<NonNullable<RequestView["closing"]>>) => request("r", state, { closing: { state, said: null, seenAt: null, refusedFrom: NOW + 75_000, keptSince: null, ...over } });

test("p13_nothing but the broker's word reads as proven", () => {
  const said = (state: ClosingState, gone: boolean) => badge({ id: "r", request: request("r", state), gone }, NOW).text;
  expect([said("told", false), said("hindered", false), said("unreached", false), said("proven", true), said("unproven", true)])
    .toEqual(["revoked by oidc:lee", "not gone yet", "not reached", "closed, proven", "closed, not proven"]);
  expect(said("told", true), "what became of it is looked for").toBe("revoked by oidc:lee");
  for (const state of ["told", "hindered", "unreached", "unproven"] as const) expect(closingText(request("r", state), NOW)).not.toMatch(/seen that nothing is left/);
});

test("p10_the bound is said wherever it is not proven, and none where there were no rights", () => {
  for (const state of ["told", "hindered", "unreached", "unproven"] as const) expect(boundText(request("r", state), NOW)).toMatch(/refuses its token from .* on/);
  expect(boundText(request("r", "proven"), NOW)).toBeNull();
  expect(boundText(closingOf("told", { refusedFrom: NOW + 61_000 }), NOW), "not as an earlier one").toBe(boundText(closingOf("told", { refusedFrom: NOW + 120_000 }), NOW));
  expect(boundText(request("r", "unproven"), NOW + 75_000)).toMatch(/refuses its token since/);
  expect(boundText(closingOf("unreached", { refusedFrom: null }), NOW)).toMatch(/no rights/);
  expect(closingText(closingOf("unreached", {}), NOW)).toMatch(/was not heard, so nobody removes it/);
  expect(closingText(closingOf("unreached", { seenAt: NOW - 60_000, said: "RoleBinding a" }), NOW)).toMatch(/was last heard at .*It had said that this is left: RoleBinding a/);
});

test("p10_an end that the hub has not heard is said to be none, with the bound, and can be said again or dropped", () => {
  for (const [state, words] of [["untold", "not told yet"], ["refused", "not ended"]] as const) {
    const one = request("r", state, { ended: null, mayRevoke: true, closing: { state, said: "it can’t be reached", seenAt: null, refusedFrom: NOW + 75_000, keptSince: NOW - 60_000 } });
    const row = { id: "r", request: one, gone: false };
    expect(badge(row, NOW)).toEqual({ text: words, tone: "danger" });
    const said = closingText(one, NOW) ?? "";
    expect(said).toMatch(/^You said at .* to end it, and the hub .*: it can’t be reached\. The session goes on\b/);
    expect(said.includes("as soon as it can hear"), "a no is not told again").toBe(state === "untold");
    expect(said).not.toMatch(/being closed|hub has the word|removed/);
    expect(boundText(one, NOW)).toMatch(/refuses its token from .* on/);
    const may = mayOf(row, null, false);
    expect([may.revoke, may.drop]).toEqual([true, true]);
    expect(mayOf(row, null, true).drop, "one is on its way").toBe(false);
  }
  for (const state of [null, "told", "hindered", "unreached"] as const) expect(mayOf({ id: "r", request: request("r", state), gone: false }, null, false).drop).toBe(false);
});

test("what this person ended stays in the list, and one that is open again is not shown twice", () => {
  const none = { seen: new Set<string>(), held: new Set<string>() };
  const [open, closed] = [[request("a", null)], [request("b", "proven"), request("a", "unproven")]];
  const rows = rowsOf(open, [], "team", none, closed);
  expect(rows.map(({ id, gone }) => `${id}${gone ? "!" : ""}`)).toEqual(["a", "b!"]);
  expect(rowsOf(open, [], "forMe", none, closed), "it is nobody's to decide").toEqual([]);
  // It was in front as it was told of; what became of it takes its place.
  const before = rowsOf([request("b", "told")], [], "team", none);
  const after = rowsOf([], before, "team", { ...none, held: new Set(["b"]) }, [request("b", "proven")]);
  expect(after.map(({ request: { closing }, gone }) => [closing?.state, gone])).toEqual([["proven", true]]);
});

test("under a hold stands what it ends, what needs a look first", () => {
  const view = {
    requests: [request("a", "told"), request("u", "untold"), request("b", "unreached"), request("waits", "told", { phase: "pending" }), request("fine", null), request("mo", "told", { user: "oidc:mo", cluster: "us" })],
    closed: [request("c", "proven"), request("d", "unproven")],
  };
  const ids = (on: "user" | "cluster" | "everything", name: string) => endingsOf(view, { on, name }).map(({ id }) => id).join(" ");
  expect(ids("user", "oidc:dana")).toBe("u d b a c");
  expect(ids("cluster", "us")).toBe("mo");
  expect(ids("everything", "")).toBe("u d b a mo c");
  expect(sumText(endingsOf(view, { on: "everything", name: "" }))).toBe("1 not told yet · 1 closed, not proven · 1 not reached · 2 being closed · 1 closed, proven");
  expect(endingsOf(null, { on: "everything", name: "" })).toEqual([]);
});
