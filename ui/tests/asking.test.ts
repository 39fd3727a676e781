import { expect, test } from "vitest";
import type { ClusterDetail, ProfileView } from "../src/bindings/ipc";
import { durations, lessText } from "../src/features/clusters/durations";
import { at } from "./window";

const { Asking } = await at(() => import("../src/features/clusters/asking.svelte"));

const profile = (name: string, over: Partial<ProfileView> = {}) =>
  ({ name, opensAtOnce: true, approvals: 0, maxDurationSeconds: 7200, usualSeconds: 3600, namespaces: ["a", "b"], reasonRequired: true, refused: null, ...over }) as ProfileView;
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
  expect([asking.namespaces, asking.last]).toEqual([["b"], last]);
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
test("a length that nobody chose is no longer than what is left of the day; one that was chosen stays", () => {
  const day = { mostSeconds: 7200, leftSeconds: 1859, fits: false };
  const asking = new Asking(detail());
  asking.fit({ ...day, fits: true });
  expect([asking.seconds, asking.byDay]).toEqual([3600, false]);
  asking.fit(day);
  expect([asking.seconds, asking.byDay]).toEqual([1800, true]);
  asking.seconds = 7200;
  asking.fit(day);
  expect([asking.seconds, asking.byDay]).toEqual([7200, false]);
  asking.chosen = "view";
  expect(asking.seconds).toBe(3600);
  asking.fit({ ...day, leftSeconds: 899 });
  expect(asking.seconds, "no session is left: the broker says so").toBe(3600);
  asking.fit({ ...day, leftSeconds: null });
  asking.fit(null);
  expect(asking.seconds).toBe(3600);
});
test("what is offered holds what is chosen, and why it is less is said", () => {
  expect(durations(3600)).toEqual([900, 1800, 2700, 3600]);
  expect(durations(5000, 1260)).toEqual([900, 1260, 1800, 2700, 3600, 5000]);
  expect(durations(600)).toEqual([]);
  expect(lessText(3600, 3600, 14_400, false)).toBe("All that this profile allows; your default is 4 h.");
  expect(lessText(3600, 3600, 3600, false)).toBe("");
  expect(lessText(1800, 3600, 14_400, false), "the person chose it").toBe("");
  expect(lessText(1800, 3600, null, true)).toBe("What is left of your day here.");
  expect(lessText(1800, 3600, 7200, true)).toBe("What is left of your day here; your default is 2 h.");
});
