import { expect, test } from "vitest";
import type { SessionView, VouchingView } from "../src/bindings/ipc";
import { news } from "../src/features/sessions/news";
import { timeText } from "../src/shared/time";
import { overdueText, vouchedText } from "../src/features/sessions/vouching";

const AT = new Date(2026, 10, 29, 14, 2).getTime();
const session = (over: Partial<VouchingView> | null, state: SessionView["state"] = "open") =>
  ({
    id: "1", extends: null, isScan: false, cluster: "a", state, ended: null,
    vouching: over && { everySeconds: 900, graceSeconds: 300, vouchedAt: AT, closesAt: AT + 1_200_000, overdue: null, ...over },
  }) as SessionView;

test("what is overdue says since when, why, and when the session closes", () => {
  const said = overdueText(session({ overdue: "it can't be reached\u202e" }), AT);
  expect(said).toBe(`Your identity provider has not vouched for you since ${timeText(AT, "clock")}: it can't be reached⟨U+202E⟩. This session closes at ${timeText(AT + 1_200_000, "clock")} unless it does.`);
  expect(overdueText(session({ overdue: "no", vouchedAt: null, closesAt: null }), AT)).toBe("Your identity provider has not vouched for you: no. This session closes soon unless it does.");
  for (const quiet of [session({}), session(null), session({ overdue: "no" }, "closing")]) expect(overdueText(quiet, AT)).toBe(null);
});
test("how often it vouches is said where it does", () => {
  expect(vouchedText(session({}), AT)).toBe(`every 15 min · last at ${timeText(AT, "clock")}`);
  expect(vouchedText(session(null), AT)).toBe(null);
});
test("it is told once when it becomes overdue, looking or not", () => {
  const [fine, late] = [session({}), session({ overdue: "no" })];
  expect(news(fine, late, true)).toEqual({ level: "warning", text: "Your identity provider has not vouched for you again: your session on a closes soon.", session: "1" });
  expect(news(late, late, false)).toBe(null);
  expect(news(late, fine, false)).toBe(null);
  expect(news(undefined, late, false)?.level).toBe("warning");
});
