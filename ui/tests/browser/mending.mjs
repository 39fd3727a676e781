// A fix of a workload, made through an open session: tried on the API server first, and applied once, on a key that was meant.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn, rest, stand } from "../../tools/time.mjs";
import { holdEnter } from "./inbox.mjs";
import { at, calls } from "./site.mjs";

const scene = (name = "posture") => `scene=${name}&clusters=11&speed=20`;
const pane = (page) => page.locator("aside");
const asked = async (page, name) => (await calls(page)).filter((one) => one === name).length;
const apply = (page) => pane(page).getByRole("button", { name: /^Apply it/ });
const begin = (page) => pane(page).getByRole("button", { name: /^Apply in the open session/ });

/** Comes to the workload of a cluster. */
const come = async (page, cluster = "checkout-stage") => {
  await page.locator("#clusters").waitFor();
  await inTurn(page, "g", "p");
  await page.locator("[data-weakness='w-12']").first().click();
  await page.getByRole("group", { name: "Clusters that have it" }).getByRole("button", { name: cluster }).click();
  await pane(page).locator(".where", { hasText: cluster }).waitFor();
  await begin(page).waitFor();
  // From here time passes only as a test lets it.
  await stand(page);
};
const tried = async (page, cluster) => {
  await come(page, cluster);
  await page.keyboard.press("a");
  await pane(page).getByText("Nothing is changed yet").waitFor();
};

test("p11_a fix of rights is not offered to a session, by no button and by no key", () =>
  at(scene(), async (page) => {
    await page.locator("#clusters").waitFor();
    await inTurn(page, "g", "p");
    await page.locator("[data-weakness='w-0']").first().click();
    await pane(page).getByText("No session changes rights").waitFor();
    await page.keyboard.press("a");
    assert.equal(await begin(page).count(), 0);
    assert.equal(await asked(page, "posture_fix_try"), 0);
  }));

test("a fix of a workload is tried first, and applied on Enter; then a scan is offered", () =>
  at(scene(), async (page) => {
    await come(page);
    await pane(page).getByText("Its pods restart").waitFor();
    await page.keyboard.press("a");
    await pane(page).getByText("Tried on checkout-stage in the open session").waitFor();
    assert.equal(await asked(page, "posture_fix_apply"), 0);
    await page.waitForFunction(() => document.activeElement?.textContent?.startsWith("Apply it"));
    await rest(page);
    await page.keyboard.press("Enter");
    await pane(page).getByText("Applied on checkout-stage").waitFor();
    assert.equal(await asked(page, "posture_fix_apply"), 1);
    await pane(page).getByRole("button", { name: "Scan again" }).click();
    await page.getByText(/^Scanning: |^Scanned: /).waitFor();
  }));

test("the key that tried it does not apply it, however long it is held, and production is named", () =>
  at(scene(), async (page) => {
    await tried(page, "payments-eu-1");
    await pane(page).getByRole("button", { name: "Apply it on production" }).waitFor();
    await page.waitForFunction(() => document.activeElement?.textContent?.startsWith("Apply it"));
    await page.keyboard.press("Enter");
    await pane(page).getByText("that key was not taken").waitFor();
    await holdEnter(page);
    assert.equal(await asked(page, "posture_fix_apply"), 0);
    await rest(page);
    await page.keyboard.press("Enter");
    await pane(page).getByText("Applied on payments-eu-1").waitFor();
  }));

test("a double click applies it once", () =>
  at(scene(), async (page) => {
    await tried(page);
    await rest(page);
    await apply(page).dblclick();
    await pane(page).getByText("Applied on checkout-stage").waitFor();
    await page.waitForTimeout(60);
    assert.equal(await asked(page, "posture_fix_apply"), 1);
  }));

test("Esc leaves what was tried, and nothing is applied", () =>
  at(scene(), async (page) => {
    await tried(page);
    await page.waitForFunction(() => document.activeElement?.textContent?.startsWith("Apply it"));
    await page.keyboard.press("Escape");
    await begin(page).waitFor();
    await rest(page);
    await page.keyboard.press("Enter");
    await page.waitForTimeout(60);
    assert.equal(await asked(page, "posture_fix_apply"), 0);
  }));

test("what was tried of one cluster is not applied to another, nor where somebody writes", () => Promise.all([
  at(scene(), async (page) => {
    await tried(page);
    await page.getByRole("group", { name: "Clusters that have it" }).getByRole("button", { name: "payments-eu-1" }).click();
    await begin(page).waitFor();
    assert.equal(await apply(page).count(), 0);
    await page.getByRole("group", { name: "Clusters that have it" }).getByRole("button", { name: "checkout-stage" }).click();
    await apply(page).waitFor();
    assert.equal(await asked(page, "posture_fix_apply"), 0);
  }),
  at(scene(), async (page) => {
    await come(page);
    await page.keyboard.press("a");
    await page.keyboard.press("/");
    await page.keyboard.type("check out");
    await pane(page).getByText("Nothing is changed yet").waitFor();
    await rest(page);
    await page.keyboard.type(" more");
    await page.keyboard.press("Enter");
    assert.equal(await page.getByLabel("Search clusters").inputValue(), "check out more");
    assert.equal(await asked(page, "posture_fix_apply"), 0);
  }),
]));

test("without a session that may, the profiles that would do are named, and lead there", () =>
  at(scene("postureFixNoSession"), async (page) => {
    await come(page);
    await begin(page).click();
    await pane(page).getByText("may patch deployments.apps in payments").waitFor();
    await pane(page).getByText("these would do: operate, releases⟨U+202E⟩.").waitFor();
    assert.equal(await apply(page).count(), 0);
    await pane(page).getByRole("button", { name: "Open checkout-stage…" }).click();
    await page.locator("#cluster-checkout-stage[aria-selected=true]").waitFor();
  }));

test("what the API server would refuse is not offered, and is said in its words", () =>
  at(scene("postureFixRefused"), async (page) => {
    await come(page);
    await page.keyboard.press("a");
    await pane(page).getByRole("alert").getByText("admission refuses it").waitFor();
    assert.equal(await apply(page).count(), 0);
    await pane(page).getByRole("button", { name: "Try it again" }).click();
    await page.waitForFunction(() => window.sallyportFake.calls.filter((name) => name === "posture_fix_try").length === 2);
  }));

test("no answer to the trial is no yes, and what changed since or ended in the middle is told as it is", () => Promise.all([
  at(scene("postureFixNoAnswer"), async (page) => {
    await come(page);
    await page.keyboard.press("a");
    await pane(page).getByRole("alert").getByText("Nothing was changed. Try again.").waitFor();
    assert.equal(await apply(page).count(), 0);
  }),
  at(scene("postureFixChanged"), async (page) => {
    await tried(page);
    await rest(page);
    await page.keyboard.press("Enter");
    await pane(page).getByRole("alert").getByText("It was not applied: Deployment payments/checkout changed").waitFor();
    assert.equal(await pane(page).getByText("Applied on").count(), 0);
  }),
  at(scene("postureFixEnded"), async (page) => {
    await tried(page);
    await rest(page);
    await page.keyboard.press("Enter");
    await pane(page).getByRole("alert").getByText("It may have been applied, and nobody knows").waitFor();
    await pane(page).getByRole("button", { name: "Scan again" }).waitFor();
    assert.equal(await pane(page).getByText("Applied on").count(), 0);
  }),
]));
