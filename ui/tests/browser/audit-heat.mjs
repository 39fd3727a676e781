import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../tools/time.mjs";
import { at, world } from "./site.mjs";

const go = async (page, letter = "a") => {
  await page.locator("#clusters").waitFor();
  await inTurn(page, "g", letter);
};
const entries = (page) => page.locator("#entries [role=row]").first().waitFor();

test("clusters by day stand in the histogram's place, are walked by keys, and a cell is a filter", () =>
  at("scene=auditedFleet", async (page) => {
    await go(page);
    await entries(page);
    await page.keyboard.press("h");
    const grid = page.getByRole("grid", { name: /^Calls of each cluster/ });
    await grid.waitFor();
    assert.equal(await page.locator("#histogram").count(), 0);
    assert.equal(await grid.getByRole("row").count(), 91, "ninety clusters and their days");
    assert.equal(await grid.getByRole("gridcell").count(), 90 * 14);
    await page.getByText("17 clusters with fewer calls left out").waitFor();
    await page.getByText("what log stores have is not in it").waitFor();
    assert.equal(await page.locator(".heat").evaluate((heat) => heat.innerText.includes("\u202e")), false, "p24");
    // A screen reader hears the cell that the keys lead to, with all of its numbers.
    await page.keyboard.press("w");
    const active = () => grid.evaluate((one) => document.getElementById(one.getAttribute("aria-activedescendant"))?.querySelector(".sr")?.textContent ?? "");
    await page.keyboard.press("Control+Home");
    const first = await active();
    assert.match(first, /^dev-.*, from \d+ \w+ \d\d:\d\d.*: ([\d,]+ calls?, [\d,]+ changes?, [\d,]+ denied, [\d,]+ failed|no call is kept)$/);
    await page.keyboard.press("ArrowDown");
    assert.notEqual(await active(), first);
    await page.keyboard.press("Control+End");
    const last = await active();
    assert.match(last, /^stage-/);
    assert.equal(await page.locator(".heat .cursor").evaluate((cell) => { const box = cell.getBoundingClientRect(); const within = cell.closest("[role=grid]").getBoundingClientRect(); return box.bottom <= within.bottom + 1 && box.top >= within.top - 1; }), true, "what is chosen is seen");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: `${last.split(",")[0]} remove` }).waitFor();
    await page.getByRole("button", { name: /–.*remove$/ }).waitFor();
    // Of what was denied, what was denied.
    await page.getByRole("button", { name: "Denied", exact: true }).click();
    await grid.getByRole("gridcell", { name: /[1-9]\d* denied/ }).first().click();
    await page.getByRole("button", { name: "denied remove" }).waitFor();
    await page.keyboard.press("h");
    await page.locator("#histogram").waitFor();
  }));

test("clusters by day turn by two weeks, grow with what is read, and say what is wrong", async () => {
  await at("scene=audited", async (page) => {
    await go(page);
    await entries(page);
    await page.keyboard.press("h");
    const calls = () => page.locator(".heat [role=gridcell]").evaluateAll((cells) => cells.map((cell) => Number(/: ([\d,]+) calls?/.exec(cell.querySelector(".sr").textContent)?.[1].replaceAll(",", "") ?? 0)).reduce((a, b) => a + b, 0));
    await page.locator(".heat [role=gridcell]").first().waitFor();
    assert.equal(await calls(), 3000, "each call stands in one cell");
    await world(page, "(w) => { for (let n = 0; n < 25; n++) w.evidence.append(Date.now() * 1000, n); w.hear({ kind: 'evidenceChanged' }); }");
    await page.waitForFunction(() => [...document.querySelectorAll(".heat [role=gridcell]")].map((cell) => Number(/: ([\d,]+) calls?/.exec(cell.querySelector(".sr").textContent)?.[1].replaceAll(",", "") ?? 0)).reduce((a, b) => a + b, 0) === 3025);
    assert.equal(await page.getByRole("button", { name: "Two weeks later" }).isDisabled(), true);
    await page.getByRole("button", { name: "Two weeks earlier" }).click();
    await page.getByText("No call of a cluster is kept of these days").waitFor();
    await page.getByRole("button", { name: "Two weeks later" }).click();
    await page.locator(".heat [role=gridcell]").first().waitFor();
  });
  await at("scene=auditFails", async (page) => {
    await go(page);
    await page.getByText("The history can't be read").waitFor();
    await page.keyboard.press("h");
    await page.getByText("The clusters' audit events can't be read").waitFor();
  });
});

test("how long clusters' events are kept is chosen in Settings, within bounds, and what went is counted", async () => {
  await at("scene=audited", async (page) => {
    await go(page, ",");
    const days = page.getByLabel("Kept for");
    await page.getByText("Kept now: 3,000 events").waitFor();
    assert.equal(await days.inputValue(), "");
    assert.equal(await page.getByLabel("In at most").inputValue(), "16");
    const keep = page.getByRole("button", { name: "Keep it so" });
    assert.equal(await keep.isDisabled(), true, "as it is");
    for (const wrong of ["0", "-3", "99999", "1e3", "a week"]) {
      await days.fill(wrong);
      assert.equal(await keep.isDisabled(), true, wrong);
    }
    await page.getByText("Events are kept for 1 to 3,653 days").waitFor();
    await days.fill("1");
    await page.getByLabel("In at most").fill("0");
    await page.getByText("between 1 and 4,096 GiB").waitFor();
    await page.getByLabel("In at most").fill("8");
    await keep.click();
    await page.getByText(/[1-9][\d,]* events were removed since this archive was begun/).waitFor();
    await inTurn(page, "g", "a");
    await entries(page);
    await page.keyboard.press("s");
    await page.getByText("for 1 day and in 8 GiB at most").waitFor();
    await page.getByText(/\([1-9][\d,]* older ones were removed\)/).waitFor();
  });
  await at("scene=notTaken", async (page) => {
    await go(page, ",");
    await page.getByText("Nothing is kept now").waitFor();
    await page.getByLabel("Kept for").fill("30");
    await page.getByRole("button", { name: "Keep it so" }).click();
    await page.getByText("the preferences can't be used").waitFor();
    assert.equal(await page.getByLabel("Kept for").inputValue(), "30", "what was written stays");
  });
});

test("each time of the Audit view has a machine's time and UTC beside it, and one key shows UTC in rows", () =>
  at("scene=audited", async (page) => {
    await go(page);
    await entries(page);
    const rows = page.locator("#entries time");
    await rows.first().waitFor();
    const all = await rows.evaluateAll((times) => times.map((time) => [time.getAttribute("datetime"), time.title, time.textContent]));
    for (const [machine, title, text] of all) {
      assert.equal(new Date(machine).toISOString(), machine);
      assert.match(title, /UTC\)?$/);
      assert.match(text, /^\d\d:\d\d:\d\d\.\d{3}$/);
    }
    await page.keyboard.press("z");
    await page.waitForFunction(() => [...document.querySelectorAll("#entries time")].every((time) => time.textContent === `${time.getAttribute("datetime").slice(11, 23)}Z`));
    await page.keyboard.press("z");
    await page.waitForFunction(() => [...document.querySelectorAll("#entries time")].every((time) => /^\d\d:\d\d:\d\d\.\d{3}$/.test(time.textContent)));
    // Beside rows UTC stands in words.
    await page.locator("#entries").getByText("Deleted deployment checkout").first().click();
    const side = page.getByRole("complementary", { name: "Selected row" });
    await side.getByText(/\d\d:\d\d:\d\d\.\d{3} UTC|\(.*UTC\)/).first().waitFor();
    await page.keyboard.press("o");
    await side.getByText("411 of 412").waitFor();
    assert.match(await side.locator("time").first().textContent(), /UTC\)?$/);
  }));
