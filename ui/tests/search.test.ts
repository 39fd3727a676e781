import { expect, test } from "vitest";
import { index, search } from "../src/shared/search";

const names = ["eu-payments-1", "payments-eu-1", "payments-us-1", "repayments-1", "ledger-us-1", "mail"];
const indexed = index(names, (n) => n, (n) => (n === "mail" ? "prod openshift payments-region" : "dev eks"));

test("a name's start beats a part's start, that beats its middle, that beats other facts", () => {
  expect(search(indexed, "payments")).toEqual(["payments-eu-1", "payments-us-1", "eu-payments-1", "repayments-1", "mail"]);
});
test("every word must match", () => {
  expect(search(indexed, "pay us")).toEqual(["payments-us-1"]);
  expect(search(indexed, "pay nowhere")).toEqual([]);
});
test("letters in order are enough for a longer word", () => {
  expect(search(indexed, "ldgr")).toEqual(["ledger-us-1"]);
});
test("no query keeps all in their order, and the limit holds", () => {
  expect(search(indexed, " ")).toEqual(names);
  expect(search(indexed, "1", 2)).toHaveLength(2);
});
test("a boost orders equal matches only", () => {
  const boosted = index(names, (n) => n, () => "", (n) => (n === "payments-us-1" || n === "repayments-1" ? 3 : 0));
  expect(search(boosted, "payments").slice(0, 2)).toEqual(["payments-us-1", "payments-eu-1"]);
  expect(search(boosted, "payments").at(-1)).toBe("repayments-1");
});
test("pattern characters are plain text", () => {
  expect(() => search(indexed, "(.*[\\")).not.toThrow();
});
