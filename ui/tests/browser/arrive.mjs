import assert from "node:assert/strict";
import { test } from "node:test";
import { at, enter, world } from "./site.mjs";

const clicked = (page, to) => world(page, "(w, to) => w.hear({ kind: 'go', to })", to);

test("a clicked notification leads to the request, in the tab that shows it, from wherever one is", () =>
  at("", async (page) => {
    await page.locator("#clusters").waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").waitFor();
    await clicked(page, { kind: "request", id: "r-vault" });
    await page.locator("aside h2, aside", { hasText: "vault-eu-1" }).first().waitFor();
    assert.equal(await page.getByRole("dialog").count(), 0);
    assert.equal(await page.locator("#request-r-vault[aria-selected=true], #request-r-vault[aria-current=true]").count(), 1);
    await clicked(page, { kind: "request", id: "r-active" });
    await page.locator("aside", { hasText: "checkout-stage" }).waitFor();
    // One that is over by now leads to those that are there.
    await clicked(page, { kind: "request", id: "r-gone" });
    await page.locator("#requests").waitFor();
    await clicked(page, { kind: "requests" });
    await page.getByRole("button", { name: /^For me/, pressed: true }).waitFor();
  }));

test("a clicked notification leads to the session, out of a terminal, and to the sessions when it was put away", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    const id = await world(page, "(w) => w.sessions.keys().next().value");
    await clicked(page, { kind: "requests" });
    await page.locator("#requests").waitFor();
    await clicked(page, { kind: "session", id });
    await page.locator(".truth", { hasText: "payments-eu-1" }).waitFor();
    await clicked(page, { kind: "requests" });
    await page.locator("#requests").waitFor();
    await clicked(page, { kind: "session", id: "put-away" });
    await page.locator(".truth", { hasText: "payments-eu-1" }).waitFor();
  }));

test("whoever is asked whether to quit answers that first", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    await world(page, "(w) => w.hear({ kind: 'quitAsked' })");
    await page.getByText("Quit Sallyport?").waitFor();
    await clicked(page, { kind: "requests" });
    await page.waitForTimeout(200);
    assert.equal(await page.getByText("Quit Sallyport?").count(), 1);
  }));

test("nobody is led anywhere who is not signed in, nor afterwards", () =>
  at("scene=signedOut&speed=50", async (page) => {
    await page.getByRole("button", { name: /^Sign in/ }).waitFor();
    await clicked(page, { kind: "requests" });
    await page.waitForTimeout(200);
    await page.getByRole("button", { name: /^Sign in/ }).click();
    await page.locator("#clusters").waitFor();
  }));
