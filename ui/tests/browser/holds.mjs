// Holds: on whom they are, who makes them, and what they stop.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, calls, world } from "./site.mjs";
import { come, holdEnter, rest, select } from "./inbox.mjs";

const dialog = (page) => page.getByRole("dialog", { name: "Hold" });
const made = (page) => world(page, "(w) => w.held");
const heldTab = (page) => page.getByRole("button", { name: /^Held/ });

test("H on a request holds who asks: what ends is counted, a reason is wanted, and Enter counts after the question", () =>
  at("speed=20", async (page) => {
    await come(page);
    await select(page, "r-prod");
    await page.keyboard.press("h");
    await dialog(page).waitFor();
    assert.equal(await dialog(page).getByLabel("Name").inputValue(), "oidc:lin@example.test");
    await dialog(page).getByText("1 open request of theirs in your teams ends now, with the sessions open by them.").waitFor();
    await page.waitForFunction(() => document.activeElement?.id === "hold-why");
    await dialog(page).getByLabel("Name").focus();
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("A hold wants a reason.").waitFor();
    await page.keyboard.type("Laptop stolen; all of h, a, d is text");
    await dialog(page).locator("label", { hasText: "8 h" }).click();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Hold lin@example.test for 8 h?" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByText("Just asked: that key was not taken").waitFor();
    assert.deepEqual(await made(page), []);
    await page.keyboard.press("Escape");
    await dialog(page).locator("label", { hasText: "8 h" }).waitFor();
    assert.equal(await dialog(page).getByLabel("Why").inputValue(), "Laptop stolen; all of h, a, d is text", "what was written stays");
    await dialog(page).getByLabel("Why").press("Enter");
    await rest(page);
    await page.keyboard.press("Enter");
    await dialog(page).waitFor({ state: "detached" });
    await page.getByText(/^lin@example.test is held until \d\d:\d\d/).or(page.getByText(/^lin@example.test is held until \d/)).first().waitFor();
    assert.deepEqual(await made(page), [{ on: "user", name: "oidc:lin@example.test", minutes: 480, reason: "Laptop stolen; all of h, a, d is text" }]);
    await page.locator("#request-r-prod .chip").getByText(/^held by/).waitFor();
    await heldTab(page).getByText("1", { exact: true }).waitFor();
  }));

test("a cluster and everything from the palette, from anywhere", () =>
  at("speed=20", async (page) => {
    await page.locator("#clusters").waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("hold a person");
    await page.keyboard.press("Enter");
    await dialog(page).waitFor();
    await page.waitForFunction(() => document.activeElement?.id === "hold-user");
    await dialog(page).getByText("What ends by it is said once it is known").waitFor();
    await dialog(page).getByLabel("Name").fill("oidc:dev@example.test");
    await dialog(page).getByText("That is you, and nobody removes a hold on themselves.").waitFor();
    await dialog(page).locator("label", { hasText: "A cluster" }).click();
    await dialog(page).getByLabel("Name").fill("no-such-cluster");
    await dialog(page).getByText("No cluster of your list has this name.").waitFor();
    await dialog(page).getByLabel("Name").fill("mail-eu-1");
    await dialog(page).getByText("2 open requests there in your teams end now").waitFor();
    await dialog(page).getByText("nobody asks for anything there").waitFor();
    await dialog(page).locator("label", { hasText: "Everything" }).click();
    await dialog(page).getByText("So does everything in all other teams.").waitFor();
    await dialog(page).getByText("and that includes you").waitFor();
    await dialog(page).locator("label", { hasText: "7 d" }).click();
    await dialog(page).getByLabel("Why").fill("drill");
    await dialog(page).getByLabel("Why").press("Enter");
    await page.getByRole("heading", { name: "Hold everything for 7 d?" }).waitFor();
    await rest(page);
    await page.keyboard.press("Enter");
    await page.locator(".banners").getByRole("alert").getByText("Everything is held").waitFor();
    assert.deepEqual(await made(page), [{ on: "everything", name: "", minutes: 10080, reason: "drill" }]);
  }));

test("a hold that fails says so and keeps what was written", () =>
  at("scene=holdFails&speed=20", async (page) => {
    await come(page);
    await select(page, "r-dev");
    await page.keyboard.press("h");
    await dialog(page).getByLabel("Why").fill("x");
    await dialog(page).getByLabel("Why").press("Enter");
    await rest(page);
    await page.keyboard.press("Enter");
    await dialog(page).getByRole("alert").getByText("nothing was held").waitFor();
    assert.equal(await dialog(page).getByLabel("Why").inputValue(), "x");
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
    await heldTab(page).click();
    await page.getByRole("button", { name: "Remove the hold" }).click();
    await rest(page);
    await page.keyboard.press("Enter");
    await page.locator("aside").getByRole("alert").getByText("so the hold stands").waitFor();
    assert.equal(await page.locator("#holds [role=row]").count(), 3);
  }));

test("one held Enter makes no hold and removes none", () =>
  at("scene=holds&speed=20", async (page) => {
    await come(page);
    await select(page, "r-dev");
    await page.keyboard.press("h");
    await dialog(page).getByLabel("Why").fill("x");
    await dialog(page).getByLabel("Why").focus();
    await holdEnter(page);
    await page.getByRole("heading", { name: /^Hold kim@example.test for 1 h/ }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await heldTab(page).click();
    await page.getByRole("button", { name: "Remove the hold" }).focus();
    await holdEnter(page);
    await page.getByText("Press Enter to remove the hold on dana@example.test").waitFor();
    assert.deepEqual(await made(page), []);
  }));

test("what is held is walked by keyboard, and removing asks first", () =>
  at("scene=holds&speed=20", async (page) => {
    await come(page);
    await heldTab(page).click();
    await page.locator("#hold-h-person[aria-selected=true]").waitFor();
    await page.locator("aside").getByRole("heading", { name: "dana@example.test is held" }).waitFor();
    await page.locator("#holds").focus();
    await page.keyboard.press("ArrowDown");
    await page.locator("aside").getByRole("heading", { name: "Cluster checkout-eu-2 is held" }).waitFor();
    await page.keyboard.press("k");
    await page.locator("#hold-h-person[aria-selected=true]").waitFor();
    for (const key of ["a", "d", "r", "l", "Enter"]) await page.keyboard.press(key);
    await page.getByRole("button", { name: "Remove the hold" }).click();
    const asks = page.getByText("Press Enter to remove the hold on dana@example.test");
    await asks.waitFor();
    await page.keyboard.press("Escape");
    await asks.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Remove the hold" }).click();
    await asks.waitFor();
    // What was asked about goes: nothing is asked about what comes in its place.
    await world(page, "(w) => w.change({ holds: w.state.holds.filter((h) => h.id !== 'h-person') })");
    await page.locator("aside").getByRole("heading", { name: "Cluster checkout-eu-2 is held" }).waitFor();
    await page.keyboard.press("Enter");
    assert.deepEqual(await made(page), []);
    await page.getByRole("button", { name: "Remove the hold" }).click();
    await rest(page);
    await page.keyboard.press("Enter");
    await page.locator("#hold-h-cluster").waitFor({ state: "detached" });
    assert.deepEqual(await made(page), [{ remove: "h-cluster" }]);
    assert.deepEqual((await world(page, "(w) => w.requests.said")), []);
  }));

test("on me: a banner that stays says what, by whom, why and until when, and nothing opens", () =>
  at("scene=heldMe&speed=20", async (page) => {
    await page.locator("#clusters").waitFor();
    const banner = page.locator(".banners").getByRole("alert");
    await banner.getByText("You are held").waitFor();
    await banner.getByText(/by security@example.test until \d\d:\d\d, for 2 h more: “Your token was seen in a build log/).or(banner.getByText(/by security@example.test until/)).first().waitFor();
    await page.locator("#cluster-payments-eu-1").getByText(/^held until/).waitFor();
    await page.locator("#cluster-payments-eu-1").dblclick();
    await page.locator("aside").getByText("You are held by security@example.test").waitFor();
    assert.ok(await page.getByRole("button", { name: /^Open debug/ }).isDisabled());
    assert.equal(await page.locator(".outlook").count(), 0, "nothing says that it would open");
    await page.locator("#clusters").focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("r");
    assert.ok(!(await calls(page)).includes("session_open"));
    await come(page);
    await heldTab(page).click();
    await page.locator("#hold-h-me").click();
    await page.getByText("Nobody removes a hold on themselves.").waitFor();
    assert.equal(await page.getByRole("button", { name: "Remove the hold" }).count(), 0);
    // It is over as soon as the desktop says so.
    await world(page, "(w) => w.change({ holds: [] })");
    await banner.waitFor({ state: "detached" });
    await page.getByText("Nothing is held.").waitFor();
  }));

test("a cluster that is held says so where it would be opened, and others open", () =>
  at("scene=holds&speed=50", async (page) => {
    await page.locator("#cluster-checkout-eu-2").click();
    await page.locator("aside").getByText(/Held by dba@example.test until .*Change freeze.*Nothing opens here until then/).waitFor();
    assert.ok(await page.getByRole("button", { name: /^Open debug/ }).isDisabled());
    assert.equal(await page.locator(".banners").getByRole("alert").count(), 0);
    await page.locator("#cluster-payments-eu-1").dblclick();
    await page.locator(".xterm-rows", { hasText: "$" }).waitFor();
  }));

test("whoever may not hold has no key for it and is told who may", () =>
  at("scene=mayNotHold", async (page) => {
    await come(page);
    await select(page, "r-dev");
    await page.keyboard.press("h");
    await page.waitForTimeout(100);
    assert.equal(await dialog(page).count(), 0);
    assert.equal(await page.getByRole("button", { name: /^Hold/ }).count(), 0);
    await heldTab(page).click();
    await page.getByText("You may not hold. Who may hold").waitFor();
    await page.locator("aside").getByText("You may not remove it.").waitFor();
  }));

test("hundreds of holds: only what is seen is in the page", () =>
  at("scene=holdsMany", async (page) => {
    await come(page);
    await heldTab(page).click();
    await page.locator("#holds").focus();
    await page.keyboard.press("End");
    await page.locator("#holds [aria-selected=true]").waitFor();
    assert.ok((await page.locator("#holds [role=row]").count()) < 60);
    assert.match(await heldTab(page).innerText(), /^Held\s(399|400)$/);
  }));
