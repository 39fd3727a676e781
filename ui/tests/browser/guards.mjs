// What keeps a yes from being said by accident, late, or by somebody else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../tools/time.mjs";
import { at, world } from "./site.mjs";
import { badge, come, holdEnter, rest, select, sent } from "./inbox.mjs";

test("p8_a yes whose second factor was called off is not sent, however late the sign-in ends", async () => {
  const away = { Esc: (page) => page.keyboard.press("Escape"), "a click beside": (page) => page.mouse.click(8, 400), "another dialog": (page) => page.keyboard.press("Control+k") };
  for (const [how, drop] of Object.entries(away)) {
    await at("speed=20", async (page) => {
      await come(page);
      await select(page, "r-vault");
      await rest(page);
      await page.keyboard.press("a");
      await page.getByRole("heading", { name: "Confirm with your second factor" }).waitFor();
      // The provider's page is open for a while, and what is called off there is finished by the provider all the same.
      await world(page, "(w) => { const sign = w.signIn.bind(w); w.signIn = async (step) => { w.change({ signIn: { step: 'browser', since: Date.now(), stepUp: step, error: null } }); await new Promise((go) => (w.release = go)); w.change({ signIn: { step: 'hub', since: Date.now(), stepUp: step, error: null } }); await sign(step); w.through = true; }; }");
      await page.keyboard.press("Enter");
      await page.getByText("Continue in your browser").waitFor();
      await drop(page);
      await page.getByRole("heading", { name: "Confirm with your second factor" }).waitFor({ state: "detached" });
      if (how === "another dialog") await page.keyboard.press("Escape");
      await page.getByText("Nothing was sent. Say it again").waitFor();
      assert.ok((await page.evaluate(() => window.sallyportFake.calls)).includes("sign_in_cancel"), how);
      await world(page, "(w) => w.release()");
      await page.waitForFunction(() => window.sallyportFake.world.through);
      await page.waitForTimeout(150);
      assert.equal((await sent(page)).length, 1, `${how}: refused once, and nothing after it`);
    });
  }
});

test("p8_what changed while the second factor was looked for is not sent", () =>
  at("speed=20", async (page) => {
    await come(page);
    await select(page, "r-vault");
    await rest(page);
    await page.keyboard.press("a");
    await page.getByRole("heading", { name: "Confirm with your second factor" }).waitFor();
    const listed = (all) => all.filter((one) => one === "requests_list").length;
    const before = listed(await page.evaluate(() => window.sallyportFake.calls));
    await world(page, "(w) => w.requests.change('r-vault', { offer: { ...w.requests.one('r-vault').offer, digest: 'e'.repeat(64) } })");
    // The window has asked anew, and has the answer.
    await page.waitForFunction((n) => window.sallyportFake.calls.filter((one) => one === "requests_list").length > n, before);
    await page.waitForTimeout(150);
    await page.keyboard.press("Enter");
    await page.locator("aside").getByText("It changed while you confirmed, and nothing was sent.").waitFor();
    assert.equal((await sent(page)).length, 1);
  }));

test("p8_one held Enter approves no production and denies nothing, nor does one that comes twice", () =>
  at("speed=20", async (page) => {
    await come(page);
    await select(page, "r-prod");
    await rest(page);
    for (const [button, asks] of [[/^Approve/, "Press Enter to approve"], [/^Deny/, "why, if you want to say it"]]) {
      await page.locator("footer").getByRole("button", { name: button }).focus();
      await holdEnter(page);
      await page.getByText(asks).waitFor();
      assert.deepEqual(await sent(page), [], String(button));
      await page.keyboard.press("Escape");
      await page.locator("aside footer").getByRole("button", { name: button }).focus();
      await page.keyboard.press("Enter");
      await page.getByText(asks).waitFor();
      await page.keyboard.press("Enter");
      await page.getByText("Just asked: that key was not taken").waitFor();
      assert.deepEqual(await sent(page), [], String(button));
      await page.keyboard.press("Escape");
    }
  }));

test("p8_a question that was left does not come back by itself", () =>
  at("speed=20", async (page) => {
    await come(page);
    await select(page, "r-prod");
    await rest(page);
    const asks = page.getByText("Press Enter to approve");
    await page.keyboard.press("a");
    await asks.waitFor();
    await page.keyboard.press("j");
    await asks.waitFor({ state: "detached" });
    await page.keyboard.press("k");
    await page.locator("#request-r-prod[aria-selected=true]").waitFor();
    await page.waitForTimeout(100);
    assert.equal(await asks.count(), 0, "after another row");
    await rest(page);
    await page.locator("#requests").focus();
    await page.keyboard.press("a");
    await asks.waitFor();
    await page.locator("nav").getByRole("button", { name: "Clusters" }).click();
    await page.locator("#clusters").waitFor();
    await page.locator("nav").getByRole("button", { name: /^Requests/ }).click();
    await select(page, "r-prod");
    await page.waitForTimeout(100);
    assert.equal(await asks.count(), 0, "after another view");
    await rest(page);
    await page.keyboard.press("Enter");
    await page.waitForTimeout(100);
    assert.deepEqual(await sent(page), []);
  }));

test("p8_what is production under any other word asks for Enter", () =>
  at("scene=requestsOdd&speed=20", async (page) => {
    await come(page);
    await select(page, "r-live");
    await rest(page);
    await page.keyboard.press("a");
    await page.getByText("Press Enter to approve debug on ledger-us-1").waitFor();
    assert.deepEqual(await sent(page), []);
  }));

test("what waits for nobody or can't be judged stands apart, and tab and rail count the same", () =>
  at("scene=requestsOdd", async (page) => {
    await come(page);
    await page.getByRole("button", { name: "Requests yours to decide: 1" }).waitFor();
    await page.getByRole("button", { name: /^For me/ }).getByText("1", { exact: true }).waitFor();
    assert.deepEqual(await page.locator("#requests [role=row]").evaluateAll((rows) => rows.map((row) => row.id)), ["request-r-live", "request-r-unsound", "request-r-not-known"]);
    await select(page, "r-unsound");
    await page.getByRole("alert").getByText("its rules are others than its digest names").waitFor();
    assert.equal(await page.getByRole("button", { name: /^Approve/ }).count(), 0);
    await page.getByRole("button", { name: /^Deny/ }).waitFor();
    await select(page, "r-not-known");
    await page.getByText("could not be read; it is read again by itself").waitFor();
    await page.getByRole("button", { name: /^Team/ }).click();
    await select(page, "r-enough");
    await page.getByText("It waits for nobody: the yeses it needs are there.").waitFor();
  }));

test("a yes that was a mistake is taken back by a no", () =>
  at("speed=20", async (page) => {
    await come(page);
    await world(page, "(w) => w.requests.change('r-dev', { needed: 2 })");
    await select(page, "r-dev");
    await rest(page);
    await page.keyboard.press("a");
    await badge(page, "r-dev").getByText("you said yes, 1 of 2").waitFor();
    await page.locator("aside footer").getByRole("button", { name: /^Deny/ }).waitFor();
    await rest(page);
    await page.keyboard.press("d");
    await page.keyboard.type("wrong one");
    await rest(page);
    await page.keyboard.press("Enter");
    await badge(page, "r-dev").getByText("denied by oidc:dev@example.test: wrong one").waitFor();
  }));

test("all that a yes allows is shown, and what of it is open already and until when", () =>
  at("", async (page) => {
    await come(page);
    await select(page, "r-prod");
    const pane = page.locator("aside");
    await pane.getByText("What a yes would allow").waitFor();
    const rights = await world(page, "(w) => w.requests.one('r-prod').offer.rights.map((r) => r.title)");
    for (const title of rights) await pane.locator(".rule", { hasText: title }).first().waitFor();
    await pane.locator(".rule", { hasText: "Read logs" }).first().getByText("open already").waitFor();
    assert.equal(await pane.locator(".rule", { hasText: "Delete pods" }).first().getByText("open already").count(), 0);
    // Late in the evening it ends on another day, which is said.
    await pane.getByText(/^They have open there: debug until (\d{1,2} \w+ \d{4}, )?\d\d:\d\d/).waitFor();
    // All of it is open already: what it is stays on screen.
    await world(page, "(w) => w.requests.change('r-prod', { offer: { ...w.requests.one('r-prod').offer, adds: [] } })");
    await pane.getByText("All of this is open already, for at least as long").waitFor();
    for (const title of rights) await pane.locator(".rule", { hasText: title }).first().waitFor();
  }));

test("that nobody waits is said only where all is known", () =>
  at("scene=requestsMissing", async (page) => {
    await page.locator("#clusters").waitFor();
    await inTurn(page, "g", "r");
    await page.getByText("payments: not known since 14:02").waitFor();
    await page.getByText("Nothing is known of here.").waitFor();
    await page.getByText("not all is known").waitFor();
    assert.equal(await page.getByText("Nobody waits for you").count(), 0);
  }));

test("what is answered after a sign-out is nothing to whoever signs in next", () =>
  at("speed=20", async (page) => {
    await come(page);
    await select(page, "r-dev");
    await rest(page);
    // The hub takes its time, and says no in the end.
    await world(page, "(w) => { const pause = w.pause; w.pause = () => new Promise((_, no) => (w.refuse = () => no({ code: 'failed', message: 'meant for somebody else', hint: null, retry: false, stepUp: null }))); w.goOn = () => void (w.pause = pause); }");
    await page.keyboard.press("a");
    await page.getByText("Approving").waitFor();
    await world(page, "(w) => w.goOn()");
    await page.getByRole("button", { name: /dev@example/ }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: /^Sign in/ }).click();
    await rest(page);
    await come(page);
    await select(page, "r-dev");
    await world(page, "(w) => w.refuse()");
    await page.waitForTimeout(200);
    assert.equal(await page.getByText("meant for somebody else").count(), 0);
    assert.ok(await page.getByRole("button", { name: /^Approve/ }).isEnabled());
  }));
