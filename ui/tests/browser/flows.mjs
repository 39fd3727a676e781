import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../tools/time.mjs";
import { at, atClipboard, calls, enter, world } from "./site.mjs";

test("first run: join by workspace file, sign in, see the clusters", () =>
  at("scene=firstRun&speed=20", async (page) => {
    await page.getByText("Join a team").click();
    await page.locator("textarea").fill('{"name":"Platform","hub":{"url":"http://hub.example.test"}}');
    await page.getByText("Look at it").click();
    await page.getByRole("alert").getByText("must begin with https").waitFor();
    const file = { name: "Platform", hub: { url: "https://hub.example.test:6443" }, oidc: { issuer: "https://id.example.test", clientId: "sallyport" } };
    await page.locator("input[type=file]").setInputFiles({ name: "w.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(file)) });
    await page.getByText("this hub will receive your sign-in").waitFor();
    assert.ok(await page.getByText("9F:12:7C").isVisible(), "the CA's fingerprint is shown before it is saved");
    assert.ok(!(await calls(page)).includes("workspace_join"), "nothing is saved before it is confirmed");
    assert.ok(await page.getByText("http://127.0.0.1/callback/5f1c0a9e3b7d42860c1e9f5a7b3d2e64").isVisible(), "fault_b1: the address to register");
    await page.getByRole("button", { name: "Join this hub" }).click();
    await page.getByRole("button", { name: /Sign in/ }).click();
    await page.locator("#clusters").waitFor();
  }));

test("first run: a file over 64 KiB is refused here", () =>
  at("scene=firstRun", async (page) => {
    await page.getByText("Join a team").click();
    await page.locator("input[type=file]").setInputFiles({ name: "w.json", mimeType: "application/json", buffer: Buffer.alloc(65_537, 32) });
    await page.getByText("larger than 64 KiB").waitFor();
  }));

test("signing in can be cancelled, and no browser opens by itself", () =>
  at("scene=signedOut", async (page) => {
    await page.getByRole("button", { name: /Sign in/ }).waitFor();
    assert.ok(!(await calls(page)).includes("sign_in"));
    await page.keyboard.press("Enter");
    await page.getByText("Continue in your browser").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: /Sign in/ }).waitFor();
  }));

test("p13_one click in, work, leave, and the proof comes in two stages", () =>
  atClipboard("speed=20", async (page) => {
    await page.locator("#cluster-payments-eu-1").hover();
    await page.locator("#cluster-payments-eu-1").getByRole("button", { name: "one click" }).click();
    await page.getByText("from click to prompt 186 ms").waitFor();
    assert.deepEqual(await page.getByRole("list", { name: "Steps of the opening" }).locator(".what").evaluateAll((all) => all.map((e) => e.firstChild.textContent)), ["Signed in", "Asked", "Approved", "Granted", "Ready"]);
    await page.keyboard.type("kubectl get secret x\r");
    await page.getByText("3 · 1 refused").or(page.getByText("1 · 1 refused")).waitFor();
    // The second probe is answered when the test lets it be.
    await world(page, "(w) => { const second = new Promise((go) => (w.answerSecond = go)); for (const s of w.sessions.values()) s.pause = (ms) => (ms === 4000 ? second : new Promise((r) => setTimeout(r, 20))); }");
    await page.keyboard.press("Control+Shift+L");
    await page.getByText("Your rights on payments-eu-1 are gone").waitFor();
    assert.equal(await page.getByText("closed behind you").count(), 0, "not green before the second probe");
    assert.equal(await page.locator(".xterm").count(), 0, "the terminal ended");
    await world(page, "(w) => w.answerSecond()");
    await page.getByText("payments-eu-1 is closed behind you").waitFor();
    await page.getByText("probe answered 401").waitFor();
    await page.getByRole("button", { name: /Copy summary/ }).click();
    await page.getByText("Copied").waitFor();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /Token refused: 9\.9 s/);
    await page.getByRole("button", { name: /See it in Audit/ }).click();
    await page.getByText("session fake-ses").waitFor();
    await page.locator("#entries").getByText("Token refused after 9.9 s").waitFor();
    await inTurn(page, "g", "s");
    await page.keyboard.press("Escape");
    await page.locator("#clusters").waitFor();
  }));

test("p13_what could not be proven is never green and says why", () =>
  at("speed=50", async (page) => {
    await enter(page, "search-ap-1");
    await page.keyboard.press("Control+Shift+L");
    await page.getByText("not all of it is proven").waitFor();
    await page.getByText("did not answer within 10 s").waitFor();
    assert.equal(await page.getByText("closed behind you").count(), 0);
    assert.equal(await page.getByRole("list", { name: "Closing proof" }).locator(".bad").count(), 2);
  }));

test("admission's refusal becomes one button, and the opening goes on by itself", () =>
  at("speed=20", async (page) => {
    await page.locator("#cluster-vault-eu-1").dblclick();
    await page.getByRole("heading", { name: "Confirm with your second factor" }).waitFor();
    assert.ok(!(await calls(page)).includes("sign_in"), "no browser before the person acts");
    await page.getByRole("button", { name: "Not now" }).click();
    await page.getByText("The opening waits for it").waitFor();
    await page.getByRole("button", { name: "Confirm with your second factor" }).click();
    await page.getByRole("heading", { name: "Confirm with your second factor" }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".xterm-rows", { hasText: "vault" }).waitFor();
    assert.equal(await page.getByRole("tab").count(), 1, "the same session, not a second one");
  }));

test("a reason is asked inline, once, and carried", () =>
  at("scene=noReason&speed=50", async (page) => {
    await page.locator("#cluster-checkout-eu-2").click();
    await page.getByRole("button", { name: /^Open debug/ }).waitFor();
    await page.locator("#clusters").focus();
    await page.keyboard.press("Enter");
    await page.getByText("This profile wants a reason").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "why");
    await page.keyboard.type("INC-7");
    await page.keyboard.press("Enter");
    await page.getByText("INC-7").first().waitFor();
    await page.locator(".xterm-rows", { hasText: "$" }).waitFor();
    await page.getByRole("button", { name: "Clusters", exact: true }).click();
    await page.locator("#cluster-payments-eu-1").click();
    await page.getByText("As given before; kept until").waitFor();
  }));

test("a refused profile says which rule did it and cannot be asked for", () =>
  at("", async (page) => {
    await page.locator("#cluster-checkout-eu-2").click();
    await page.getByText("break-glass").click();
    await page.getByText("ClusterRole edit: create, patch in pods").waitFor();
    assert.equal(await page.getByRole("button", { name: /^(Open|Ask for) break-glass/ }).count(), 0);
  }));

test("waiting for an approval goes on elsewhere and can be taken back", () =>
  at("speed=1", async (page) => {
    await page.locator("#cluster-ledger-us-1").click();
    await page.getByText("operate").first().click();
    await page.getByRole("button", { name: /^Ask for operate/ }).click();
    await page.getByText("waiting for 1 approval").waitFor();
    await page.getByRole("button", { name: /Take the request back/ }).click();
    await page.getByText("ledger-us-1 was not opened").waitFor();
  }));

test("signing out says what it ends, ends it, and shows the proof", () =>
  at("speed=20", async (page) => {
    await enter(page, "payments-eu-1");
    await page.getByRole("button", { name: /dev@example/ }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("This ends 1 session").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
    await page.getByText("rights gone 104 ms · token refused 9.9 s").waitFor();
    await page.getByRole("button", { name: /Sign in/ }).click();
    await page.locator("#clusters").waitFor();
    assert.equal(await page.getByRole("dialog").count(), 0);
  }));

test("closing the window asks first", () =>
  at("speed=50", async (page) => {
    await page.locator("#clusters").waitFor();
    await world(page, "(w) => w.hear({ kind: 'quitAsked' })");
    await page.getByText("Quit Sallyport?").waitFor();
    await page.getByRole("button", { name: "Stay" }).click();
    assert.ok(!(await calls(page)).includes("quit"));
  }));

test("fault_b7_a sign-in that is over is told from a hub that does not answer, and has a button", () =>
  at("scene=signInOver&speed=20", async (page) => {
    const banner = page.getByRole("alert").filter({ hasText: "Your sign-in is over" });
    await banner.waitFor();
    assert.equal(await page.getByText("The hub does not answer").count(), 0);
    assert.ok(!(await calls(page)).includes("sign_in"));
    await banner.getByRole("button", { name: "Sign in" }).click();
    await page.waitForFunction(() => window.sallyportFake.calls.includes("sign_in"));
  }));

test("fault_b4_what the provider can't do is said once and can be put away", () =>
  at("scene=notes", async (page) => {
    const note = page.getByText("these profiles are out of reach");
    await note.waitFor();
    await page.getByRole("button", { name: "Dismiss" }).click();
    await note.waitFor({ state: "detached" });
  }));

test("fault_b7_a page at the provider that never comes back is named while it is waited for", () =>
  at("scene=signedOut&speed=0.05", async (page) => {
    await page.clock.install();
    await page.getByRole("button", { name: /Sign in/ }).click();
    await page.clock.runFor(8_000);
    await page.getByText("Continue in your browser").waitFor();
    assert.equal(await page.getByText("nothing comes back from it").count(), 0);
    await page.clock.runFor(16_000);
    await page.getByText("nothing comes back from it").waitFor();
    // Its clock is no longer one that runs.
  }, { used: true }));

test("before asking, the form says whether it opens at once, until when, and what is left of the day", () =>
  at("speed=20", async (page) => {
    await page.locator("#cluster-checkout-stage").click();
    await page.getByText("at once by office: Mon-Fri 09:00-18:00").waitFor();
    await page.locator("label.profile").filter({ hasText: "operate" }).click();
    await page.getByText(/^Opens at once until 23:59 (UTC|\(.+ UTC\)), then needs 1 approval\.$/).waitFor();
    await page.getByText("by this desktop’s estimate 1 h 30 min is left").waitFor();
    await page.getByRole("button", { name: /Open operate/ }).waitFor();
    await page.locator("#for").selectOption("7200");
    await page.getByText("It needs 1 approval.").waitFor();
    await page.getByText("Not at once by office: 2h is longer than 1h.").waitFor();
    await page.getByText("so this would be denied").waitFor();
    await page.getByRole("button", { name: /Ask for operate/ }).waitFor();
  }));
