import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../tools/time.mjs";
import { at, calls } from "./site.mjs";

/** Comes to the view. */
const come = async (page) => {
  await page.locator("#clusters").waitFor();
  await inTurn(page, "g", "w");
  await page.locator("#reach").waitFor();
};
const rows = (page) => page.locator("#reach [role=row] b").allInnerTexts();
const looked = async (page) => (await calls(page)).filter((name) => name === "who_can").length;
const tab = (page, name) => page.getByRole("group", { name: "What is listed" }).getByRole("button", { name }).click();

test("who can: nothing is read before somebody looks, and once when they do", () =>
  at("speed=20", async (page) => {
    await page.locator("#clusters").waitFor();
    assert.equal(await looked(page), 0);
    await come(page);
    await inTurn(page, "g", "c");
    await page.locator("#clusters").waitFor();
    await come(page);
    assert.equal(await looked(page), 1, "a moment later it is not read again");
    await page.keyboard.press("l");
    await page.waitForFunction(() => window.sallyportFake.calls.filter((name) => name === "who_can").length === 2);
  }));

test("who can reach a cluster under a profile, and what a group can reach, by keyboard alone", () =>
  at("speed=20", async (page) => {
    await come(page);
    await page.keyboard.press("/");
    await page.keyboard.type("payments-eu-1 operate");
    assert.deepEqual(await rows(page), ["oidc:checkout-dev", "oidc:on-call", "oidc:payments-dev", "oidc:payments-leads", "system:masters"]);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.locator("aside h2", { hasText: "oidc:payments-dev" }).waitFor();
    await page.locator("aside .held.focus", { hasText: "operate" }).getByText("approves").waitFor();
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.activeElement?.id === "reach");
    await page.keyboard.press("t");
    await page.keyboard.press("/");
    await page.keyboard.type("oidc:checkout-dev debug");
    assert.deepEqual(await rows(page), ["checkout-stage", "hostile-1⟨U+202E⟩", "sandbox-12"]);
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.locator("[data-reach][aria-selected=true]").waitFor();
  }));

test("a cluster says who asks and approves, what it allows with dangers first, and how its guardrails are known", () =>
  at("speed=20", async (page) => {
    await come(page);
    await tab(page, /^Where/);
    await page.locator("[data-reach='c:checkout-eu-2']").click();
    const section = page.getByRole("region", { name: "break-glass" });
    await section.getByText("Its broker refuses it here").waitFor();
    const lines = await section.locator(".rule").allInnerTexts();
    assert.match(lines[0], /writing roles with more rights/);
    assert.match(lines[2], /Workloads can be changed/);
    await page.locator("aside").getByText(/^In force since .*3 probes refused/).waitFor();
    await page.getByRole("button", { name: /^operate/ }).click();
    await page.getByRole("region", { name: "operate" }).getByRole("button", { name: "oidc:payments-leads" }).first().click();
    await page.locator("aside h2", { hasText: "oidc:payments-leads" }).waitFor();
    assert.equal(await page.getByRole("button", { name: /^Who 9/ }).getAttribute("aria-pressed"), "true");
    await tab(page, /^Where/);
    await page.locator("[data-reach='c:mail-eu-1']").click();
    await page.locator("aside").getByText("Not known: its broker has been silent for 47 min").waitFor();
  }));

test("what changed is marked as seen by one key, and the next look has nothing new", () =>
  at("speed=20", async (page) => {
    await come(page);
    await page.getByText("6 changes since").waitFor();
    await tab(page, /^Changed 6/);
    assert.deepEqual((await rows(page)).slice(0, 2), ["group oidc:payments-dev", "profile operate"]);
    await page.locator("[data-reach='d:0']").click();
    await page.getByRole("button", { name: "Show it as it is now" }).click();
    await page.locator("aside h2", { hasText: "oidc:payments-dev" }).waitFor();
    await page.keyboard.press("m");
    await page.getByText("6 changes since").waitFor({ state: "detached" });
    await page.keyboard.press("l");
    await page.waitForFunction(() => window.sallyportFake.calls.filter((name) => name === "who_can").length === 2);
    await tab(page, /^Changed/);
    await page.getByText("Nothing changed").waitFor();
  }));

test("what was read meanwhile is not marked: it is said, and nothing is taken for seen", () =>
  at("scene=reachStale&speed=20", async (page) => {
    await come(page);
    await page.keyboard.press("m");
    await page.getByText("this is not what was read last").waitFor();
    await page.getByText("6 changes since").waitFor();
  }));

test("hundreds of names are drawn a screenful at a time, and the one looked for stands first", () =>
  at("scene=reachMany&speed=20", async (page) => {
    await come(page);
    assert.ok((await page.locator("#reach [role=row]").count()) < 40);
    await page.keyboard.press("End");
    await page.locator("#reach [role=row][aria-selected=true] b", { hasText: "oidc:some-group-of-people-399" }).waitFor();
    await tab(page, /^Where/);
    await page.keyboard.press("/");
    await page.keyboard.type("oidc:some-group-of-people-7 cluster-prod-3");
    const asks = page.locator("aside section.open dd").first().locator("button.name").first();
    await asks.getByText("oidc:some-group-of-people-7", { exact: true }).waitFor();
  }));

test("whoever lacks the rights is told which, and what gives them", () =>
  at("scene=reachNoRights&speed=20", async (page) => {
    await page.locator("#clusters").waitFor();
    await inTurn(page, "g", "w");
    await page.getByText("sallyport:hub-auditor").waitFor();
    await page.getByText("list clusterrolebindings.rbac.authorization.k8s.io").waitFor();
    assert.equal(await page.locator("aside").count(), 0);
  }));

test("a failure can be tried again", () =>
  at("scene=reachFail&speed=20", async (page) => {
    await page.locator("#clusters").waitFor();
    await inTurn(page, "g", "w");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.waitForFunction(() => window.sallyportFake.calls.filter((name) => name === "who_can").length === 2);
  }));

test("the palette finds who was read of", () =>
  at("speed=20", async (page) => {
    await come(page);
    await page.keyboard.press("Control+K");
    await page.keyboard.type("oidc:payments-leads");
    await page.getByRole("dialog").getByText("group: asks for 3 profiles").waitFor();
    await page.keyboard.press("Enter");
    await page.locator("aside h2", { hasText: "oidc:payments-leads" }).waitFor();
  }));
