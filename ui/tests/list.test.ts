import { expect, test } from "vitest";
import { at } from "./window";

const { List } = await at(() => import("../src/desktop/list.svelte"));

/** A list whose answers come when they are let. */
function slow() {
  const answers: { ok: (value: string) => void; no: (why: unknown) => void }[] = [];
  const list = new List<string>("clustersChanged", () => new Promise((ok, no) => answers.push({ ok, no })), (fresh, before) => `${before ?? ""}${fresh}`);
  return { list, answers };
}

test("an answer that was overtaken does not count, one that was not does", async () => {
  const { list, answers } = slow();
  const [one, two, three] = [list.load(), list.load(), list.load()];
  answers[1]?.ok("2");
  await two;
  expect(list.value).toBe("2");
  answers[0]?.ok("1");
  await one;
  expect(list.value).toBe("2");
  answers[2]?.no(new Error("away"));
  await three;
  expect([list.value, list.error?.message]).toEqual(["2", "away"]);
});
test("what comes makes of it what is to be shown after what was", async () => {
  const { list, answers } = slow();
  for (const word of ["a", "b"]) {
    const loading = list.load();
    answers.at(-1)?.ok(word);
    await loading;
  }
  expect(list.value).toBe("ab");
  expect(list.error).toBe(null);
});
test("what was asked for the last person is not shown to the next", async () => {
  const { list, answers } = slow();
  const loading = list.load();
  list.forget();
  answers[0]?.ok("theirs");
  await loading;
  expect(list.value).toBe(null);
});
