// One session as one chain, its calls beside what its terminals showed, and what of its rights was never used.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../tools/time.mjs";
import { at, world } from "./site.mjs";

const session = async (page) => {
  await page.locator("#clusters").waitFor();
  await inTurn(page, "g", "a");
  await page.locator("#entries [role=row]").first().waitFor();
  await page.locator("#entries").getByText("Deleted deployment checkout").first().click();
  await page.keyboard.press("o");
  await page.locator("#chain [role=row]").first().waitFor();
};
const aside = (page) => page.getByRole("complementary", { name: "Selected row" });
const shows = (page, words) => page.waitForFunction((text) => document.querySelector(".replay-screen .xterm-rows")?.textContent?.replaceAll("\u00a0", " ").includes(text), words);
const opened = (page) => page.evaluate(() => window.sallyportFake.calls.filter((name) => name === "recording_open").length);
const top = (page) => page.locator("#chain").evaluate((list) => (list.scrollTop = 0));

test("a session is one chain from signing in to the last proof, with the cluster's own word for what was made for it", () =>
  at("scene=audited", async (page) => {
    await session(page);
    await page.locator("#chain").focus();
    await page.keyboard.press("Home");
    await page.waitForFunction(() => document.querySelector("#chain [role=row][id]")?.textContent.includes("Signed in"));
    // From top to bottom, as they happened.
    const order = [];
    for (const words of ["Signed in", "Asked for operate", "Approved for 1 h", "Created service account", "Created role binding", "Minted a token", "Granted", "Terminal opened", "Rolled back deployment worker in settlement to revision 41", "Left ledger-us-1", "Deleted role binding", "Token refused"]) {
      const row = page.locator("#chain [role=row][id]", { hasText: words }).first();
      for (let tries = 0; tries < 60 && (await row.count()) === 0; tries++) await page.keyboard.press("PageDown");
      await row.waitFor();
      order.push(await row.evaluate((one) => one.parentElement.style.transform.replace(/[^\d.]/g, "")));
    }
    assert.deepEqual(order.map(Number), order.map(Number).toSorted((a, b) => a - b));
    await page.keyboard.press("Home");
    const minted = page.locator("#chain [role=row]", { hasText: "Minted a token" });
    assert.match(await minted.innerText(), /mint of the session's JTI, exact/);
    assert.equal(await page.locator("body").evaluate((body) => body.innerText.includes("\u202e")), false, "p24");
  }));

test("a click on a call seeks the replay, a moment of the replay leads back to its call, and nothing is opened unasked", () =>
  at("scene=audited", async (page) => {
    await session(page);
    const side = aside(page);
    await side.getByRole("button", { name: /^Watch its terminals/ }).waitFor();
    assert.equal(await opened(page), 0, "that somebody watches is noted: it is asked for");
    const rollout = page.locator("#chain [role=row][aria-expanded]", { hasText: "revision 41" });
    await top(page);
    await rollout.click();
    await page.keyboard.press("r");
    await shows(page, "CrashLoopBackOff");
    const screen = () => page.locator(".replay-screen .xterm-rows").innerText();
    assert.doesNotMatch(await screen(), /rolled back/, "it is where the command began");
    // To its end, and from what is shown there to its call.
    await side.getByRole("button", { name: /^(Play|Pause)/ }).focus();
    await page.keyboard.press("End");
    await shows(page, "worker-5d9c4d6f6b");
    const current = page.locator("#chain [aria-current=time]");
    await current.waitFor();
    const words = await current.locator("[role=gridcell]").nth(1).innerText();
    await page.keyboard.press("m");
    const chosen = side.getByRole("region", { name: "Chosen row" });
    await chosen.getByRole("heading", { name: words }).waitFor();
    assert.equal(await page.locator("#chain [aria-selected=true]").innerText(), await current.innerText(), "the row it leads to is the one that is chosen");
    // And back again, by a click.
    await top(page);
    await rollout.click();
    await page.waitForFunction(() => !document.querySelector(".replay-screen .xterm-rows")?.textContent?.replaceAll("\u00a0", " ").includes("worker-5d9c4d6f6b"));
    await page.locator("#chain [role=row][aria-current=time]", { hasText: "revision 41" }).waitFor();
    await side.getByText("is damaged and not shown").waitFor({ state: "detached" });
    assert.equal(await opened(page), 1, "watching is noted once");
    await chosen.getByRole("button", { name: "Its row in the timeline" }).click();
    await page.locator("#entries [aria-selected=true]", { hasText: "revision 41" }).waitFor();
    assert.equal(await page.locator("#chain").count(), 0);
  }));

test("what was granted and never used stands beside what was used, and a row around the gateway is seen in the chain", () =>
  at("scene=audited", async (page) => {
    await session(page);
    const side = aside(page);
    const never = side.locator(".used", { hasText: "never" });
    assert.deepEqual((await never.allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim()), ["daemonsets.apps, statefulsets.apps get, list, patch, watch never", "deployments.apps/scale patch never", "jobs.batch every other verb never", "pods/portforward create never"]);
    await side.getByText("14 rules of 21 were granted and never used.").waitFor();
    await top(page);
    await page.locator("#chain [role=row].around", { hasText: "Deleted deployment checkout" }).first().waitFor();
    await page.keyboard.press("b");
    await page.locator("#entries [aria-selected=true]", { hasText: "Deleted deployment checkout" }).waitFor();
  }));

for (const [scene, words] of [["auditedNone", "Nothing is kept of this session’s terminals."], ["auditedUnread", "the index of a recording is damaged"]]) {
  test(`what can't be replayed is said on the session's page, and its calls are there: ${scene}`, () =>
    at(`scene=${scene}`, async (page) => {
      await session(page);
      await aside(page).getByText(words).waitFor();
      await page.locator("#chain [role=row]", { hasText: "8 calls" }).waitFor();
      assert.equal(await opened(page), 0);
    }));
}

test("of a session with more calls than fit in a list those around a row are listed, and a button leads on", () =>
  at("scene=audited", async (page) => {
    await page.locator("#clusters").waitFor();
    await world(page, `(w) => {
      const ids = { request: "r-long", grant: null, session: "s-none", jti: null, auditId: null };
      const began = (w.began - 3600_000) * 1000;
      w.history.append({ action: "ask", ids, sentence: "Asked for a long one" }, began);
      for (let i = 1; i <= 1500; i++) w.history.append({ action: "call", ids, sentence: "Watched on " + i }, began + i * 390_000);
      w.evidence.session = (request) => ({ ...Object.getPrototypeOf(w.evidence).session.call(w.evidence, "0b6f2c7e-2f1d-4d0e-9a51-6f4b1c2d3e4f"), request, chain: [], session: "s-none" });
    }`);
    await inTurn(page, "g", "a");
    await page.getByLabel("Search the timeline").fill("Watched on 700");
    await page.locator("#entries").getByText("Watched on 700").click();
    await page.keyboard.press("o");
    await page.locator("#chain [aria-selected=true]", { hasText: "Watched on 700" }).waitFor();
    await page.getByRole("button", { name: "Earlier calls" }).click();
    await page.getByRole("button", { name: "Earlier calls" }).waitFor({ state: "detached" });
    await page.locator("#chain").focus();
    await page.keyboard.press("Home");
    await page.locator("#chain [role=row]", { hasText: /Watched on 1$/ }).or(page.locator("#chain [role=row]", { hasText: "Watched on 1" })).first().waitFor();
    await page.getByRole("button", { name: "Later calls" }).click();
    await page.getByText("shown, oldest first").waitFor();
  }));
