import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../tools/time.mjs";
import { at } from "./site.mjs";

const go = async (page) => {
  await page.locator("#clusters").waitFor();
  await inTurn(page, "g", "a");
  await page.locator("#entries [role=row]").first().waitFor();
};
const dialog = (page) => page.getByRole("dialog", { name: "Hand on" });
const begin = async (page) => {
  await page.keyboard.press("e");
  await dialog(page).getByLabel("Write to").waitFor();
};

test("a pack with the recordings that were chosen is written by the keys alone, and says how it is checked", () =>
  at("scene=audited", async (page) => {
    await go(page);
    await begin(page);
    const place = dialog(page).getByLabel("Write to");
    assert.match(await place.inputValue(), /\.tar$/);
    const tapes = dialog(page).getByRole("checkbox");
    assert.ok((await tapes.count()) > 1 && (await tapes.first().isChecked()), "all are chosen at first");
    for (const one of (await tapes.all()).slice(1)) await one.uncheck();
    await place.focus();
    await page.keyboard.press("Enter");
    await dialog(page).getByRole("heading", { name: "Writing" }).waitFor();
    await dialog(page).getByText(/of [\d,]+ looked at/).waitFor();
    await dialog(page).getByRole("heading", { name: "Written" }).waitFor();
    await dialog(page).getByText("3 segments of recordings").waitFor();
    await dialog(page).getByText(/sallyport audit verify FILE --key 9c41d2e8/).waitFor();
    await page.keyboard.press("Enter");
    await dialog(page).waitFor({ state: "detached" });
    await page.locator("#entries").getByText("Handed on as pack").first().waitFor();
  }));

test("what is handed on is what the timeline's filter selects, and a form names its ending", () =>
  at("scene=audited", async (page) => {
    await go(page);
    await page.keyboard.press("f");
    await page.locator("#filter-verb").fill("delete");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "verb delete remove" }).waitFor();
    await page.getByRole("button", { name: "Hand on" }).click();
    await dialog(page).getByText("Selected: verb delete.").waitFor();
    // Of this desktop's history nothing fits: a pack would be empty.
    assert.ok(await dialog(page).getByRole("radio", { name: /^JSON lines/ }).isChecked());
    await dialog(page).getByRole("radio", { name: /^Evidence pack/ }).check();
    await dialog(page).getByText("a pack holds nothing else").waitFor();
    assert.ok(await dialog(page).getByRole("button", { name: "Write it" }).isDisabled());
    for (const [form, ending] of [["OCSF", ".ocsf.jsonl"], ["CSV", ".csv"], ["JSON lines", ".jsonl"], ["Access report", ".html"], ["CSV", ".csv"]]) {
      await dialog(page).getByRole("radio", { name: new RegExp(`^${form}`) }).check();
      assert.ok((await dialog(page).getByLabel("Write to").inputValue()).endsWith(`201500${ending}`), form);
    }
    await dialog(page).getByText("What log stores have is not in it").waitFor();
    await dialog(page).getByRole("button", { name: "Write it" }).click();
    await dialog(page).getByText(/0 entries, [\d,]+ calls/).waitFor();
    assert.equal(await page.locator("body").evaluate((body) => body.innerText.includes("\u202e")), false, "p24");
  }));

test("what is being written goes on behind a closed dialog, and is given up by a word", () =>
  at("scene=audited", async (page) => {
    await go(page);
    await begin(page);
    await dialog(page).getByLabel("Write to").fill("/slow/a.tar");
    await dialog(page).getByRole("button", { name: "Write it" }).click();
    await dialog(page).getByText(/looked at/).waitFor();
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
    await page.keyboard.press("e");
    await dialog(page).getByRole("heading", { name: "Writing" }).waitFor();
    await dialog(page).getByRole("button", { name: "Stop" }).click();
    await dialog(page).getByLabel("Write to").waitFor();
    assert.equal(await dialog(page).getByRole("alert").count(), 0, "what was given up is no failure");
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("#entries").getByText("Handed on as").count(), 0);
  }));

test("what was written behind a closed dialog is shown when it is opened again", () =>
  at("scene=audited", async (page) => {
    await go(page);
    await begin(page);
    await dialog(page).getByRole("button", { name: "Write it" }).click();
    await dialog(page).getByText(/looked at/).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#entries").getByText("Handed on as pack").first().waitFor();
    await page.keyboard.press("e");
    await dialog(page).getByRole("heading", { name: "Written" }).waitFor();
    await dialog(page).getByRole("button", { name: "Another one" }).click();
    await dialog(page).getByLabel("Write to").waitFor();
  }));

test("a disk that is full, a place that is taken and nothing that fits are said with what to do", () =>
  at("scene=audited", async (page) => {
    await go(page);
    await begin(page);
    const place = dialog(page).getByLabel("Write to");
    for (const [where, words] of [["/home/dev/taken.tar", "already"], ["/full/a.tar", "the disk is full"], ["/home/dev/a.txt", "does not end in the name"]]) {
      await place.fill(where);
      await dialog(page).getByRole("button", { name: "Write it" }).click();
      await dialog(page).getByText(words).first().waitFor();
    }
    await page.keyboard.press("Escape");
    await page.keyboard.press("f");
    await page.locator("#filter-cluster").fill("nowhere-1");
    await page.keyboard.press("Enter");
    await page.getByText("No row matches.").waitFor();
    await page.keyboard.press("e");
    await dialog(page).getByText("Nothing fits the filter.").waitFor();
    assert.ok(await dialog(page).getByRole("button", { name: "Write it" }).isDisabled());
  }));

test("without a keyring no pack is offered, and the rest is", () =>
  at("scene=memoryOnly", async (page) => {
    await go(page);
    await begin(page);
    assert.ok(await dialog(page).getByRole("radio", { name: /^JSON lines/ }).isChecked());
    await dialog(page).getByRole("radio", { name: /^Evidence pack/ }).check();
    await dialog(page).getByText("This history is not sealed").waitFor();
  }));

test("what could not be counted is said, and counted again", () =>
  at("scene=auditFails", async (page) => {
    await page.locator("#clusters").waitFor();
    await inTurn(page, "g", "a");
    await page.getByText("The history can't be read").first().waitFor();
    await page.keyboard.press("e");
    await dialog(page).getByRole("button", { name: "Try again" }).waitFor();
  }));
