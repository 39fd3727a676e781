import { expect, test } from "vitest";
import type { ClusterView, HoldView, SessionView, Way } from "../src/bindings/ipc";
import { counts, flat, grouped } from "../src/features/clusters/items";
import { openOn, wayOf } from "../src/features/clusters/ways";

const cluster = (name: string, way: Way = { kind: "oneClick", profile: "debug" }, over: Partial<ClusterView> = {}) =>
  ({ name, way, environment: "prod", environmentWord: "prod", pinned: false, lastUsed: null, ...over }) as ClusterView;
const session = (on: string, state: SessionView["state"]) => ({ extends: null, id: `s-${on}`, cluster: on, state, profile: "debug", namespaces: ["a"], endsAt: 7 }) as SessionView;
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
