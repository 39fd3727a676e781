// The keyboard in the posture view: into what is looked at and out again, and never lost on the way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SMALL, active, focused, grid, pane, row, tab, title } from "./posture-page.mjs";
import { at } from "./site.mjs";

test("the keyboard leads to what is looked at with Enter, further with Tab, and back out with Escape", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await focused(page, "#posture");
    await page.keyboard.press("Home");
    for (let i = 0; i < 7; i++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await title(page, "payments-eu-1");
    await focused(page, "#posture");
    await page.keyboard.press("Enter");
    await focused(page, "#posture-pane");
    await page.keyboard.press("Tab");
    await focused(page, "aside .finding");
    await page.keyboard.press("Enter");
    await title(page, "Developers can become cluster-admin in 3 steps");
    await focused(page, "#posture-pane");
    await page.keyboard.press("Escape");
    await title(page, "payments-eu-1");
    await focused(page, "#posture-pane");
    await page.keyboard.press("Escape");
    await focused(page, "#posture");
    assert.match(await active(page), /^payments-eu-1, prod/);
    await page.keyboard.press("j");
    await page.locator("#first").focus();
    await page.keyboard.press("Enter");
    await focused(page, "#posture-pane");
    await page.keyboard.press("Escape");
    await focused(page, "#first");
  }));

test("a practice is entered and left like a row, and the list of one cluster knows what was looked at in the list of all", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await page.locator("[data-practice='1']").focus();
    await page.keyboard.press("ArrowRight");
    await title(page, "Private endpoint");
    await page.keyboard.press("Enter");
    await focused(page, "#posture-pane");
    await page.keyboard.press("Escape");
    await focused(page, "[data-practice='2']");
    await page.keyboard.press("Escape");
    await focused(page, "#posture");
    await page.locator("[data-weakness='w-0']").click();
    await title(page, "Developers can become");
    await tab(page, /^Findings/);
    await page.getByLabel("Of which cluster").selectOption("payments-eu-1");
    await page.locator("[data-finding][aria-selected=true]", { hasText: "Developers can become" }).waitFor();
    await page.keyboard.press("j");
    await title(page, "Standing admin");
    await page.getByRole("button", { name: "all clusters again" }).press("Enter");
    await page.locator("[data-weakness='w-2'][aria-selected=true]").waitFor();
    // Its button is gone with the press.
    await focused(page, "#findings");
  }));

test("the focus is never lost: whatever goes away hands it on", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await page.keyboard.press("/");
    await page.keyboard.type("zzzz");
    await page.getByRole("button", { name: "Show all" }).press("Enter");
    await focused(page, "#posture");
    // An exception is kept with Escape, then removed: what is listed has the focus after it.
    for (let i = 0; i < 3; i++) await page.keyboard.press("t");
    await focused(page, "#exceptions");
    await page.keyboard.press("Home");
    await title(page, "A client certificate without an end in sight");
    const remove = pane(page).getByRole("button", { name: "Remove…" });
    await remove.press("Enter");
    await page.keyboard.press("Escape");
    await remove.waitFor();
    assert.ok(await remove.evaluate((e) => e === document.activeElement));
    await remove.press("Enter");
    await pane(page).getByRole("button", { name: "Remove it" }).press("Enter");
    await page.locator("[data-exception='e-certs']").waitFor({ state: "detached" });
    await focused(page, "#posture-pane");
    await page.keyboard.press("Escape");
    await focused(page, "#exceptions");
    // The form takes letters as text: Escape leads to where they are keys.
    await page.keyboard.press("t");
    await focused(page, "input[aria-label=Verb]");
    await page.keyboard.press("Escape");
    await focused(page, "#posture-tabs [aria-pressed=true]");
    await page.keyboard.press("t");
    await focused(page, "#first");
  }));

test("a dialog gives the focus back also where its button is gone", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await title(page, "Developers can become");
    await pane(page).getByRole("button", { name: /^Make an exception/ }).press("Enter");
    const dialog = page.getByRole("dialog", { name: "Exception" });
    await dialog.getByLabel("Reason").fill("Replaced in January.");
    await dialog.getByRole("button", { name: "Make the exception" }).press("Enter");
    await dialog.waitFor({ state: "detached" });
    await pane(page).getByText(/^Excepted: /).waitFor();
    await focused(page, "#posture-pane");
  }));

test("each list remembers what is looked at beside it, and another's keys do nothing there", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await page.locator("[data-weakness='w-3']").click();
    await title(page, "Anonymous can read /metrics");
    await tab(page, /^Changed/);
    await pane(page).getByText("Choose a line").waitFor();
    await page.keyboard.press("e");
    assert.equal(await page.getByRole("dialog").count(), 0, "no exception of what is not shown");
    await page.locator("#change-0").click();
    await page.getByRole("button", { name: "Show the cluster as it is now" }).click();
    await title(page, "payments-eu-1");
    assert.equal(await page.locator("#change-0").getAttribute("aria-selected"), "true");
    await page.locator("#changed").focus();
    await page.keyboard.press("j");
    await page.locator("#change-1[aria-selected=true]").waitFor();
    await tab(page, /^Findings/);
    await title(page, "Anonymous can read /metrics");
  }));

test("a scan that ends puts other lines before those that are looked at, and moves nobody to them", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await tab(page, /^Changed 5/);
    await page.locator("#change-1").click();
    await title(page, "search-ap-1");
    await page.evaluate(() => {
      window.sallyportScans.found.push({ cluster: "vault-eu-1", since: Date.now(), way: "wider", text: "group oidc:new may exec in vault" });
      window.sallyportFake.world.hear({ kind: "postureChanged" });
    });
    await page.locator("#change-0", { hasText: "vault-eu-1" }).waitFor();
    await page.locator("#change-2[aria-selected=true]", { hasText: "search-ap-1" }).waitFor();
    await title(page, "search-ap-1");
    await focused(page, "#changed");
  }));

test("the worst clusters come first with O, and by name again", () =>
  at("scene=posture&clusters=90&speed=20", async (page) => {
    await grid(page);
    const first = () => page.locator("#posture .name").first().innerText();
    await page.keyboard.press("o");
    await page.waitForFunction(() => document.querySelector("#posture .name")?.textContent.startsWith("sandbox-12"));
    await page.keyboard.press("o");
    assert.match(await first(), /^a-cluster/);
    await page.getByTitle("the oldest scans first").click();
    await row(page, "legacy-eu-9").getByText("not scanned yet").waitFor();
    assert.match(await first(), /^(?!a-cluster)/);
  }));
