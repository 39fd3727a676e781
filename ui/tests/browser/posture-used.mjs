import assert from "node:assert/strict";
import { test } from "node:test";
import { grid, pane, SMALL, title } from "./posture-page.mjs";
import { at, atClipboard } from "./site.mjs";

const look = async (page) => {
  await grid(page);
  await title(page, "Developers can become");
  await pane(page).getByRole("button", { name: /^Look what was used/ }).waitFor();
  await page.keyboard.press("u");
};
const scene = (name) => `scene=${name}&clusters=11&speed=20`;

test("what was used of a finding's rights is looked for by a key, with a narrower role and the difference to copy", () =>
  atClipboard(SMALL, async (page) => {
    await look(page);
    const role = pane(page).getByRole("region", { name: "The narrower role" });
    await role.waitFor();
    await pane(page).getByText("412 calls").waitFor();
    await pane(page).getByText("The log tells of").waitFor();
    await pane(page).getByText("2 rules would have been enough").waitFor();
    await pane(page).getByText("3 refused: not in the role").waitFor();
    const copy = (box) => box.locator("..").getByRole("button", { name: /^Cop/ }).click();
    await copy(role);
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^apiVersion: .*\n(.*\n)*.*resourceNames: \[broker-tls\]/);
    await pane(page).getByRole("button", { name: "Difference" }).click();
    const difference = pane(page).getByRole("region", { name: "What goes and what comes" });
    await difference.locator(".is-cut").first().waitFor();
    await difference.locator(".is-add").first().waitFor();
    await copy(difference);
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /\n-- apiGroups/);
    await pane(page).getByText("never seen used").waitFor();
    await pane(page).getByText("What this can't tell").click();
    await pane(page).getByText("less often than these logs reach back").waitFor();
    assert.equal(await page.locator("body").evaluate((body) => body.innerText.includes("\u202e")), false, "p24");
    await pane(page).getByRole("button", { name: "look again" }).click();
    await page.waitForFunction(() => window.sallyportFake.calls.filter((name) => name === "posture_used").length === 2);
  }));

test("where no role can be proposed it says why and what to do", () => Promise.all([
  at(scene("postureUsedNone"), async (page) => {
    await look(page);
    await pane(page).getByText("was read on this desktop").waitFor();
    await pane(page).getByText("as a source in Audit").waitFor();
    assert.equal(await pane(page).getByRole("region", { name: "The narrower role" }).count(), 0);
  }),
  at(scene("postureUsedGroup"), async (page) => {
    await look(page);
    await pane(page).getByText("It is held by a group.").waitFor();
  }),
  at(scene("postureUsedNothing"), async (page) => {
    await look(page);
    await pane(page).getByText("there is no role to propose").waitFor();
    await pane(page).getByText("No call of theirs.").waitFor();
    await pane(page).getByText("What they hold and were not seen to use").waitFor();
    assert.equal(await pane(page).getByRole("button", { name: "Difference" }).count(), 0);
  }),
]));

test("a look that goes on, lacks something or fails says so", () => Promise.all([
  at(scene("postureUsedLooking"), async (page) => {
    await look(page);
    await pane(page).getByText("Looking through the audit logs").waitFor();
  }),
  at(scene("postureUsedPart"), async (page) => {
    await look(page);
    await pane(page).getByText("Not all of the log could be looked at in the time there was").waitFor();
    await pane(page).getByRole("region", { name: "The narrower role" }).waitFor();
  }),
  at(scene("postureUsedFails"), async (page) => {
    await look(page);
    await pane(page).getByRole("alert").getByText("in use by process 4711").waitFor();
    await pane(page).getByRole("button", { name: /^Try again/ }).click();
    await page.waitForFunction(() => window.sallyportFake.calls.filter((name) => name === "posture_used").length === 2);
  }),
]));
