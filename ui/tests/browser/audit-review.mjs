import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../tools/time.mjs";
import { at } from "./site.mjs";

const side = (page) => page.getByRole("complementary", { name: "Selected row" });
const pageOf = async (page, which) => {
  await page.locator("#clusters").waitFor();
  await inTurn(page, "g", "a");
  await page.locator("#entries").getByText("Scaled deployment checkout").first().click();
  await page.getByRole("button", { name: `This ${which}` }).click();
  await side(page).getByRole("heading", { name: "Access review" }).waitFor();
};
const dialog = (page) => page.getByRole("dialog", { name: "Access review" });

test("a person's access is reviewed by the keys, becomes an entry, and stands on their page", () =>
  at("scene=audited", async (page) => {
    await pageOf(page, "person");
    await side(page).getByText("never", { exact: true }).waitFor();
    await page.keyboard.press("v");
    await dialog(page).waitFor();
    // Nothing is written without saying what came of it.
    await dialog(page).getByRole("button", { name: "Write it down" }).click();
    await dialog(page).getByText("Say what came of it.").waitFor();
    await dialog(page).getByLabel("Something of it is to be removed").check();
    await dialog(page).getByText("Say what is to go, and who does it.").waitFor();
    await dialog(page).getByRole("textbox").fill("the binding old-ops \u202etxt.exe <img src=x onerror=alert(1)>");
    await dialog(page).getByRole("button", { name: "Write it down" }).click();
    await dialog(page).waitFor({ state: "detached" });
    await side(page).getByText("last reviewed by").waitFor();
    await side(page).getByText("To be removed").waitFor();
    assert.equal(await page.locator("body").evaluate((body) => body.innerText.includes("\u202e")), false, "p24");
    assert.equal(await side(page).locator("img").count(), 0, "p24");
    // The list is where the row is that led here; the newest is on top.
    await page.locator("#entries").focus();
    await page.keyboard.press("Home");
    await page.locator("#entries").getByText("Reviewed the access of").first().waitFor();
  }));

test("of a cluster what was done and standing access are reviewed apart, up to what was looked at", () =>
  at("scene=audited", async (page) => {
    await pageOf(page, "cluster");
    assert.equal(await side(page).getByText("never", { exact: true }).count(), 2);
    await side(page).getByRole("button", { name: "Write down a review" }).click();
    await dialog(page).getByText("all up to").waitFor();
    await dialog(page).getByLabel(/^Standing access/).check();
    await dialog(page).getByLabel("It is right as it is").check();
    await dialog(page).getByRole("button", { name: "Write it down" }).click();
    await dialog(page).waitFor({ state: "detached" });
    await side(page).getByText("Standing access: last reviewed by").waitFor();
    assert.equal(await side(page).getByText("never", { exact: true }).count(), 1);
    await side(page).getByText("Kept", { exact: true }).waitFor();
  }));

test("a review that the disk does not take stays on screen with what to do", () =>
  at("scene=auditBusy", async (page) => {
    await page.locator("#clusters").waitFor();
    await inTurn(page, "g", "a");
    await page.locator("#entries").getByText("Ran psql").first().click();
    await page.getByRole("button", { name: "This cluster" }).click();
    await side(page).getByRole("heading", { name: "Access review" }).waitFor();
    await page.keyboard.press("v");
    await dialog(page).getByLabel("It is right as it is").check();
    await dialog(page).getByRole("textbox").fill("looked through with the team");
    await dialog(page).getByRole("button", { name: "Write it down" }).click();
    await dialog(page).getByText("The disk did not take the entry in time").waitFor();
    assert.equal(await dialog(page).getByRole("textbox").inputValue(), "looked through with the team");
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
  }));
