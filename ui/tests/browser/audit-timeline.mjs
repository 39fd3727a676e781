import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../tools/time.mjs";
import { at, atClipboard, world } from "./site.mjs";

const go = async (page) => {
  await page.locator("#clusters").waitFor();
  await inTurn(page, "g", "a");
  await page.locator("#entries [role=row]").first().waitFor();
};
const row = (page, words) => page.locator("#entries").getByText(words).first();

test("what clusters tell stands among what this desktop did, and says by what it is tied", () =>
  at("scene=audited", async (page) => {
    await go(page);
    await page.getByText("3,000 told by clusters").waitFor();
    await row(page, "Read deployment worker in settlement").click();
    await page.getByRole("complementary", { name: "Selected row" }).getByText("Audit-ID and JTI, exact").waitFor();
    await row(page, "Tried to read secret broker-tls in settlement").click();
    await page.getByRole("complementary", { name: "Selected row" }).getByText("person and time, inferred").waitFor();
    assert.equal(await page.locator("body").evaluate((body) => body.innerText.includes("\u202e")), false, "p24");
  }));

test("a filter is typed, is a chip, and is taken away again", () =>
  at("scene=audited", async (page) => {
    await go(page);
    await page.keyboard.press("f");
    await page.locator("#filter-verb").fill("delete");
    await page.keyboard.press("Enter");
    const chip = page.getByRole("button", { name: "verb delete remove" });
    await chip.waitFor();
    await page.waitForFunction(() => [...document.querySelectorAll("#entries [role=row][id]")].every((one) => one.textContent.includes("Deleted")));
    await chip.click();
    await row(page, "Read deployment worker in settlement").waitFor();
    await page.keyboard.press("f");
    await page.locator("#filter-code").fill("999");
    await page.keyboard.press("Enter");
    await page.getByText("is no HTTP status").waitFor();
    await page.keyboard.press("x");
    await page.getByText("is no HTTP status").waitFor({ state: "detached" });
  }));

test("a filter says how it went, in which session, and what this desktop did", () =>
  at("scene=audited", async (page) => {
    await go(page);
    const every = (how) => page.waitForFunction((words) => {
      const rows = [...document.querySelectorAll("#entries [role=row][id]")];
      return rows.length > 0 && rows.every((row) => new RegExp(words).test(row.textContent));
    }, how);
    await page.keyboard.press("f");
    await page.locator("#filter-decision").selectOption("denied");
    await page.locator("#filter-verb").focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "denied remove" }).waitFor();
    await every("Tried|refused|403");
    // A status says the same thing otherwise: one of both stands.
    await page.keyboard.press("f");
    assert.equal(await page.locator("#filter-decision").inputValue(), "denied");
    assert.equal(await page.locator("#filter-code").inputValue(), "");
    await page.locator("#filter-code").fill("200");
    assert.equal(await page.locator("#filter-decision").inputValue(), "");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "code 200 remove" }).click();
    await page.keyboard.press("f");
    assert.ok((await page.locator("#top-action option").count()) > 3, "what this desktop did is offered");
    assert.ok((await page.locator("#top-session option").count()) > 0);
    await page.locator("#filter-session").fill("5e55107f3k2");
    await page.locator("#filter-action").fill("terminal open");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "session 5e55107f remove" }).waitFor();
    await page.getByRole("button", { name: "terminal open remove" }).waitFor();
    await every("Terminal opened");
  }));

test("a filter is kept under a name, asked again by it, and forgotten", () =>
  at("scene=audited", async (page) => {
    await go(page);
    await page.keyboard.press("f");
    const keep = page.getByRole("button", { name: "Keep", exact: true });
    assert.equal(await keep.isDisabled(), true, "without a name");
    await page.locator("#filter-verb").fill("delete");
    await page.locator("#filter-decision").selectOption("allowed");
    await page.getByLabel("Name to keep it under").fill("What was deleted");
    await keep.click();
    const kept = page.getByRole("button", { name: "What was deleted", exact: true });
    await kept.waitFor();
    assert.equal(await page.getByLabel("Name to keep it under").inputValue(), "");
    await page.keyboard.press("Escape");
    await row(page, "Read deployment worker in settlement").waitFor();
    await page.keyboard.press("f");
    await kept.click();
    await page.getByRole("button", { name: "verb delete remove" }).waitFor();
    await page.getByRole("button", { name: "allowed remove" }).waitFor();
    await page.keyboard.press("f");
    await page.getByRole("button", { name: "Forget What was deleted" }).click();
    await kept.waitFor({ state: "detached" });
  }));

test("the histogram is brushed by the mouse and by the keys, and shows all again", () =>
  at("scene=audited", async (page) => {
    await go(page);
    const bins = page.getByRole("slider", { name: /^When/ });
    // The histogram is an answer of its own.
    await page.waitForFunction(() => /told by clusters/.test(document.querySelector("[role=slider][aria-label^=When]")?.getAttribute("aria-valuetext") ?? ""));
    const { x, y, width } = await bins.boundingBox();
    await page.mouse.move(x + width * 0.25, y + 20);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.5, y + 20, { steps: 4 });
    await page.mouse.up();
    const range = page.getByRole("button", { name: /–.*remove$/ });
    await range.waitFor();
    const before = await page.locator(".foot").first().textContent();
    await page.keyboard.press("w");
    for (const key of ["Home", "ArrowRight", "Shift+ArrowRight", "Shift+PageDown"]) await page.keyboard.press(key);
    assert.match(await bins.getAttribute("aria-valuetext"), /told by clusters/);
    const first = await range.textContent();
    await page.keyboard.press("Enter");
    await page.waitForFunction((words) => ![...document.querySelectorAll(".chips .filter")].some((one) => one.textContent === words), first);
    assert.ok(before);
    await page.keyboard.press("Escape");
    await range.waitFor({ state: "detached" });
  }));

test("raw JSON is one key away, line by line, and copied whole", () =>
  atClipboard("scene=audited", async (page) => {
    await go(page);
    await row(page, "Scaled deployment checkout").click();
    await page.getByText("Links of this call").waitFor();
    await page.keyboard.press("j");
    const raw = page.getByRole("region", { name: "Raw JSON" });
    await raw.waitFor();
    await page.getByRole("button", { name: "Copy", exact: true }).click();
    assert.equal(JSON.parse(await page.evaluate(() => navigator.clipboard.readText())).kind, "Event");
    await page.keyboard.press("j");
    await raw.waitFor({ state: "detached" });
  }));

test("p19_a session's page says how much is joined, what went around the gateway, and proposes a tighter role", () =>
  at("scene=audited", async (page) => {
    await go(page);
    await row(page, "Deleted deployment checkout").click();
    await page.keyboard.press("o");
    const side = page.getByRole("complementary", { name: "Selected row" });
    await side.getByText("411 of 412").waitFor();
    await side.getByText("A call was made with this session's rights that its gateway did not send").waitFor();
    await side.getByText("instead of 21").waitFor();
    await side.getByRole("button", { name: "Propose it" }).click();
    await side.getByText("kind: Role").waitFor();
    await side.getByRole("button", { name: "oidc:dev@example.test" }).click();
    await side.getByText("Sessions of this desktop").waitFor();
    await page.keyboard.press("b");
    await side.getByText("411 of 412").waitFor();
    await side.getByRole("button", { name: "Show them in the timeline" }).click();
    await page.getByRole("button", { name: "request 0b6f2c7e remove" }).waitFor();
  }));

test("who deleted something is asked from the palette, and its call is shown", () =>
  at("scene=audited", async (page) => {
    await page.locator("#clusters").waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Search" }).fill("who deleted");
    await page.keyboard.press("Enter");
    await page.getByLabel("Kind and name").fill("deployment checkout");
    await page.keyboard.press("Enter");
    await page.getByRole("region", { name: "What may have removed it" }).getByRole("button").first().click();
    await page.getByRole("complementary", { name: "Selected row" }).getByText("Links of this call").waitFor();
    await page.keyboard.press("d");
    await page.getByLabel("Kind and name").fill("pod gone");
    await page.keyboard.press("Enter");
    await page.getByText("No call was found").waitFor();
    await page.getByText("one of them may be it").waitFor();
  }));

test("a source is named, refused with the way out, read, and its events come by themselves", () =>
  at("", async (page) => {
    await go(page);
    await page.keyboard.press("s");
    await page.getByLabel("Cluster", { exact: true }).fill("payments-eu-1");
    await page.getByLabel("Logs at").fill("logs");
    await page.keyboard.press("Enter");
    await page.getByText("Begin it with / or ~/.").waitFor();
    await page.getByLabel("Logs at").fill("/var/log/kubernetes/");
    await page.keyboard.press("Enter");
    await page.getByText("40 new events").waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("40 told by clusters").waitFor();
  }));

test("a log store is named without a credential, refused with what is wrong, and asked in place", () =>
  at("", async (page) => {
    await go(page);
    await page.keyboard.press("s");
    await page.getByRole("button", { name: "A log store" }).click();
    await page.getByLabel("Store", { exact: true }).fill("logs.example");
    await page.keyboard.press("Enter");
    await page.getByText("a log store is named like").waitFor();
    await page.getByLabel("Store", { exact: true }).fill("victorialogs:https://logs.example:9428");
    await page.getByLabel("Credential").fill("~/token");
    await page.keyboard.press("Enter");
    await page.getByText("every cluster it names").first().waitFor();
    await page.getByText("1,000 new records in 87 ms").waitFor();
    await page.getByRole("button", { name: "Forget victorialogs:https://logs.example:9428" }).click();
    await page.getByRole("button", { name: "Forget the store" }).click();
    await page.getByText("No logs are named yet").waitFor();
  }));

test("what an answer lacks is said above it, and the history is shown without an archive", async () => {
  await at("scene=auditedPart", async (page) => {
    await go(page);
    await page.getByText("412 events are damaged and could not be looked at.").waitFor();
    await page.getByText("logs.example:9428 did not answer within 20 s").waitFor();
  });
  await at("scene=auditBusy", async (page) => {
    await go(page);
    await page.getByText("in use by process 4711").waitFor();
    await row(page, "Ran psql").waitFor();
  });
});

test("looking on live asks for what is new, keeps rows bounded, and stops with the view", () =>
  at("scene=audited", async (page) => {
    await go(page);
    await page.keyboard.press("l");
    await page.getByRole("button", { name: "Look on live", pressed: true }).waitFor();
    await world(page, "(w) => { for (let n = 0; n < 1000; n++) w.evidence.append(Date.now() * 1000 + n, 2); w.hear({ kind: 'evidenceChanged' }); }");
    await page.getByText("4,000 told by clusters").waitFor();
    assert.ok((await page.locator("#entries [role=row]").count()) < 80, "only what is seen is drawn");
    await inTurn(page, "g", "c");
    await page.waitForFunction(() => window.sallyportFake.world.evidence.follows === false);
  }));

test("words that are not searched for any more do not stay in the field", () =>
  at("scene=audited", async (page) => {
    await go(page);
    const field = page.getByLabel("Search the timeline");
    await field.fill("scaled");
    await page.waitForFunction(() => [...document.querySelectorAll("#entries [role=row][id]")].every((one) => one.textContent.includes("Scaled")));
    await field.press("Escape");
    await row(page, "Read deployment worker in settlement").waitFor();
    await field.fill("scaled");
    await page.waitForFunction(() => [...document.querySelectorAll("#entries [role=row][id]")].every((one) => one.textContent.includes("Scaled")));
    await page.locator("#entries").focus();
    await page.keyboard.press("x");
    await row(page, "Read deployment worker in settlement").waitFor();
    await page.waitForFunction((input) => input.value === "", await field.elementHandle());
  }));

test("the calls of one kubectl command are one row, which keys open and close, and which grows while one looks on live", () =>
  at("scene=audited", async (page) => {
    await go(page);
    const command = page.locator("#entries [role=row][aria-expanded]", { hasText: "kubectl apply" });
    assert.equal(await command.getAttribute("aria-expanded"), "false");
    assert.match(await command.innerText(), /Tried to read secret checkout-tls[^]*5 calls/, "what was refused says most");
    assert.equal(await page.locator("#entries [aria-level='2']").count(), 0);
    await command.click();
    const side = page.getByRole("complementary", { name: "Selected row" });
    await side.getByRole("heading", { name: "kubectl apply" }).waitFor();
    await page.keyboard.press("ArrowRight");
    const calls = page.locator("#entries [aria-level='2']");
    await calls.nth(4).waitFor();
    assert.deepEqual((await calls.allInnerTexts()).map((words) => /(Tried|Created|Changed|Read|Asked)/.exec(words)?.[1]), ["Tried", "Created", "Changed", "Read", "Asked"], "newest first, as all rows");
    const active = () => page.locator("#entries").evaluate((list) => document.getElementById(list.getAttribute("aria-activedescendant") ?? "")?.textContent ?? "");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.waitForFunction(() => document.querySelector("#entries [aria-level='2'][aria-selected=true]")?.textContent.includes("Created config map"));
    assert.match(await active(), /Created config map/);
    await side.getByText("Joins with").waitFor();
    await page.keyboard.press("ArrowLeft");
    await calls.first().waitFor({ state: "detached" });
    assert.equal(await command.getAttribute("aria-selected"), "true", "closed, it is what was chosen in it");
    assert.match(await active(), /5 calls/);
    await page.keyboard.press("c");
    await calls.nth(4).waitFor();
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("l");
    await page.getByRole("button", { name: "Look on live", pressed: true }).waitFor();
    // One more call of the same command, and what other people do at the same time.
    await world(page, `(w) => {
      const last = w.history.entries.findLast((e) => e.detail.some(([, value]) => value === "kubectl apply"));
      w.history.append({ ...last, ids: { ...last.ids, auditId: "one-more" }, sentence: "Watched deployments in settlement" }, last.atUs + 30e6);
      for (let n = 0; n < 400; n++) w.evidence.append(Date.now() * 1000 + n, 2);
      w.hear({ kind: "evidenceChanged" });
    }`);
    await page.getByText("3,400 told by clusters").waitFor();
    await page.locator("#entries").evaluate((list) => (list.scrollTop = 400 * 32));
    await page.locator("#entries [role=row][aria-expanded=true]", { hasText: "6 calls" }).waitFor();
    await page.locator("#entries [aria-level='2']", { hasText: "Watched deployments" }).waitFor();
    assert.equal(await page.locator("#entries [role=row][aria-expanded]", { hasText: "kubectl apply" }).count(), 1);
  }));
