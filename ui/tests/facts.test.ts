import { expect, test } from "vitest";
import { facts, titled } from "../src/features/audit/facts";
import { localTimes, timeText } from "../src/shared/time";

test("facts are named and worded for people, and none stands twice", () => {
  const entry = {
    via: "kubectl", status: 403,
    detail: [["via", "kubectl"], ["status", "403"], ["ms", "9900"], ["user_agent", "kubectl/v1.37"], ["bytes_out", "18204"], ["auth_time", "1790000000"], ["some_other", "1200"], ["empty", ""], ["why", "not allowed"]] as [string, string][],
  };
  expect(facts(entry)).toEqual([
    { name: "Took", value: "9.9 s" },
    { name: "User agent", value: "kubectl/v1.37" },
    { name: "Bytes out", value: "18,204" },
    { name: "Signed in at", value: timeText(1790000000000, "full") },
    { name: "Some other", value: "1200" },
    { name: "Because", value: "not allowed" },
  ]);
  expect(facts({ via: "", status: null, detail: [["status", "200"], ["auth_time", "0"]] })).toEqual([{ name: "Status", value: "200" }, { name: "Signed in at", value: "not said" }]);
  expect(titled("rights_gone")).toBe("Rights gone");
});

test("times that come in UTC are shown as this machine's clock shows them", () => {
  const now = Date.UTC(2026, 10, 24, 12);
  expect(localTimes("otp, 14:47 UTC", now)).toBe(`otp, ${timeText(Date.UTC(2026, 10, 24, 14, 47), "clock")}`);
  expect(localTimes("25:00 UTC and 14:47", now)).toBe("25:00 UTC and 14:47");
});
