import { expect, test } from "vitest";
import { namespacesText } from "../src/desktop/words";
import { durations } from "../src/features/clusters/durations";
import { clip, count, sentence, visible } from "../src/shared/text";
import { countdown, span, took } from "../src/shared/time";

test("what is said begins as a sentence does, and a name, a path or an id stays as it is", () => {
  expect(sentence("the disk is full")).toBe("The disk is full");
  for (const same of ["The disk is full", "payments-eu-1 answered 401", "logs.example did not answer", "/full/a.tar is there", "`x` is no path", "audit_log is no name", ""]) expect(sentence(same)).toBe(same);
});

test("p24_hidden_characters_are_shown as the Rust side shows them", () => {
  expect(visible("prod\u202Eged")).toBe("prod⟨U+202E⟩ged");
  expect(visible("a\u200Bb\u001b[31m")).toBe("a⟨U+200B⟩b⟨U+001B⟩[31m");
  expect(visible("line\nnext\tcell")).toBe("line␊next␉cell");
  expect(visible("Ünïcödé 漢字 ok")).toBe("Ünïcödé 漢字 ok");
  expect(visible("tag\u{E0041}\u{FE0F}\u{2066}")).toBe("tag⟨U+E0041⟩⟨U+FE0F⟩⟨U+2066⟩");
});

test("p24_the_ranges_are_those_of_the_model", async () => {
  const { readFileSync } = await import("node:fs");
  const rust = readFileSync(new URL("../../crates/model/src/text.rs", import.meta.url), "utf8");
  const list = /matches!\(c as u32,([\s\S]*?)\)/.exec(rust)?.[1] ?? "";
  const ranges = [...list.matchAll(/0x([0-9A-F]+)(?:\.\.=0x([0-9A-F]+))?/g)].map((m) => [parseInt(m[1]!, 16), parseInt(m[2] ?? m[1]!, 16)] as const);
  expect(ranges.length).toBeGreaterThan(15);
  const hidden = (code: number) => code < 0x20 || (code >= 0x7f && code <= 0x9f) || ranges.some(([a, b]) => code >= a && code <= b);
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const char = String.fromCodePoint(code);
    if ((visible(char) !== char) !== hidden(code)) expect.fail(`U+${code.toString(16)} is treated differently`);
  }
}, 60_000);

test("words for numbers, lists and lengths", () => {
  expect(count(1, "approval")).toBe("1 approval");
  expect(count(18204, "entry", "entries")).toBe("18,204 entries");
  expect(namespacesText([])).toBe("cluster-wide");
  expect(countdown(2_512_000)).toBe("41:52");
  expect(countdown(22_360_000)).toBe("6:12:40");
  expect(countdown(-5)).toBe("0:00");
  expect(span(5400)).toBe("1 h 30 min");
  expect([took(null), took(1), took(186), took(9900)]).toEqual(["", "1 ms", "186 ms", "9.9 s"]);
});

test("the lengths offered stay within the profile and never below 15 minutes", () => {
  expect(durations(3600)).toEqual([900, 1800, 2700, 3600]);
  expect(durations(5000)).toEqual([900, 1800, 2700, 3600, 5000]);
  expect(durations(600)).toEqual([]);
});

test("what is clipped is never longer than it may be, and no character is cut in two", () => {
  expect(clip("short", 5)).toBe("short");
  expect(clip("longer", 5)).toBe("long…");
  expect(clip("𝒶𝒷𝒸𝒹𝑒", 3)).toBe("𝒶𝒷…");
});
