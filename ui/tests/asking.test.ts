import { expect, test } from "vitest";
import type { ClusterDetail, ProfileView } from "../src/bindings/ipc";
import { at } from "./window";

const { Asking } = await at(() => import("../src/features/clusters/asking.svelte"));

const profile = (name: string, over: Partial<ProfileView> = {}) =>
  ({ name, opensAtOnce: true, approvals: 0, maxDurationSeconds: 7200, namespaces: ["a", "b"], reasonRequired: true, refused: null, ...over }) as ProfileView;
const detail = (over: Partial<ClusterDetail> = {}) =>
  ({ cluster: { name: "c" }, profiles: [profile("view", { namespaces: [] }), profile("debug"), profile("refused", { refused: { why: "", rule: null } })], chosen: "debug", last: null, reason: null, ...over }) as ClusterDetail;

test("it begins with what one click takes, and another profile brings its own", () => {
  const asking = new Asking(detail());
  expect([asking.chosen, asking.namespaces, asking.seconds]).toEqual(["debug", ["a", "b"], 3600]);
  asking.chosen = "view";
  expect([asking.namespaces, asking.profile?.name]).toEqual([[], "view"]);
  expect(new Asking(detail({ chosen: null })).chosen).toBe("view");
  expect(new Asking(detail({ profiles: [] })).profile).toBe(undefined);
});
test("the last opening is taken up where it still may be", () => {
  const last = { profile: "debug", namespaces: ["b", "gone"], durationSeconds: 9000 };
  const asking = new Asking(detail({ last }));
  expect([asking.namespaces, asking.seconds, asking.last]).toEqual([["b"], 7200, last]);
  expect(new Asking(detail({ last: { ...last, profile: "refused" } })).last).toBe(null);
});
test("the last namespace cannot be taken away: none would mean all", () => {
  const asking = new Asking(detail());
  asking.toggle("a");
  asking.toggle("b");
  expect(asking.namespaces).toEqual(["b"]);
});
test("a missing reason is asked for each time, until something is written", async () => {
  const asking = new Asking(detail());
  await asking.submit();
  await asking.submit();
  expect([asking.missing, asking.busy]).toEqual([2, false]);
  asking.reason = "x";
  expect(asking.missing).toBe(0);
});
test("told anew, what the person chose stays as long as it is there", () => {
  const asking = new Asking(detail());
  asking.toggle("a");
  asking.reason = "why";
  asking.take(detail());
  expect([asking.chosen, asking.namespaces, asking.reason]).toEqual(["debug", ["b"], "why"]);
  asking.take(detail({ profiles: [profile("view", { namespaces: [] })] }));
  expect(asking.chosen).toBe("view");
});
