// A yes to less than was asked for.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, world } from "./site.mjs";
import { badge, come, rest, select, sent } from "./inbox.mjs";

const less = (page, id, look) => async () => {
  await come(page);
  if ((await page.locator(`#request-${id}`).count()) === 0) await page.getByRole("button", { name: /^Team/ }).click();
  await select(page, id);
  await rest(page);
  await look();
};
const editor = (page) => page.getByRole("form", { name: "Approve less" });
const digest = (page, id) => world(page, "(w, id) => w.requests.one(id).offer.digest", id);

test("by keyboard alone: L, a shorter time, one namespace less, Enter; what is sent is what was read", () =>
  at("scene=requestsLess&speed=20", (page) => less(page, "r-dev-two", async () => {
    await page.keyboard.press("l");
    await page.waitForFunction(() => document.activeElement?.matches("input[type=radio]:checked"));
    await editor(page).getByText("Nothing is taken off yet").waitFor();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    await editor(page).getByText("You give checkout + payments, 30 min instead of checkout + payments, 2 h.").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await editor(page).getByText("You give payments, 30 min instead of checkout + payments, 2 h.").waitFor();
    // Other keys of decisions say nothing meanwhile: all of it is not what was meant.
    for (const key of ["a", "d", "r", "l"]) await page.keyboard.press(key);
    assert.deepEqual(await sent(page), []);
    await rest(page);
    await page.keyboard.press("Enter");
    await page.locator("footer [role=status]", { hasText: "to less: for 30 min at most, in payments only" }).waitFor();
    assert.deepEqual(await sent(page), [{ kind: "approve", request: "r-dev-two", offer: await digest(page, "r-dev-two"), limits: { durationSeconds: 1800, namespaces: ["payments"] } }]);
    await page.locator("aside dd", { hasText: "payments, 30 min" }).waitFor();
    await badge(page, "r-dev-two").getByText(/^open, ends in (29|30) min/).waitFor();
  })()));

test("an empty choice and one that takes nothing off are not sent, and Esc goes back", () =>
  at("scene=requestsLess&speed=20", (page) => less(page, "r-dev-two", async () => {
    await page.keyboard.press("l");
    await editor(page).waitFor();
    await rest(page);
    await page.keyboard.press("Enter");
    await page.waitForTimeout(100);
    await page.getByLabel("checkout").uncheck();
    await page.getByLabel("payments").uncheck();
    await editor(page).getByText("No namespace is left, and a yes to nothing is none").waitFor();
    await page.keyboard.press("Enter");
    await page.waitForTimeout(100);
    assert.deepEqual(await sent(page), []);
    await page.keyboard.press("Escape");
    await editor(page).waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.id === "requests");
    await page.keyboard.press("l");
    await editor(page).getByText("Nothing is taken off yet").waitFor();
  })()));

test("p8_production asks for Enter after what was chosen; Esc goes back to it", () =>
  at("scene=requestsLess&speed=20", (page) => less(page, "r-prod-two", async () => {
    await page.keyboard.press("l");
    await page.locator("label", { hasText: "30 min" }).click();
    await page.keyboard.press("Enter");
    await page.getByText("Just asked: that key was not taken").waitFor();
    await rest(page);
    await page.keyboard.press("Enter");
    const asks = page.getByText("Press Enter to approve operate on checkout-eu-2 for dana@example.test, for less: checkout + payments, 30 min instead of checkout + payments, 2 h; Esc to go back.");
    await asks.waitFor();
    await page.keyboard.press("Enter");
    await page.getByText("Just asked: that key was not taken").waitFor();
    assert.deepEqual(await sent(page), []);
    await page.keyboard.press("Escape");
    await editor(page).getByText("You give checkout + payments, 30 min").waitFor();
    await page.waitForFunction(() => document.activeElement?.matches("input[type=radio]:checked"));
    await rest(page);
    await page.keyboard.press("Enter");
    await asks.waitFor();
    await rest(page);
    await page.keyboard.press("Enter");
    await page.locator("footer [role=status]", { hasText: "You said yes" }).waitFor();
    assert.deepEqual((await sent(page)).map((s) => s.limits), [{ durationSeconds: 1800, namespaces: null }]);
  })()));

test("p8_another offer takes what was chosen away, and a yes to less takes no key too soon either", () =>
  at("scene=requestsLess&speed=20", (page) => less(page, "r-dev-two", async () => {
    await page.keyboard.press("l");
    await page.locator("label", { hasText: "30 min" }).click();
    await world(page, "(w) => w.requests.change('r-dev-two', { offer: { ...w.requests.one('r-dev-two').offer, digest: 'd'.repeat(64) } })");
    await editor(page).waitFor({ state: "detached" });
    await page.keyboard.press("l");
    await page.getByText("Changed just now: that key was not taken").waitFor();
    await page.keyboard.press("Enter");
    assert.deepEqual(await sent(page), []);
  })()));

test("the second factor goes on with the same limits", () =>
  at("scene=requestsLess&speed=20", (page) => less(page, "r-vault-two", async () => {
    await page.keyboard.press("l");
    await page.getByLabel("vault-agent").uncheck();
    await rest(page);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Confirm with your second factor" }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator("footer [role=status]", { hasText: "to less: in vault only" }).waitFor();
    const limits = { durationSeconds: null, namespaces: ["vault"] };
    assert.deepEqual((await sent(page)).map((s) => s.limits), [limits, limits]);
  })()));

test("where it is asked for cluster-wide, names are written, and what is no name is not sent", () =>
  at("scene=requestsLess&speed=20", (page) => less(page, "r-wide", async () => {
    await page.keyboard.press("l");
    await page.getByLabel("In", { exact: true }).fill("payments Cart");
    await editor(page).getByText("\u201cCart\u201d is no name of a namespace").waitFor();
    await rest(page);
    await page.keyboard.press("Enter");
    await page.waitForTimeout(100);
    assert.deepEqual(await sent(page), []);
    await page.getByLabel("In", { exact: true }).fill("payments, cart");
    await editor(page).getByText("You give payments + cart, 8 h instead of cluster-wide, 8 h.").waitFor();
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => window.sallyportFake.world.requests.said.length === 1);
    assert.deepEqual((await sent(page))[0].limits, { durationSeconds: null, namespaces: ["payments", "cart"] });
  })()));

test("what others took off is where less begins, and who took what off is told", () =>
  at("scene=requestsLess&speed=20", (page) => less(page, "r-so-far", async () => {
    const pane = page.locator("aside");
    await pane.getByText("so far: checkout + payments, 1 h").waitFor();
    await pane.getByText("for 1 h at most, in checkout + payments only").waitFor();
    assert.deepEqual([...new Set(await pane.locator(".rule .where").evaluateAll((all) => all.map((e) => e.title)))], ["checkout, payments"], "rights stand where a yes would still give them");
    await page.keyboard.press("l");
    assert.equal(await editor(page).getByLabel("cart").count(), 0);
    await page.getByLabel("checkout").uncheck();
    await editor(page).getByText("You give payments, 1 h instead of checkout + payments, 1 h.").waitFor();
    await rest(page);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => window.sallyportFake.world.requests.said.length === 1);
    assert.deepEqual((await sent(page))[0].limits, { durationSeconds: null, namespaces: ["payments"] });
  })()));

test("an older broker, and the least there is, can't give less: it is said in a sentence", () =>
  at("scene=requestsLess&speed=20", (page) => less(page, "r-old", async () => {
    await page.keyboard.press("l");
    await page.getByText("The broker of legacy-eu-9 is an older one: it gives what was asked for or nothing").waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("is an older one").waitFor({ state: "detached" });
    await select(page, "r-least");
    await page.keyboard.press("l");
    await page.getByText("This is the least there is: one namespace for 15 min").waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByText("Approve less: for a shorter time, in fewer namespaces").waitFor();
    assert.deepEqual(await sent(page), []);
  })()));

test("the profile that would give less is named, with what this adds to it", () =>
  at("", (page) => less(page, "r-prod", async () => {
    await page.locator("aside").getByText("Profile debug would give less; this adds:").waitFor();
    await page.locator("aside").getByText("The hub lets them ask for debug.").waitFor();
  })()));
