import assert from "node:assert/strict";
import { test } from "node:test";
import { at, calls, enter, world } from "./site.mjs";

const nearItsEnd = "(w) => { for (const s of w.sessions.values()) if (s.view.state === 'open') s.change({ endsAt: Date.now() + 240_000 }); }";

test("one key asks for as long again, and the session goes on in the same tab", () =>
  at("speed=20", async (page) => {
    await enter(page, "payments-eu-1");
    assert.equal(await page.getByRole("button", { name: /More time/ }).count(), 0, "it would end no later");
    await page.keyboard.press("Control+Shift+E");
    assert.ok(!(await calls(page)).includes("session_extend"));
    await world(page, nearItsEnd);
    await page.getByRole("button", { name: /More time/ }).waitFor();
    await page.keyboard.press("Control+Shift+E");
    await page.getByText("payments-eu-1 stays open for longer").waitFor();
    assert.equal((await calls(page)).filter((name) => name === "session_extend").length, 1);
    await page.locator(".truth .num", { hasText: /4[45]:\d\d/ }).waitFor();
    assert.equal(await page.getByRole("tab").count(), 1, "what it was before is no tab");
    assert.equal(await page.locator(".xterm").count(), 1, "the terminal lives on");
    await page.waitForFunction(() => window.sallyportFake.world.sessions.size === 1);
    const side = page.getByRole("complementary", { name: "Steps and calls" });
    await side.getByRole("heading", { name: "Extended" }).waitFor();
    await side.getByText(/goes on since \d\d:\d\d (UTC|\(.+ UTC\)) by another request/).waitFor();
    assert.equal(await side.getByText("from click to prompt").count(), 0, "the steps are those of the extension");
  }));

test("where people are asked again, the session says so, and asking can be given up", () =>
  at("speed=1", async (page) => {
    await page.locator("#cluster-ledger-us-1").click();
    await page.getByText("operate").first().click();
    await page.getByRole("button", { name: /^Ask for operate/ }).click();
    await page.locator(".xterm-rows", { hasText: "ledger" }).waitFor();
    await world(page, nearItsEnd);
    await page.keyboard.press("Control+Shift+E");
    await page.getByRole("status").getByText("more time: waiting for 1 approval").waitFor();
    await page.getByRole("button", { name: "Don’t ask" }).click();
    await page.getByRole("button", { name: /More time/ }).waitFor();
    assert.equal(await page.getByRole("tab").count(), 1);
    await page.locator(".truth .num", { hasText: /[34]:\d\d/ }).waitFor();
  }));
