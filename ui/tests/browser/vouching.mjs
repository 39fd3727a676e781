// Still who you were: how often the provider vouches, and the warning when it does not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, enter, world } from "./site.mjs";

const FIRST = "w.sessions.values().next().value";
const said = (page, over) => world(page, `(w, over) => { const s = ${FIRST}; s.change({ vouching: { ...s.view.vouching, ...over } }); }`, over);
const banner = (page) => page.getByRole("status").getByText("has not vouched for you since");

test("the ask says how often, the session when, and what is overdue is said in the session and once beside it", () =>
  at("speed=50", async (page) => {
    await page.locator("#cluster-payments-eu-1").click();
    await page.getByText("reaffirmed every 15 min").first().waitFor();
    await enter(page, "payments-eu-1");
    await page.getByText(/every 15 min · last at \d\d:\d\d (UTC|\(.+ UTC\))/).waitFor();
    assert.equal(await banner(page).count(), 0, "nothing is overdue");
    await said(page, { overdue: "the identity provider id.example.test can't be reached\u202e" });
    await banner(page).waitFor();
    const text = await banner(page).innerText();
    assert.match(text, /since \d\d:\d\d (UTC|\(.+ UTC\)): the identity provider id\.example\.test can't be reached⟨U\+202E⟩\. This session closes at \d\d:\d\d (UTC|\(.+ UTC\)) unless it does\.$/);
    await page.getByText("has not vouched for you again: your session on payments-eu-1 closes soon.").waitFor();
    await said(page, { overdue: null });
    await banner(page).waitFor({ state: "detached" });
  }));
