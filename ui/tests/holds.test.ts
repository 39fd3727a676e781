import { expect, test } from "vitest";
import type { HoldView, RequestView } from "../src/bindings/ipc";
import { ended, nowText, titleText, untilText, whatText, whyStays } from "../src/features/holds/words";

const NOW = Date.UTC(2026, 10, 24, 14);
const request = (user: string, cluster: string, over: string | null = null) => ({ user, cluster, ended: over }) as RequestView;

test("what a hold ends: those of the person, those on the cluster, or all, but for those that end already", () => {
  const all = [request("oidc:dana", "a"), request("oidc:dana", "b"), request("oidc:dan", "a"), request("oidc:dana", "a", "denied")];
  expect([ended(all, "user", "oidc:dana"), ended(all, "user", "dana"), ended(all, "cluster", "a"), ended(all, "everything", "")]).toEqual([2, 0, 2, 3]);
});
test("what happens is said as far as it is known, and no further", () => {
  expect(nowText("user", 3, true)).toBe("3 open requests of theirs in your teams end now, with the sessions open by them. So does what they have in other teams.");
  expect(nowText("user", 1, true)).toMatch(/^1 open request of theirs in your teams ends now/);
  expect(nowText("cluster", 2, false)).toMatch(/^At least 2 open requests there in your teams end now/);
  expect(nowText("everything", 9, true)).toContain("So does everything in all other teams");
  expect(nowText("user", 0, true)).toBe("No open request of theirs in your teams. Look at the name again if you expected one.");
  expect(nowText("cluster", 0, false)).toBe("No known open request there in your teams.");
  expect(untilText("everything", NOW, NOW)).toContain("that includes you");
  expect([false, true].map((me) => /(they|you) ask/.exec(untilText("user", NOW, NOW, me))?.[1])).toEqual(["they", "you"]);
});
test("holds are named by what they are on", () => {
  expect([whatText("user", "oidc:dana"), whatText("cluster", "a"), whatText("everything", "")]).toEqual(["dana", "cluster a", "everything"]);
  expect([titleText("user", "oidc:dana"), titleText("cluster", "a"), titleText("everything", "")]).toEqual(["dana", "Cluster a", "Everything"]);
  const hold = (over: Partial<HoldView>) => ({ on: "user", onMe: false, ...over }) as HoldView;
  expect(whyStays(hold({ onMe: true }))).toContain("Nobody removes a hold on themselves");
  expect(whyStays(hold({}))).toContain("sallyport:responder");
  expect(whyStays(hold({ on: "everything", onMe: true }))).toContain("sallyport:responder");
});
