import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterEach, expect, test } from "vitest";
import { fieldTime, localTimes, machineTime, rangeText, shownDay, timeText, utcDay, written, type TimeForm } from "../src/shared/time";
import { zone } from "../src/shared/zone.svelte";

const before = process.env["TZ"];
const AT = Date.UTC(2026, 10, 24, 13, 52, 7, 112);
function within(name: string) {
  process.env["TZ"] = name;
}
afterEach(() => {
  zone.utc = false;
  if (before === undefined) delete process.env["TZ"];
  else process.env["TZ"] = before;
});

test("a moment is in the viewer's zone with UTC beside, in every form", () => {
  within("Europe/Berlin");
  const words: Record<TimeForm, string> = {
    clock: "14:52 (13:52 UTC)",
    seconds: "14:52:07 (13:52:07 UTC)",
    precise: "14:52:07.112 (13:52:07.112 UTC)",
    moment: "24 Nov 2026, 14:52 (13:52 UTC)",
    short: "24 Nov 14:52 (13:52 UTC)",
    minute: "24 Nov 2026, 14:52 (13:52 UTC)",
    full: "24 Nov 2026, 14:52:07.112 (13:52:07.112 UTC)",
    day: "24 Nov 2026",
    date: "24 Nov",
  };
  for (const [form, said] of Object.entries(words)) expect(timeText(AT, form as TimeForm, AT + 86_400_000), form).toBe(said);
  expect(timeText(AT, "moment", AT + 60_000)).toBe("14:52 (13:52 UTC)");
});

test("where UTC has another day, it is said; where the viewer lives in UTC, one time stands alone", () => {
  within("Asia/Kathmandu");
  expect(timeText(AT + 6 * 3_600_000, "minute")).toBe("25 Nov 2026, 01:37 (24 Nov, 19:52 UTC)");
  expect(timeText(AT + 6 * 3_600_000, "day")).toBe("25 Nov 2026 (24 Nov 2026 UTC)");
  within("UTC");
  expect(timeText(AT, "seconds")).toBe("13:52:07 UTC");
  expect(rangeText(AT * 1000, (AT + 3_600_000) * 1000)).toBe("24 Nov 13:52–14:52 UTC");
});

test("a range says its days where they differ, of both zones", () => {
  within("Europe/Berlin");
  const us = (hours: number) => (AT + hours * 3_600_000) * 1000;
  expect(rangeText(us(0), us(1))).toBe("24 Nov 14:52–15:52 (13:52–14:52 UTC)");
  expect(rangeText(us(0), us(0) + 1_000_000)).toBe("24 Nov 14:52:07–14:52:08 (13:52:07–13:52:08 UTC)");
  expect(rangeText(us(0), us(24))).toBe("24 Nov 14:52 – 25 Nov 14:52 (13:52 – 13:52 UTC)");
  expect(rangeText(us(0), us(10))).toBe("24 Nov 14:52 – 25 Nov 00:52 (24 Nov 13:52–23:52 UTC)");
});

test("numbers that are no moment of any calendar are said to be none", () => {
  for (const hostile of [9e15, -9e15, Number.NaN, Infinity]) {
    expect(timeText(hostile, "full")).toBe("a time that no calendar has");
    expect(written(hostile, "precise", true)).toBe("a time that no calendar has");
    expect(rangeText(hostile * 1000, 0)).toBe("a time that no calendar has");
    expect([machineTime(hostile), fieldTime(hostile)]).toEqual([undefined, ""]);
    expect(utcDay(hostile)).toBe("a time that no calendar has");
  }
});

test("what a broker said in UTC is said in both, once", () => {
  within("Europe/Berlin");
  const said = localTimes("gone at 14:47 UTC.", AT);
  expect(said).toBe("gone at 15:47 (14:47 UTC).");
  expect(localTimes(said, AT)).toBe(said);
  const other = timeText(AT + 10 * 3_600_000, "minute");
  expect(localTimes(other, AT)).toBe(other);
});

test("rows stand under the day of the clock that they are shown by", () => {
  within("Europe/Berlin");
  const late = Date.UTC(2026, 10, 24, 23, 30);
  expect(shownDay(late)).toBe("25 Nov 2026");
  zone.utc = true;
  expect(shownDay(late)).toBe("24 Nov 2026");
});

test("each component that is handed a moment shows it by the one component", () => {
  const src = join(import.meta.dirname, "../src");
  const all = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".svelte"));
  const users = all.filter((path) => /<Time(Range)? /.test(readFileSync(join(src, path), "utf8"))).map((path) => relative("features", path));
  // The places that the history promises them at; a list, so that one that loses it is missed by name.
  for (const place of ["audit/TimelineRow", "audit/EntryDetail", "audit/CallPart", "audit/SessionPage", "audit/AboutPage", "audit/ReviewPart", "audit/Histogram", "audit/SourcesDialog", "audit/DeletedDialog", "recording/ReplayDialog", "requests/RequestPane", "requests/Decision", "holds/HoldPane", "posture/ClusterPane", "posture/UsedPart", "sessions/SidePanel"]) {
    expect(users, place).toContain(`${place}.svelte`);
  }
});
