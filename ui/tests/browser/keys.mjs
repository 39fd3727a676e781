import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../tools/time.mjs";
import { at, calls, enter, world } from "./site.mjs";

test("the list by keyboard alone: search, move, pin, open", () =>
  at("speed=50", async (page) => {
    await page.locator("#clusters").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("sandbox");
    await page.keyboard.press("Escape");
    assert.equal(await page.getByLabel("Search clusters").inputValue(), "");
    await page.keyboard.press("Home");
    const first = await page.locator(".row.selected").getAttribute("id");
    await page.keyboard.press("ArrowDown");
    assert.notEqual(await page.locator(".row.selected").getAttribute("id"), first);
    await page.keyboard.press("/");
    await page.keyboard.type("sandbox-12");
    await page.locator("aside h2", { hasText: "sandbox-12" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("p");
    await page.locator("aside").getByRole("button", { name: "Unpin" }).waitFor();
    await page.getByRole("button", { name: /^Open debug/ }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".xterm-rows", { hasText: "sandbox-12" }).waitFor();
  }));

test("End reaches the last of 2,000, and only what is seen is in the page", () =>
  at("", async (page) => {
    await page.locator("#clusters").waitFor();
    await page.keyboard.press("End");
    await page.locator(".row.selected").waitFor();
    assert.ok((await page.locator("#clusters [role=row]").count()) < 80);
  }));

test("Ctrl+K is the shell's in a terminal; Ctrl+Shift+P is the palette there too", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    await page.keyboard.press("Control+k");
    assert.equal(await page.getByRole("dialog").count(), 0);
    await inTurn(page, "g", "a");
    assert.equal(await page.locator("#entries").count(), 0, "letters are typed, not obeyed");
    await page.keyboard.press("Control+Shift+P");
    await page.getByRole("dialog", { name: "Palette" }).waitFor();
    await page.keyboard.type("checkout-stage");
    await page.keyboard.press("Enter");
    await page.locator(".xterm-rows", { hasText: "checkout-stage" }).waitFor();
    await page.keyboard.press("Alt+1");
    await page.locator(".xterm-rows", { hasText: "payments-eu-1" }).waitFor();
    await page.keyboard.press("Control+Shift+T");
    await page.getByRole("tab").nth(2).waitFor();
    assert.equal(await page.getByRole("tab").count(), 3);
    await page.keyboard.press("Control+Shift+W");
    await page.waitForFunction(() => document.querySelectorAll("[role=tab]").length === 2);
  }));

test("a terminal keeps what it printed while another tab is shown", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    await page.keyboard.type("kubectl get pods\r");
    await page.locator(".xterm-rows", { hasText: "CrashLoopBackOff" }).waitFor();
    await page.getByRole("button", { name: "Clusters", exact: true }).click();
    await page.locator("#clusters").waitFor();
    await page.locator("#cluster-payments-eu-1").click();
    await page.getByRole("button", { name: /Show the open session/ }).click();
    await page.locator(".xterm-rows", { hasText: "CrashLoopBackOff" }).waitFor();
    assert.equal((await calls(page)).filter((c) => c === "terminal_open").length, 1);
  }));

// Rows that moved 400 ms after the double click, under the next click, made that one choose another cluster.
test("whoever comes back to the list finds its rows where they stay, however short ago they pointed at one", () =>
  at("speed=50", async (page) => {
    await page.locator("#clusters").waitFor();
    // No time passes for a pointer that has to rest: whatever waits for it is not done.
    await page.evaluate(() => { const now = performance.now(); performance.now = () => now; });
    await enter(page, "sandbox-12");
    await page.getByRole("button", { name: "Clusters", exact: true }).click();
    await page.locator("#clusters").waitFor();
    assert.equal(await page.locator("#clusters [id^=cluster-]").first().getAttribute("id"), "cluster-sandbox-12");
  }));

test("a burst arrives whole and never more than the high-water mark is open", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    await page.keyboard.type("flood\r");
    await page.locator(".xterm-rows", { hasText: "199" }).waitFor();
    const seen = await world(page, "(w) => { const t = w.sessions.values().next().value.terminals.values().next().value; return { printed: t.printed, mostOpen: t.mostOpen }; }");
    assert.ok(seen.printed > 800_000, `printed ${seen.printed}`);
    assert.ok(seen.mostOpen < 256 * 1024 + 8192, `open at once ${seen.mostOpen}`);
  }));

test("finding in a terminal takes the keys and gives them back", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    await page.keyboard.type("kubectl get pods\r");
    await page.keyboard.press("Control+Shift+F");
    await page.keyboard.type("ledger");
    assert.equal(await page.getByLabel("Find in the terminal").inputValue(), "ledger");
    await page.keyboard.press("Escape");
    await page.keyboard.type("xyz");
    await page.locator(".xterm-rows", { hasText: "$ xyz" }).waitFor();
  }));

test("typing faster than commands are answered loses and reorders nothing", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    const text = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(2);
    await page.keyboard.type(text, { delay: 0 });
    await page.waitForFunction((t) => document.querySelector(".xterm-rows").textContent.replaceAll(/\s/g, "").includes(t), text);
  }));

test("dialogs close with Esc and give the focus back", () =>
  at("", async (page) => {
    await page.locator("#clusters").waitFor();
    for (const [key, label] of [["?", "Keys"], ["Control+k", "Palette"]]) {
      await page.keyboard.press(key);
      await page.getByRole("dialog", { name: label }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog", { name: label }).waitFor({ state: "detached" });
      assert.equal(await page.evaluate(() => document.activeElement?.id), "clusters");
    }
  }));

test("a session that opens and closes shows in the list at once, and nothing is fetched to learn it", () =>
  at("speed=50", async (page) => {
    await page.locator("#clusters").waitFor();
    // Hints are kept from the window: what it shows of sessions comes from their own events.
    await world(page, "(w) => { const hear = w.hear; w.hear = (event) => { if (event.kind !== 'clustersChanged') hear(event); }; }");
    const before = (await calls(page)).filter((c) => c === "clusters_list").length;
    await world(page, "(w) => { w.open({ cluster: 'checkout-eu-2' }); }");
    await page.locator("#clusters [role=row]", { hasText: "Open now" }).waitFor();
    await page.locator("#cluster-checkout-eu-2 .chip", { hasText: /\d:\d\d/ }).waitFor();
    await page.getByText("checkout-eu-2 is open.").waitFor();
    await world(page, "(w) => { void w.sessions.values().next().value.close('expired'); }");
    await page.locator("#cluster-checkout-eu-2").getByRole("button", { name: "one click" }).waitFor();
    await page.locator("#clusters [role=row]", { hasText: "Open now" }).waitFor({ state: "detached" });
    assert.equal((await calls(page)).filter((c) => c === "clusters_list").length, before);
  }));

test("Enter on a filter chooses the filter and opens nothing", () =>
  at("speed=50", async (page) => {
    await page.locator("#clusters").waitFor();
    await page.getByRole("button", { name: /^stage/ }).focus();
    await page.keyboard.press("Enter");
    await page.locator("[aria-pressed=true]", { hasText: "stage" }).waitFor();
    assert.ok(!(await calls(page)).includes("session_open"));
  }));

test("R and Esc answer the sheet of a session that is closed", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    await page.keyboard.press("Control+Shift+L");
    await page.getByText("closed behind you").waitFor();
    await page.keyboard.press("r");
    await page.locator(".xterm-rows", { hasText: "$" }).waitFor();
    assert.equal((await calls(page)).filter((c) => c === "session_open").length, 2);
    await page.keyboard.press("Control+Shift+L");
    await page.getByText("closed behind you").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#clusters").waitFor();
  }));

test("the history is walked by keyboard as soon as one is there, and tabs by their arrows", () =>
  at("speed=50", async (page) => {
    await page.locator("#clusters").waitFor();
    await inTurn(page, "g", "a");
    await page.locator("#entries").waitFor();
    await page.keyboard.press("ArrowDown");
    await page.locator("#entries .selected").waitFor();
    await page.getByText("Joins with").waitFor();
    await inTurn(page, "g", "c");
    await enter(page, "payments-eu-1");
    await page.keyboard.press("Control+Shift+T");
    await page.getByRole("tab").nth(1).waitFor();
    await page.getByRole("tab").nth(1).focus();
    await page.keyboard.press("ArrowLeft");
    assert.equal(await page.getByRole("tab").nth(0).getAttribute("aria-selected"), "true");
  }));

test("a wide profile's rights are few at first, all on demand, and fewer again for another profile", () =>
  at("", async (page) => {
    await page.locator("#cluster-ledger-us-1").click();
    await page.getByText("operate").first().click();
    await page.getByText("Delete pods").waitFor();
    assert.equal(await page.getByText("Read quotas and limits").count(), 0);
    await page.getByRole("button", { name: /^Show \d+ more/ }).click();
    await page.getByText("Read quotas and limits").waitFor();
    await page.getByText("view", { exact: true }).first().click();
    await page.getByText("operate").first().click();
    await page.getByText("Delete pods").waitFor();
    assert.equal(await page.getByText("Read quotas and limits").count(), 0);
  }));
