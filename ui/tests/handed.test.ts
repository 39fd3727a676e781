import { expect, test } from "vitest";
import type { ExportLook } from "../src/bindings/ipc";
import { bytes, ended, FORMS, holds, tells, whyNot } from "../src/features/audit/handed";

const look = (over: Partial<ExportLook>): ExportLook => ({ own: 0, calls: 0, isCut: false, why: null, stores: [], isSealed: true, recorded: [], hasMore: false, place: "/home/dev/a", ...over });

test("a place gets the ending of each form in place of another's, and no more than that", () => {
  for (const { form, ending } of FORMS) {
    expect(ended("/home/dev/a.b", form)).toBe(`/home/dev/a.b${ending}`);
    for (const other of FORMS) expect(ended(ended("/x/a", other.form), form)).toBe(`/x/a${ending}`);
  }
  expect(ended("", "csv")).toBe("");
});

test("a form holds what it can hold, and says why not", () => {
  const [own, calls, none] = [look({ own: 1 }), look({ calls: 1 }), look({})];
  const held = (events: boolean) => FORMS.map(({ form }) => [holds(form, own, events), holds(form, calls, events), holds(form, none, events)]);
  expect(held(false)).toEqual([[true, false, false], [true, true, false], [true, true, false], [true, true, false], [true, true, true]]);
  // Clusters' events go with a pack where they are wanted.
  expect(held(true)[0]).toEqual([true, true, false]);
  expect(holds("pack", look({ own: 1, calls: 1, isSealed: false }), true)).toBe(false);
  // More than was counted may be there.
  expect(holds("csv", look({ isCut: true }), false)).toBe(true);
  expect(holds("pack", look({ isCut: true }), true)).toBe(true);
  expect(whyNot("pack", look({ own: 1, isSealed: false }))).toContain("keyring");
  expect(whyNot("pack", calls)).toContain("nothing else is chosen");
  expect(whyNot("csv", none)).toBe("Nothing fits the filter.");
});

test("clusters' events are offered where some may fit and their archive can be read", () => {
  expect([{}, { calls: 2 }, { isCut: true }, { calls: 2, why: "in use" }].map((over) => tells(look(over)))).toEqual([false, true, true, false]);
});

test("bytes are said as people say them", () => {
  expect([0, 999, 1000, 812_345, 2_400_000, 99_000_000, 4_300_000_000].map(bytes)).toEqual(["0 B", "999 B", "1.0 kB", "812 kB", "2.4 MB", "99 MB", "4.3 GB"]);
});
