import { expect, test } from "vitest";
import { timeText } from "../src/shared/time";
import type { ClusterView, HoldView, SessionView, Way } from "../src/bindings/ipc";
import { counts, flat, grouped } from "../src/features/clusters/items";
import { dayText, outlookText } from "../src/features/clusters/outlook";
import { openOn, wayOf } from "../src/features/clusters/ways";

const cluster = (name: string, way: Way = { kind: "oneClick", profile: "debug" }, over: Partial<ClusterView> = {}) =>
  ({ name, way, environment: "prod", environmentWord: "prod", pinned: false, lastUsed: null, ...over }) as ClusterView;
const session = (on: string, state: SessionView["state"]) => ({ extends: null, isScan: false, id: `s-${on}`, cluster: on, state, profile: "debug", namespaces: ["a"], endsAt: 7 }) as SessionView;
const hold = { id: "h", on: "cluster", name: "a", until: 7 } as HoldView;

test("a cluster is open exactly while it has a session that is not over", () => {
  for (const state of ["opening", "open", "closing"] as const) {
    expect(wayOf(cluster("a"), openOn([session("a", state)]), hold)).toEqual({ kind: "open", session: "s-a", profile: "debug", namespaces: ["a"], endsAt: 7 });
  }
  expect(wayOf(cluster("a"), openOn([session("a", "closed"), session("b", "open")]), null).kind).toBe("oneClick");
});
test("nothing opens by a click where that is held, and what is not this person's stays so", () => {
  expect(wayOf(cluster("a"), openOn([]), hold)).toEqual({ kind: "held", hold });
  expect(wayOf(cluster("a", { kind: "ask", profile: "operate", approvals: 1 }), openOn([]), hold).kind).toBe("held");
  for (const kind of ["notYours", "unknown"] as const) expect(wayOf(cluster("a", { kind }), openOn([]), hold).kind).toBe(kind);
});
test("each cluster stands once, in the first group it belongs to", () => {
  const all = [cluster("open"), cluster("pinned", undefined, { pinned: true, lastUsed: 5 }), cluster("used", undefined, { lastUsed: 9 }), cluster("dev", undefined, { environment: "dev", environmentWord: "dev" })];
  const items = grouped(all, new Set(["open"]));
  expect(items.map((item) => item.id)).toEqual(["open", "open", "pinned", "pinned", "recent", "used", "dev", "dev"]);
  expect(flat(all)).toHaveLength(4);
  expect(counts(all, new Set(["open"])).get("oneClick")?.n).toBe(3);
});
test("before asking it says whether it opens at once, by what and until when", () => {
  const now = new Date(2026, 10, 30, 12, 6).getTime();
  const six = new Date(2026, 10, 30, 18, 0).getTime();
  const view = { atOnce: true, by: "office", approvals: 1, changesAt: six, unmet: [], day: null };
  expect(outlookText(view, now)).toBe(`Opens at once until ${timeText(six, "clock")}, then needs 1 approval.`);
  expect(outlookText({ ...view, changesAt: null }, now)).toBe("Opens at once, by office.");
  expect(outlookText({ ...view, by: null, approvals: 0, changesAt: null }, now)).toBe("Opens at once.");
  expect(outlookText({ ...view, atOnce: false, by: null, approvals: 2 }, now)).toBe(`It needs 2 approvals; it opens at once from ${timeText(six, "clock")}.`);
  expect(outlookText({ ...view, atOnce: false, by: null, changesAt: null }, now)).toBe("It needs 1 approval.");
});
test("what is left of a day is an estimate, and unknown is not nothing", () => {
  expect(dayText({ mostSeconds: 14_400, leftSeconds: 5400, fits: true })).toBe("Up to 4 h within 24 hours here; by this desktop’s estimate 1 h 30 min is left.");
  expect(dayText({ mostSeconds: 3600, leftSeconds: 20, fits: false })).toBe("Up to 1 h within 24 hours here; by this desktop’s estimate nothing is left, so this would be denied.");
  expect(dayText({ mostSeconds: 3600, leftSeconds: null, fits: true })).toBe("Up to 1 h within 24 hours here; what is left could not be read.");
});
