// What somebody ended, as it closes: proven or not, and with the bound that holds where nobody answers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { badge, come, rest, select, sent } from "./inbox.mjs";
import { at, world } from "./site.mjs";

const side = (page) => page.locator("aside");
const team = (page) => page.getByRole("button", { name: /^Team/ }).click();

test("p13_what was ended is shown as it closes, proven or not", () =>
  at("speed=20", async (page) => {
    await come(page);
    await team(page);
    await select(page, "r-active");
    await rest(page);
    await page.keyboard.press("r");
    await page.keyboard.type("incident is over");
    await rest(page);
    await page.keyboard.press("Enter");
    await badge(page, "r-active").getByText("closed, proven").waitFor();
    await side(page).getByText(/Its broker has seen that nothing is left: .*2 bindings and 1 account removed in 41 ms, and seen to be gone/).waitFor();
    assert.equal(await side(page).getByText(/refuses its token/).count(), 0, "nothing is left that it could refuse");
    // Another tab and back: it is not forgotten.
    await page.getByRole("button", { name: /^For me/ }).click();
    await team(page);
    await badge(page, "r-active").getByText("closed, proven").waitFor();
  }));

test("p10_what is left, not reached or not proven is told with when its token is refused", () =>
  at("scene=requestsEnded", async (page) => {
    await come(page);
    await team(page);
    const seen = [
      ["e-told", /^revoked by/, /has not answered to it yet/],
      ["e-left", "not gone yet", /this is left there: RoleBinding checkout\/g-7f3k: denied request/],
      ["e-untold", "not told yet", /the hub was not told yet: .*connection refused\. The session goes on\./],
      ["e-no", "not ended", /the hub said no when it heard: .*may not revoke under debug\. The session goes on/],
      ["e-far", "not reached", /was last heard at .* so nobody removes it there now/],
      ["e-unproven", "closed, not proven", /Nobody has said that nothing is left of it/],
    ];
    for (const [id, words, more] of seen) {
      await badge(page, id).getByText(words).waitFor();
      await select(page, id);
      await side(page).getByText(more).waitFor();
      await side(page).getByText(id === "e-unproven" ? /refuses its token since/ : /refuses its token from .* on/).waitFor();
      await rest(page);
      await page.keyboard.press("r");
      const goesOn = ["e-untold", "e-no"].includes(id);
      assert.equal(await page.locator("#decision-reason").count(), goesOn ? 1 : 0, goesOn ? "it can be said again" : "it is ended already");
      await page.keyboard.press("Escape");
    }
    // Its broker comes back, and the rest of it goes.
    await world(page, "(w) => { const one = w.requests.one('e-far'); w.requests.closed = [...w.requests.closed, { ...one, closing: { ...one.closing, state: 'proven', said: 'nothing was left on the cluster' } }]; w.requests.remove('e-far'); }");
    await badge(page, "e-far").getByText("closed, proven").waitFor();
    assert.equal(await page.locator("#request-e-far").count(), 1);
  }));

test("p10_an end that the hub can't hear is said to be untold, is told when it is back, and can be dropped", () =>
  at("scene=hubDown&speed=20", async (page) => {
    await come(page);
    await team(page);
    const end = async (id, why) => {
      await select(page, id);
      await rest(page);
      await page.keyboard.press("r");
      await page.keyboard.type(why);
      await rest(page);
      await page.keyboard.press("Enter");
      await badge(page, id).getByText("not told yet").waitFor();
    };
    await end("r-active", "stolen");
    await side(page).getByText(/^You said at .* to end it, and the hub was not told yet: it did not answer in time\. The session goes on\./).waitFor();
    await side(page).getByText(/refuses its token from .* on/).waitFor();
    assert.equal(await page.getByText("You ended it").count(), 0, "nothing is claimed");
    // Whoever quits now is told what they leave behind.
    await world(page, "(w) => w.hear({ kind: 'quitAsked' })");
    await page.getByRole("dialog").getByText(/^The hub of Platform team has not heard 1 end of what others have open\. It is dropped with this/).waitFor();
    await page.getByRole("dialog").getByText(/^debug of oidc:amira@example\.test on checkout-stage goes on/).waitFor();
    // So does what another workspace's hub has not heard: quitting drops that, too.
    await world(page, "(w) => w.change({ untold: [...w.state.untold, { workspace: 'Team \\u202eb', inFront: false, count: 12, what: ['view of <b>mo</b> on eu goes on'] }] })");
    await page.getByRole("dialog").getByText(/^The hub of Team ⟨U\+202E⟩b has not heard 12 ends/).waitFor();
    await page.getByRole("dialog").getByText("view of <b>mo</b> on eu goes on").waitFor();
    await page.getByRole("dialog").getByText("and 11 more").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    // One is dropped, by a key, and goes on as if nothing had been said.
    await end("r-granting", "no more");
    await rest(page);
    await page.keyboard.press("u");
    await badge(page, "r-granting").getByText("being granted").waitFor();
    assert.deepEqual((await sent(page)).map(({ kind, request }) => `${kind} ${request}`), ["revoke r-active", "revoke r-granting", "drop r-granting"]);
    // It is dropped once, and what was not kept can't be.
    await rest(page);
    await page.keyboard.press("u");
    assert.equal((await sent(page)).length, 3);
    // The hub is back: the desktop has told it, nobody pressed anything.
    await world(page, "(w) => { w.hubAway = false; w.requests.ended('r-active', 'revoked by oidc:dev@example.test: stolen'); }");
    await badge(page, "r-active").getByText(/^revoked by|closed, proven/).waitFor();
    await badge(page, "r-active").getByText("closed, proven").waitFor();
  }));

test("p24_under a hold stands each session that it ends, what needs a look first, in harmless words", () =>
  at("scene=requestsEnded", async (page) => {
    await come(page);
    await world(page, "(w) => w.requests.change('e-left', { closing: { ...w.requests.one('e-left').closing, said: 'RoleBinding a\\u202e: <b>no</b>' } })");
    await page.getByRole("button", { name: /^Held/ }).click();
    const ends = side(page).getByRole("region", { name: "What it ends" });
    await ends.getByText("1 not ended · 1 not told yet · 1 closed, not proven · 1 not reached · 1 not gone yet · 1 being closed · 1 closed, proven").waitFor();
    await ends.getByText("RoleBinding a⟨U+202E⟩: <b>no</b>").waitFor();
    assert.deepEqual((await ends.locator("li .chip").allInnerTexts()).slice(0, 4), ["not ended", "not told yet", "closed, not proven", "not reached"]);
  }));
