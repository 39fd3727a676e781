import { expect, test } from "vitest";
import { timeText } from "../src/shared/time";
import type { OfferView, RequestView } from "../src/bindings/ipc";
import { openAlready } from "../src/features/requests/already";
import { mayOf, wantsEnter } from "../src/features/requests/can";
import { heldBack, HOLD_MS, stamped } from "../src/features/requests/guard";
import { rowsOf, type Row } from "../src/features/requests/rows";
import { counts, inTab, tabOf, waitsForMe } from "../src/features/requests/tabs";
import { askableText, badge, beforeText, besideText, waitingText, whyNot, yesesText } from "../src/features/requests/words";
import { leftText } from "../src/shared/time";

const NOW = Date.UTC(2026, 10, 24, 14);
const MINUTE = 60_000;
const offer = (digest: string, over: Partial<OfferView> = {}): OfferView => ({ digest, rights: [], rules: 0, warnings: [], takesLimits: true, leftTodaySeconds: null, beside: [], adds: [], narrower: null, problem: null, ...over });
const request = (id: string, over: Partial<RequestView> = {}): RequestView => ({
  id, team: "t", user: "oidc:lin", own: false, groups: [], acr: null, amr: [], mfaAt: null, cluster: "c", environment: "dev", environmentWord: "dev", profile: "debug",
  namespaces: [], durationSeconds: 3600, reason: "", askedAt: NOW - 6 * MINUTE, waitsUntil: NOW + MINUTE, phase: "pending", offer: offer("d1"), approvals: [], autoApproval: null, reaffirm: null, recording: null, given: null, needed: 1,
  endsAt: null, message: null, ended: null, closing: null, decide: "yes", mayDeny: false, mayRevoke: false, ...over,
});
const row = (id: string, over: Partial<RequestView> = {}, gone = false): Row => ({ id, request: request(id, over), gone });
const none = { seen: new Set<string>(), held: new Set<string>() };
const ids = (rows: readonly Row[]) => rows.map((one) => `${one.id}${one.gone ? "!" : ""}`).join(" ");

test("a tab shows what waits for this person, what is their own, or all", () => {
  const all = [request("a"), request("b", { decide: "noOffer" }), request("c", { decide: "own", own: true }), request("d", { decide: "notYours" }), request("e", { decide: "said" }), request("f", { decide: "over" })];
  expect(all.filter((r) => inTab(r, "forMe")).map((r) => r.id)).toEqual(["a", "b"]);
  expect(all.filter((r) => inTab(r, "mine")).map((r) => r.id)).toEqual(["c"]);
  expect(all.map(tabOf)).toEqual(["forMe", "forMe", "mine", "team", "team", "team"]);
});
test("what waits for nobody is not this person's, what may become theirs is, and only what they can decide is counted", () => {
  const all = (["yes", "noOffer", "notKnown", "unsound", "enough", "said", "notYours", "own", "over"] as const).map((decide) => request(decide, { decide, own: decide === "own" }));
  expect(all.filter((r) => inTab(r, "forMe")).map((r) => r.id)).toEqual(["yes", "noOffer", "notKnown", "unsound"]);
  expect(all.filter(waitsForMe).map((r) => r.id), "as the desktop counts for the rail").toEqual(["yes"]);
  expect(counts(all)).toEqual({ forMe: 1, mine: 1, team: 9 });
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
  const same = stamped(come, [row("a", { approvals: [{ by: "x", at: 1, counts: true, limits: null }] }), row("b")], 5000);
  expect(heldBack(same, "a", 5000), "another yes changes nothing of what a key means").toBe(null);
  const next = stamped(same, [row("new"), row("a"), row("b", { offer: offer("d2") })], 6000);
  expect(["new", "a", "b"].map((id) => heldBack(next, id, 6100)?.why)).toEqual(["appeared", "moved", "changed"]);
  expect(["new", "a", "b"].map((id) => heldBack(next, id, 6700))).toEqual([null, null, null]);
});
test("p8_whatever a key would mean is part of how a row stands", () => {
  for (const over of [{ offer: null }, { phase: "approved" }, { decide: "said" }, { ended: "denied" }, { mayDeny: true }, { mayRevoke: true }] as Partial<RequestView>[]) {
    const stamps = stamped(stamped(null, [row("a")], 0), [row("a", over)], 5000);
    expect(heldBack(stamps, "a", 5001)?.why, JSON.stringify(over)).toBe("changed");
  }
  expect(heldBack(stamped(stamped(null, [row("a")], 0), [row("a", {}, true)], 5000), "a", 5001)?.why).toBe("changed");
});

test("what may be said: no yes without a sound offer, none to one's own, none twice, nothing while something is under way", () => {
  const may = (over: Partial<RequestView>, ...more: [Parameters<typeof mayOf>[1]?, boolean?]) => Object.entries(mayOf(row("a", over), more[0] ?? null, more[1] ?? false)).filter(([, can]) => can).map(([kind]) => kind).join(" ");
  const mayDeny = true;
  expect(may({ mayDeny })).toBe("approve deny");
  expect(may({ decide: "noOffer", offer: null, mayDeny })).toBe("deny");
  expect(may({ decide: "unsound", offer: offer("d1", { problem: "no" }), mayDeny })).toBe("deny");
  expect(may({ offer: offer("d1", { problem: "no" }), mayDeny })).toBe("deny");
  for (const decide of ["own", "notYours", "said", "over", "enough", "notKnown"] as const) expect(may({ decide })).toBe("");
  expect(may({ decide: "over", phase: "active", mayRevoke: true })).toBe("revoke");
  expect(may({ decide: "over", phase: "approved", mayRevoke: true })).toBe("revoke");
  expect(may({ decide: "over", phase: "active", mayRevoke: true, ended: "revoked" })).toBe("");
  expect(may({ mayDeny }, null, true)).toBe("");
  const yes = { kind: "approve", offer: "d1", limits: null, at: 0 } as const;
  expect(may({ mayDeny }, yes), "the hub has this yes already; it is taken back by a no").toBe("deny");
  expect(may({ decide: "said", mayDeny }), "also once the list knows of it").toBe("deny");
  expect(may({ offer: offer("d2"), mayDeny }, yes), "another offer asks for another yes").toBe("approve deny");
  expect(may({ mayDeny }, { kind: "deny", offer: "d1", limits: null, at: 0 })).toBe("");
  expect(mayOf(row("a", {}, true), null, false).approve).toBe(false);
  expect(mayOf(null, null, false).approve).toBe(false);
});
test("every environment that is not known to be none of production, and warnings, want Enter", () => {
  for (const [environment, environmentWord] of [["dev", "dev"], ["dev", "test"], ["stage", "staging"]] as const) expect(wantsEnter(request("a", { environment, environmentWord }))).toBe(false);
  // As the desktop reads these words: it knows none of them.
  for (const environmentWord of ["live", "prd", "acceptance", ""]) expect(wantsEnter(request("a", { environment: "other", environmentWord })), environmentWord).toBe(true);
  expect(wantsEnter(request("a", { environment: "prod", environmentWord: "prod" }))).toBe(true);
  expect(wantsEnter(request("a", { offer: offer("d1", { warnings: ["w"] }) }))).toBe(true);
});
test("a right is open already only where nothing of its words is added", () => {
  const right = (title: string, detail: string) => ({ title, detail, namespaces: ["a"], writes: true });
  const [read, edit, run] = [right("Read", "get pods"), right("Edit", "patch deployments, statefulsets"), right("Run", "create pods/exec")];
  const adds = [right("Edit", "patch statefulsets"), run];
  const all = [read, edit, run];
  expect(all.map((one) => openAlready(offer("d", { rights: all, adds, beside: [{ profile: "view", endsAt: NOW }] }), one))).toEqual(["open already", "partly open already", null]);
  expect(openAlready(offer("d", { rights: all, adds }), read), "nothing is open beside").toBe(null);
  expect(besideText([{ profile: "view", endsAt: NOW }, { profile: "debug", endsAt: NOW + 24 * 60 * MINUTE }], NOW)).toBe(`view until ${timeText(NOW, "clock")}, debug until ${timeText(NOW + 24 * 60 * MINUTE, "minute")}`);
});

test("badges say how it stands, from the end backwards", () => {
  const said = (over: Partial<RequestView>, gone = false) => badge(row("a", over, gone), NOW).text;
  const yes = [{ by: "x", at: 1, counts: true, limits: null }, { by: "y", at: 1, counts: false, limits: null }];
  expect(said({})).toBe("yours to decide");
  expect(said({ approvals: yes, needed: 2 })).toBe("yours, 1 of 2 said yes");
  expect(said({ decide: "notYours" })).toBe("not yours");
  expect(said({ decide: "notYours", approvals: yes, needed: 2 })).toBe("1 of 2 said yes");
  expect(said({ decide: "own", own: true })).toBe("your own");
  // Whoever asks sees each yes as it comes.
  expect(said({ decide: "own", own: true, approvals: yes, needed: 2 })).toBe("your own, 1 of 2 said yes");
  expect(said({ decide: "own", own: true, approvals: [...yes, { by: "z", at: 2, counts: true, limits: null }], needed: 3 })).toBe("your own, 2 of 3 said yes");
  expect(said({ decide: "said", approvals: yes, needed: null })).toBe("you said yes, 1");
  expect(said({ decide: "noOffer" })).toBe("no offer yet");
  expect(said({ decide: "enough" })).toBe("waits for nobody");
  expect(said({ decide: "unsound" })).toBe("offer does not add up");
  expect(said({ decide: "notKnown" })).toBe("not known whether yours");
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
  expect(whyNot(row("a", { decide: "enough", needed: 0 }))).toBe("It waits for nobody: it needs none.");
  expect(whyNot(row("a", { decide: "notKnown" }))).toContain("could not be read");
  expect(whyNot(row("a", { decide: "said", mayDeny: true }))).toContain("You may still deny it");
});
test("what somebody did before says no more than was counted", () => {
  const before = { opened: 11, neverOpened: 2, lastAt: NOW - 9 * 24 * 60 * MINUTE, lastEnded: "the requester left", more: false };
  const where = { profile: "debug", team: "payments" };
  expect(beforeText(before, where, NOW)).toBe("11 sessions under debug in team payments, 2 asked for and never opened; the last asked for 9 d ago: the requester left");
  expect(beforeText({ ...before, more: true, neverOpened: 0, lastAt: null }, where, NOW)).toBe("at least 11 sessions under debug in team payments");
  expect(beforeText({ ...before, opened: 0, neverOpened: 0, lastAt: null }, where, NOW)).toBe("nothing under debug in team payments, as far as the hub keeps it");
});
test("that somebody may ask for less is said where the hub says so, and else that it is not known", () => {
  expect(askableText({ profile: "view", adds: [], isAskable: true })).toBe("The hub lets them ask for view.");
  expect(askableText({ profile: "view", adds: [], isAskable: false })).toBe("Whether they may ask for view is not known here: Who can tells it, to whoever may look.");
});
