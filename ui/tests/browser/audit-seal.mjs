import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../tools/time.mjs";
import { at } from "./site.mjs";

const dialog = (page) => page.getByRole("dialog", { name: "Sealing key" });
const open = async (page) => {
  await page.locator("#clusters").waitFor();
  await inTurn(page, "g", "a");
  await page.locator("#entries").getByText("Ran psql").first().waitFor();
  await page.keyboard.press("k");
  await dialog(page).waitFor();
};

test("another sealing key is made by the keys, after what it means was read, and is an entry", () =>
  at("", async (page) => {
    await open(page);
    await dialog(page).getByText("9c41d2e8").waitFor();
    await dialog(page).getByText("all of 1,400 entries").waitFor();
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    await dialog(page).getByText("can't be taken back").waitFor();
    await page.keyboard.press("Enter");
    await dialog(page).getByText("Named by", { exact: true }).waitFor();
    await dialog(page).getByText("5e1f77c0").waitFor();
    await page.keyboard.press("Enter");
    await dialog(page).waitFor({ state: "detached" });
    await page.locator("#entries").getByText("A new sealing key").first().waitFor();
  }));

test("one held Enter makes no sealing key, and whoever looked only has changed nothing", () =>
  at("", async (page) => {
    await open(page);
    await dialog(page).getByRole("button", { name: "Another key" }).focus();
    await page.keyboard.down("Enter");
    await dialog(page).getByText("can't be taken back").waitFor();
    // A key that is held comes again and again.
    for (let n = 0; n < 20; n++) await page.keyboard.down("Enter");
    await page.keyboard.up("Enter");
    await dialog(page).getByText("can't be taken back").waitFor();
    await dialog(page).getByRole("button", { name: "Keep this one" }).click();
    await dialog(page).getByText("9c41d2e8").waitFor();
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
    assert.equal(await page.locator("#entries").getByText("A new sealing key").count(), 0);
  }));

test("a disk that does not take the word of the old key is said, and no third key is offered", () =>
  at("scene=auditBusy", async (page) => {
    await open(page);
    await dialog(page).getByRole("button", { name: "Another key" }).click();
    await page.keyboard.press("Enter");
    await dialog(page).getByText("he disk did not take").waitFor();
    await dialog(page).getByText("has not named this one").waitFor();
    assert.equal(await dialog(page).getByRole("button", { name: "Another key" }).count(), 0);
  }));

test("without a keyring it says that nothing is sealed, and where the history can't be read what to do", async () => {
  await at("scene=memoryOnly", async (page) => {
    await open(page);
    await dialog(page).getByText("Nothing is sealed here").waitFor();
    assert.equal(await dialog(page).getByRole("button", { name: "Another key" }).count(), 0);
  });
  await at("scene=auditFails", async (page) => {
    await page.locator("#clusters").waitFor();
    await inTurn(page, "g", "a");
    await page.getByText("The history can't be read").first().waitFor();
    await page.keyboard.press("k");
    await dialog(page).getByText("Run verify").waitFor();
    await dialog(page).getByRole("button", { name: "Try again" }).waitFor();
  });
});
