// A profile is changed as text: by keyboard, looked at before it is applied, and lost by no key.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn, pass, rest, stand } from "../../tools/time.mjs";
import { at, atClipboard, calls } from "./site.mjs";
import { holdEnter } from "./inbox.mjs";

const come = async (page) => {
  await page.locator("#clusters").waitFor();
  await inTurn(page, "g", "w");
  await page.locator("#reach").waitFor();
};
const text = (page) => page.getByLabel("Text of the profile, YAML");
const said = (page, what) => page.getByRole("dialog").getByText(what).first().waitFor();
const sent = async (page) => (await calls(page)).filter((name) => name.startsWith("profile_"));
const closed = (page) => page.getByRole("dialog").waitFor({ state: "detached" });

/** Chooses `operate` by keyboard and changes its text. */
const edit = async (page, from, to) => {
  await come(page);
  await stand(page);
  await page.keyboard.press("e");
  await page.getByLabel("Profile", { exact: true }).waitFor();
  await page.keyboard.type("oper");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Edit profile operate" }).waitFor();
  await page.waitForFunction(() => document.activeElement?.tagName === "TEXTAREA");
  if (from) await text(page).fill((await text(page).inputValue()).replace(from, to));
};
const change = (page) => edit(page, "approvals: 2", "approvals: 1");

test("a profile is chosen, changed, looked at and applied by keyboard alone, and who can is read again", () =>
  at("speed=20", async (page) => {
    await change(page);
    const apply = page.getByRole("button", { name: "Apply" });
    assert.ok(await apply.isDisabled(), "nothing is applied that was not looked at");
    await page.keyboard.press("Control+Enter");
    await said(page, "The hub would take it");
    const dialog = page.getByRole("dialog");
    for (const what of ["wants 1 approval instead of 2", "may now ask for it on mail-eu-1", "A session gets more", "no longer covered", "have to be made again", "Not known: what ClusterRole sallyport:operate allows"]) await dialog.getByText(what).first().waitFor();
    // A key that was on its way is not for what just came.
    await apply.focus();
    await page.keyboard.press("Enter");
    await said(page, "Just shown: that key was not taken");
    assert.ok(!(await sent(page)).includes("profile_apply"));
    await pass(page, 750);
    await page.keyboard.press("Enter");
    await closed(page);
    await page.getByText("Profile operate is changed.").waitFor();
    await page.waitForFunction(() => window.sallyportFake.calls.filter((name) => name === "who_can").length === 2);
    assert.deepEqual(await sent(page), ["profile_names", "profile_text", "profile_look", "profile_apply"]);
  }));

test("what changed after the look is looked at again before it is applied", () =>
  at("speed=20", async (page) => {
    await change(page);
    await page.keyboard.press("Control+Enter");
    await said(page, "The hub would take it");
    await rest(page);
    await text(page).focus();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("# and more");
    await said(page, "The text changed since");
    assert.ok(await page.getByRole("button", { name: "Apply" }).isDisabled());
    await page.keyboard.press("Control+Enter");
    await page.getByText("The text changed since").waitFor({ state: "detached" });
    assert.equal((await sent(page)).filter((name) => name === "profile_look").length, 2);
  }));

test("one held Enter applies nothing, and held with Ctrl it tries once", () =>
  at("speed=20", async (page) => {
    await change(page);
    await page.keyboard.down("Control");
    for (let i = 0; i < 6; i++) await page.keyboard.down("Enter");
    await page.keyboard.up("Enter");
    await page.keyboard.up("Control");
    await said(page, "The hub would take it");
    assert.equal((await sent(page)).filter((name) => name === "profile_look").length, 1);
    await page.getByRole("button", { name: "Apply" }).focus();
    await holdEnter(page);
    await said(page, "Just shown");
    assert.ok(!(await sent(page)).includes("profile_apply"));
  }));

test("what is wrong is said by line, and a click leads there", () =>
  at("speed=20", async (page) => {
    await edit(page, "approvals: 2", "approvals: many\n  approvalz: 1");
    await page.keyboard.press("Control+Enter");
    await said(page, "It is no profile yet");
    const wrong = page.getByRole("list", { name: "What is wrong" });
    await wrong.getByText("must be of type integer").waitFor();
    assert.equal(await page.locator(".gutter .marked").allInnerTexts().then((all) => all.join()), "6,7");
    await wrong.getByRole("button", { name: "Line 7" }).click();
    const at = await text(page).evaluate((field) => field.value.slice(0, field.selectionStart).split("\n").length);
    assert.equal(at, 7);
    assert.ok(await page.getByRole("button", { name: "Apply" }).isDisabled());
  }));

test("Enter keeps the indentation, Tab leaves the text", () =>
  at("speed=20", async (page) => {
    await edit(page);
    await text(page).evaluate((field) => { const at = field.value.indexOf("  - checkout") + "  - checkout".length; field.setSelectionRange(at, at); });
    await page.keyboard.press("Enter");
    await page.keyboard.type("x");
    assert.match(await text(page).inputValue(), /  - checkout\n    x\n  roles/);
    await page.keyboard.press("Tab");
    assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), "TEXTAREA");
  }));

test("what was written is dropped by no single key", () =>
  at("speed=20", async (page) => {
    await change(page);
    await page.keyboard.press("Escape");
    await said(page, "You changed the text, and it is nowhere else.");
    await page.getByRole("button", { name: "Keep writing" }).click();
    assert.match(await text(page).inputValue(), /approvals: 1/);
    await page.keyboard.press("Escape");
    await said(page, "nowhere else");
    await page.keyboard.press("Escape");
    await closed(page);
    // What was not touched is closed at once.
    await page.keyboard.press("n");
    await text(page).waitFor();
    await page.keyboard.press("Escape");
    await closed(page);
  }));

test("whoever lacks the right is told which, sees the difference, and copies the text", () =>
  atClipboard("scene=profileNoRights&speed=20", async (page) => {
    await change(page);
    await said(page, "update accessprofiles.access.sallyport.dev/operate");
    await page.keyboard.press("Control+Enter");
    await said(page, "The hub does not take it from you");
    await said(page, "wants 1 approval instead of 2");
    assert.ok(await page.getByRole("button", { name: "You may not apply" }).isDisabled());
    await page.getByRole("button", { name: "Copy text" }).click();
    await said(page, "Copied");
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^apiVersion[\s\S]*approvals: 1/);
  }));

test("somebody else's change in between is a conflict, and the text can be compared with it", () =>
  at("scene=profileConflict&speed=20", async (page) => {
    await change(page);
    await page.keyboard.press("Control+Enter");
    await said(page, "Somebody else changed it since you read it");
    await page.getByRole("button", { name: "Compare with how it is now" }).click();
    await said(page, "The hub would take it");
    assert.match(await text(page).inputValue(), /approvals: 1/, "what was written stays");
  }));

test("one that is refused as it is applied stays on screen, and nothing is called changed", () =>
  at("scene=profileRace&speed=20", async (page) => {
    await change(page);
    await page.keyboard.press("Control+Enter");
    await said(page, "The hub would take it");
    await rest(page);
    await page.getByRole("button", { name: "Apply" }).click();
    await said(page, "nothing was applied");
    assert.ok(await page.getByRole("button", { name: "Apply" }).isDisabled());
    assert.match(await text(page).inputValue(), /approvals: 1/);
    assert.equal(await page.getByText("is changed.").count(), 0);
  }));

test("a hub that does not answer loses no text, and it can be tried again", () =>
  at("scene=profileTimesOut&speed=20", async (page) => {
    await change(page);
    await page.keyboard.press("Control+Enter");
    await said(page, "it did not answer in time");
    await page.getByRole("button", { name: "Look at the change again" }).click();
    await page.waitForFunction(() => window.sallyportFake.calls.filter((name) => name === "profile_look").length === 2);
    assert.match(await text(page).inputValue(), /approvals: 1/);
  }));

test("ninety clusters are a line, and hundreds of people few", () =>
  at("scene=profileMany&speed=20", async (page) => {
    await change(page);
    await page.keyboard.press("Control+Enter");
    await said(page, "cluster-prod-0, cluster-prod-1, cluster-prod-2 and 87 more");
    const people = page.getByRole("dialog").locator("li", { hasText: "oidc:some-group" });
    assert.equal(await people.count(), 12);
    await page.getByRole("button", { name: "Show 108 more" }).click();
    assert.equal(await people.count(), 120);
  }));

test("the palette edits and begins from anywhere, and beside each profile stands its button", () =>
  at("speed=20", async (page) => {
    await page.locator("#clusters").waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("new profile");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "New profile" }).waitFor();
    await text(page).waitFor();
    await page.keyboard.press("Escape");
    await closed(page);
    await inTurn(page, "g", "w");
    await page.locator("#reach").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("oidc:payments-leads");
    await page.locator("aside h2", { hasText: "oidc:payments-leads" }).waitFor();
    await page.getByRole("button", { name: "Edit profile debug" }).click();
    await page.getByRole("heading", { name: "Edit profile debug" }).waitFor();
  }));
