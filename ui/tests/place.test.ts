import { expect, test } from "vitest";
import { moved, START } from "../src/desktop/place.svelte";

test("what is not named stays", () => {
  const at = moved(START, { view: "sessions", session: "s", terminal: "t" });
  expect(at).toEqual({ ...START, view: "sessions", session: "s", terminal: "t" });
  expect(moved(at, { view: "audit" })).toEqual({ ...at, view: "audit" });
  expect(moved(at, {})).toEqual(at);
});
test("another session brings none of the last one's terminals along", () => {
  const at = moved(START, { session: "s", terminal: "t" });
  expect(moved(at, { session: "s" }).terminal).toBe("t");
  expect(moved(at, { session: "other" }).terminal).toBe(null);
  expect(moved(at, { session: "other", terminal: "u" }).terminal).toBe("u");
});
test("a reason is wanted for the cluster it was wanted for", () => {
  const at = moved(START, { view: "clusters", cluster: "a", reasonWanted: true });
  expect(at.reasonWanted).toBe(true);
  expect(moved(at, { cluster: "a" }).reasonWanted).toBe(true);
  expect(moved(at, { cluster: "b" }).reasonWanted).toBe(false);
});
