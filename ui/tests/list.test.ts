import { expect, test } from "vitest";
import { at } from "./window";

const { List } = await at(() => import("../src/desktop/list.svelte"));

/** A list whose answers come when they are let. */
function slow() {
  const answers: { ok: (value: string) => void; no: (why: unknown) => void }[] = [];
  const list = new List<string>("clustersChanged", () => new Promise((ok, no) => answers.push({ ok, no })), (fresh, before) => `${before ?? ""}${fresh}`);
  return { list, answers };
}

const turn = () => new Promise((done) => setTimeout(done, 0));

test("one call is under way and at most one waits for its answer, however often it is asked for", async () => {
  const { list, answers } = slow();
  const all = [list.load(), list.load(), list.load(), list.load()];
  await turn();
  expect(answers).toHaveLength(1);
  answers[0]?.ok("1");
  await all[0];
  expect(list.value).toBe("1");
  await turn();
  expect(answers, "what was said meanwhile is asked for once").toHaveLength(2);
  const late = list.load();
  await turn();
  expect(answers).toHaveLength(2);
  answers[1]?.no(new Error("away"));
  await all[3];
  expect([list.value, list.error?.message]).toEqual(["1", "away"]);
  await turn();
  answers[2]?.ok("2");
  await late;
  expect([list.value, list.error]).toEqual(["12", null]);
  await turn();
  expect(answers).toHaveLength(3);
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
test("what was asked for the last person is not shown to the next, who need not wait for it", async () => {
  const { list, answers } = slow();
  const theirs = [list.load(), list.load()];
  list.forget();
  const mine = list.load();
  await turn();
  expect(answers).toHaveLength(2);
  answers[0]?.ok("theirs");
  await Promise.all(theirs);
  expect(list.value).toBe(null);
  answers[1]?.ok("mine");
  await mine;
  expect(list.value).toBe("mine");
  await turn();
  expect(answers, "nothing of theirs goes on").toHaveLength(2);
});
