import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../tools/time.mjs";
import { at, atClipboard, world } from "./site.mjs";

const go = async (page) => {
  await page.locator("#clusters").waitFor();
  await inTurn(page, "g", "a");
  await page.locator("#entries [role=row]").first().waitFor();
};

test("p19_a gap is a row of its own, hatched, and explained", () =>
  at("", async (page) => {
    await go(page);
    const gap = page.getByText("No evidence for 40 s").first();
    assert.match(await gap.locator("xpath=ancestor::*[@role='row']").evaluate((e) => getComputedStyle(e).backgroundImage), /repeating-linear-gradient/);
    await gap.click();
    await page.getByText("Evidence is missing here").waitFor();
  }));

test("older pages come as they are scrolled to, down to the first entry", () =>
  at("", async (page) => {
    await go(page);
    await page.waitForFunction(
      () => {
        const list = document.querySelector("#entries");
        list.scrollTop = list.scrollHeight;
        return document.body.innerText.includes("1,400 shown · 1,400 in the history");
      },
      null,
      { polling: 100 },
    );
  }));

test("new entries appear on top while one looks", () =>
  at("", async (page) => {
    await go(page);
    await world(page, "(w) => w.log('verify', 'Something new happened')");
    await page.locator("#entries").getByText("Something new happened").waitFor();
  }));

test("a join id is copied whole and narrows the list to its session", () =>
  atClipboard("", async (page) => {
    await go(page);
    await page.getByText("Ran psql").first().click();
    await page.getByText("1 secret taken out").waitFor();
    await page.getByRole("button", { name: "Copy Audit-ID" }).click();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^0195f0aa-\d{4}-7000/);
    await page.getByRole("button", { name: "Only this session" }).click();
    await page.getByRole("button", { name: "session 5e55107f remove" }).waitFor();
  }));

test("p18_a broken chain is said in red with the entry, a whole one with its count of gaps", async () => {
  await at("scene=tampered", async (page) => {
    await go(page);
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText("broken at entry 813").waitFor();
    await page.getByRole("alert").getByText("was edited after it was written").waitFor();
  });
  await at("", async (page) => {
    await go(page);
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText("100 gaps").waitFor();
  });
});
