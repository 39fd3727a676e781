import { expect, test } from "vitest";
import type { OfferView, RequestView } from "../src/bindings/ipc";
import { mayOf, wantsEnter } from "../src/features/requests/can";
import { heldBack, HOLD_MS, stamped } from "../src/features/requests/guard";
import { rowsOf, type Row } from "../src/features/requests/rows";
import { counts, inTab, tabOf } from "../src/features/requests/tabs";
import { badge, beforeText, leftText, waitingText, whyNot, yesesText } from "../src/features/requests/words";

const NOW = Date.UTC(2026, 10, 24, 14);
const MINUTE = 60_000;
const offer = (digest: string, over: Partial<OfferView> = {}): OfferView => ({ digest, rights: [], rules: 0, warnings: [], beside: [], adds: [], ...over });
const request = (id: string, over: Partial<RequestView> = {}): RequestView => ({
  id, team: "t", user: "oidc:lin", own: false, groups: [], acr: null, amr: [], mfaAt: null, cluster: "c", environment: "dev", environmentWord: "dev", profile: "debug",
  namespaces: [], durationSeconds: 3600, reason: "", askedAt: NOW - 6 * MINUTE, waitsUntil: NOW + MINUTE, phase: "pending", offer: offer("d1"), approvals: [], needed: 1,
  endsAt: null, message: null, ended: null, decide: "yes", mayRevoke: false, ...over,
});
const row = (id: string, over: Partial<RequestView> = {}, gone = false): Row => ({ id, request: request(id, over), gone });
const none = { seen: new Set<string>(), held: new Set<string>() };
const ids = (rows: readonly Row[]) => rows.map((one) => `${one.id}${one.gone ? "!" : ""}`).join(" ");

test("a tab shows what waits for this person, what is their own, or all", () => {
  const all = [request("a"), request("b", { decide: "noOffer" }), request("c", { decide: "own", own: true }), request("d", { decide: "notYours" }), request("e", { decide: "said" }), request("f", { decide: "over" })];
  expect(all.filter((r) => inTab(r, "forMe")).map((r) => r.id)).toEqual(["a", "b"]);
  expect(all.filter((r) => inTab(r, "mine")).map((r) => r.id)).toEqual(["c"]);
  expect(counts(all)).toEqual({ forMe: 2, mine: 1, team: 6 });
  expect(all.map(tabOf)).toEqual(["forMe", "forMe", "mine", "team", "team", "team"]);
});
test("what was looked at stays in its place, and what was decided on or is looked at stays when it is closed", () => {
  const at = (n: number) => ({ askedAt: NOW + n });
  const first = [request("a", at(1)), request("b", at(2)), request("c", at(3))];
  const before = rowsOf(first, [], "forMe", none);
  expect(ids(before)).toBe("a b c");
  const over = [request("a", { ...at(1), decide: "over" }), request("b", { ...at(2), decide: "over" }), request("c", at(3))];
  expect(ids(rowsOf(over, before, "forMe", none))).toBe("c");
  const seen = new Set(["a"]);
  const after = rowsOf(over, before, "forMe", { seen, held: new Set() });
  expect(ids(after)).toBe("a c");
  expect(ids(rowsOf(over.slice(1), after, "forMe", { seen, held: new Set() }))).toBe("c");
  const gone = rowsOf(over.slice(1), after, "forMe", { seen, held: new Set(["a"]) });
  expect(ids(gone)).toBe("a! c");
  expect(ids(rowsOf(over.slice(1), gone, "forMe", none)), "once shown as closed it stays until another tab is chosen").toBe("a! c");
});

test("p8_a key counts for a row that has stood as it stands for 700 ms, and for no other", () => {
  const come = stamped(null, [row("a"), row("b")], 1000);
  expect(heldBack(come, "a", 1000)).toEqual({ ms: HOLD_MS, why: "opened" });
  expect(heldBack(come, "a", 1000 + HOLD_MS - 1)).toEqual({ ms: 1, why: "opened" });
  expect(heldBack(come, "a", 1000 + HOLD_MS)).toBe(null);
  expect(heldBack(come, "not there", 1e9)?.why).toBe("appeared");
  const same = stamped(come, [row("a", { approvals: [{ by: "x", at: 1, counts: true }] }), row("b")], 5000);
  expect(heldBack(same, "a", 5000), "another yes changes nothing of what a key means").toBe(null);
  const next = stamped(same, [row("new"), row("a"), row("b", { offer: offer("d2") })], 6000);
  expect(["new", "a", "b"].map((id) => heldBack(next, id, 6100)?.why)).toEqual(["appeared", "moved", "changed"]);
  expect(["new", "a", "b"].map((id) => heldBack(next, id, 6700))).toEqual([null, null, null]);
});
test("p8_whatever a key would mean is part of how a row stands", () => {
  for (const over of [{ offer: null }, { phase: "approved" }, { decide: "said" }, { ended: "denied" }, { mayRevoke: true }] as Partial<RequestView>[]) {
    const stamps = stamped(stamped(null, [row("a")], 0), [row("a", over)], 5000);
    expect(heldBack(stamps, "a", 5001)?.why, JSON.stringify(over)).toBe("changed");
  }
  expect(heldBack(stamped(stamped(null, [row("a")], 0), [row("a", {}, true)], 5000), "a", 5001)?.why).toBe("changed");
});

test("what may be said: no yes without an offer, none to one's own, none twice, nothing while something is under way", () => {
  const may = (over: Partial<RequestView>, ...more: [Parameters<typeof mayOf>[1]?, boolean?]) => Object.entries(mayOf(row("a", over), more[0] ?? null, more[1] ?? false)).filter(([, can]) => can).map(([kind]) => kind).join(" ");
  expect(may({})).toBe("approve deny");
  expect(may({ decide: "noOffer", offer: null })).toBe("deny");
  for (const decide of ["own", "notYours", "said", "over"] as const) expect(may({ decide })).toBe("");
  expect(may({ decide: "over", phase: "active", mayRevoke: true })).toBe("revoke");
  expect(may({ decide: "over", phase: "approved", mayRevoke: true })).toBe("revoke");
  expect(may({ decide: "over", phase: "active", mayRevoke: true, ended: "revoked" })).toBe("");
  expect(may({}, null, true)).toBe("");
  const yes = { kind: "approve", offer: "d1", at: 0 } as const;
  expect(may({}, yes), "the hub has this yes already").toBe("");
  expect(may({ offer: offer("d2") }, yes), "another offer asks for another yes").toBe("approve deny");
  expect(may({}, { kind: "deny", offer: "d1", at: 0 })).toBe("");
  expect(mayOf(row("a", {}, true), null, false).approve).toBe(false);
  expect(mayOf(null, null, false).approve).toBe(false);
});
test("production, what is of no known environment, and warnings want Enter", () => {
  expect(wantsEnter(request("a"))).toBe(false);
  expect(wantsEnter(request("a", { environment: "prod", environmentWord: "live" }))).toBe(true);
  expect(wantsEnter(request("a", { environment: "other", environmentWord: "" }))).toBe(true);
  expect(wantsEnter(request("a", { offer: offer("d1", { warnings: ["w"] }) }))).toBe(true);
});

test("badges say how it stands, from the end backwards", () => {
  const said = (over: Partial<RequestView>, gone = false) => badge(row("a", over, gone), NOW).text;
  const yes = [{ by: "x", at: 1, counts: true }, { by: "y", at: 1, counts: false }];
  expect(said({})).toBe("yours to decide");
  expect(said({ approvals: yes, needed: 2 })).toBe("yours, 1 of 2 said yes");
  expect(said({ decide: "notYours" })).toBe("not yours");
  expect(said({ decide: "notYours", approvals: yes, needed: 2 })).toBe("1 of 2 said yes");
  expect(said({ decide: "own", own: true })).toBe("your own");
  expect(said({ decide: "said", approvals: yes, needed: null })).toBe("you said yes, 1");
  expect(said({ decide: "noOffer" })).toBe("no offer yet");
  expect(said({ phase: "approved", decide: "over" })).toBe("being granted");
  expect(said({ phase: "active", decide: "over", endsAt: NOW + 41.5 * MINUTE })).toBe("open, ends in 41 min");
  expect(said({ phase: "active", decide: "over", endsAt: NOW - 1 })).toBe("time is up");
  expect(said({ phase: "active", ended: "revoked by lead" })).toBe("revoked by lead");
  expect(said({ phase: "active" }, true)).toBe("closed");
  const failed = (code: "forbidden" | "unreachable") => badge(row("a"), NOW, { kind: "approve", error: { code } });
  expect(failed("forbidden")).toEqual({ text: "not approved", tone: "danger" });
  expect(failed("unreachable").text, "whether the hub took it is not known").toBe("no answer");
});
test("times and counts in words", () => {
  expect(waitingText(request("a"), NOW)).toBe("waiting 6 min");
  expect(waitingText(request("a", { askedAt: NOW - 1000 }), NOW)).toBe("asked just now");
  expect(waitingText(request("a", { phase: "active" }), NOW)).toBe("asked 6 min ago");
  expect([leftText(NOW + 30_000, NOW), leftText(NOW + 90 * MINUTE, NOW)]).toEqual(["under a minute", "1 h"]);
  expect(yesesText(request("a", { needed: 2 }))).toBe("0 of 2");
  expect(whyNot(row("a"))).toBe(null);
  expect(whyNot(row("a", { decide: "own" }))).toContain("Nobody decides on their own");
  expect(whyNot(row("a", { decide: "notYours" }))).toContain("Your groups may not approve this profile");
});
test("what somebody did before says no more than was counted", () => {
  const before = { opened: 11, neverOpened: 2, lastAt: NOW - 9 * 24 * 60 * MINUTE, lastEnded: "the requester left", more: false };
  expect(beforeText(before, "debug", NOW)).toBe("11 sessions under debug, 2 asked for and never opened; the last asked for 9 d ago: the requester left");
  expect(beforeText({ ...before, more: true, neverOpened: 0, lastAt: null }, "debug", NOW)).toBe("at least 11 sessions under debug");
  expect(beforeText({ ...before, opened: 0, neverOpened: 0, lastAt: null }, "debug", NOW)).toBe("nothing under debug, as far as the hub keeps it");
});
