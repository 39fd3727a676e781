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
    const tapes = dialog(page).getByRole("group", { name: /^With what terminals showed/ }).getByRole("checkbox");
    assert.equal(await tapes.count(), 4);
    const chosen = async () => Promise.all((await tapes.all()).map((one) => one.isChecked()));
    assert.deepEqual(await chosen(), [false, false, false, false], "nothing is more private: none is chosen at first");
    await dialog(page).getByText("none of 3 recorded sessions chosen").waitFor();
    // All by one key, from the field too, which takes no letter of it; and none again.
    const was = await place.inputValue();
    await page.keyboard.press("Alt+a");
    await dialog(page).getByText("3 of 3 recorded sessions chosen").waitFor();
    assert.deepEqual(await chosen(), [true, true, true, true]);
    await page.keyboard.press("Alt+a");
    await dialog(page).getByText("none of 3 recorded sessions chosen").waitFor();
    assert.equal(await place.inputValue(), was);
    await tapes.nth(1).check();
    await dialog(page).getByText("1 of 3 recorded sessions chosen").waitFor();
    assert.ok(await tapes.first().evaluate((box) => box.indeterminate && !box.checked), "some, and not all");
    await tapes.first().check();
    assert.deepEqual(await chosen(), [true, true, true, true]);
    await tapes.nth(2).uncheck();
    await tapes.nth(3).uncheck();
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
    // Of this desktop's history nothing fits: a pack would be empty without what clusters tell.
    assert.ok(await dialog(page).getByRole("radio", { name: /^Evidence pack/ }).isChecked());
    const events = dialog(page).getByRole("checkbox", { name: /^With what clusters tell/ });
    assert.ok(await events.isChecked(), "the filter selects them");
    await dialog(page).getByText("What log stores have is not in it").waitFor();
    await events.uncheck();
    await dialog(page).getByText("nothing else is chosen for the pack").waitFor();
    assert.ok(await dialog(page).getByRole("button", { name: "Write it" }).isDisabled());
    assert.equal(await dialog(page).getByText("What log stores have is not in it").count(), 0);
    await events.check();
    assert.ok(await dialog(page).getByRole("button", { name: "Write it" }).isEnabled());
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

test("clusters' events go with a pack, and none where they can't be read", async () => {
  await at("scene=audited", async (page) => {
    await go(page);
    await begin(page);
    await dialog(page).getByRole("checkbox", { name: /^With what clusters tell [\d,]+ events of their audit logs/ }).waitFor();
    await dialog(page).getByRole("button", { name: "Write it" }).click();
    await dialog(page).getByText(/[\d,]+ entries, [\d,]+ calls/).waitFor();
    assert.equal(await dialog(page).getByText("segments of recordings").count(), 0, "none was chosen");
  });
  await at("scene=auditBusy", async (page) => {
    await go(page);
    await begin(page);
    await dialog(page).getByText("Nothing of the clusters' events can be looked at").waitFor();
    assert.equal(await dialog(page).getByRole("checkbox", { name: /^With what clusters tell/ }).count(), 0);
  });
});

test("a sign-out says before that what is being written is given up, and after it where one signs in", () =>
  at("scene=audited", async (page) => {
    await go(page);
    await begin(page);
    await dialog(page).getByLabel("Write to").fill("/slow/a.tar");
    await dialog(page).getByRole("button", { name: "Write it" }).click();
    await dialog(page).getByText(/looked at/).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: /dev@example/ }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    const ending = page.getByRole("dialog", { name: "Sign out" });
    await ending.getByText("What is being handed on is given up with this").waitFor();
    await ending.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("what was being handed on was given up by the sign-out").waitFor();
    await page.getByText("Sign in and hand it on again.").waitFor();
    await ending.waitFor({ state: "detached" });
  }));
