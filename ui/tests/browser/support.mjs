// A support bundle: all of it is seen, then it is written, and only what was seen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../tools/time.mjs";
import { at, world } from "./site.mjs";

const dialog = (page) => page.getByRole("dialog", { name: "Support bundle" });
const begin = async (page) => {
  await page.locator("#clusters").waitFor();
  await inTurn(page, "g", ",");
  await page.getByRole("button", { name: "Support bundle…" }).press("Enter");
  await dialog(page).waitFor();
};
const bundles = (page) => world(page, "(w) => w.bundles");

test("every file is seen and searched by keyboard before anything is written, and what is written is what was seen", () =>
  at("speed=20", async (page) => {
    await begin(page);
    await dialog(page).getByRole("region", { name: "README.txt" }).getByText("It holds no token").waitFor();
    assert.ok(await page.getByLabel("Find in the bundle").evaluate((e) => e === document.activeElement));
    assert.deepEqual(await bundles(page), []);
    // Through the files with the arrows, without the mouse.
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowDown");
    await dialog(page).getByRole("region", { name: "about.txt" }).getByText("version: 0.1.0").waitFor();
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    const log = dialog(page).getByRole("region", { name: "log.txt" });
    await log.getByText("[redacted]").waitFor();
    await page.keyboard.press("Tab");
    assert.ok(await log.evaluate((e) => e === document.activeElement && e.scrollHeight > e.clientHeight));
    await page.keyboard.press("End");
    await page.waitForFunction(() => document.querySelector("[aria-label='log.txt']").scrollTop > 0);
    await page.getByLabel("Find in the bundle").fill("DID NOT answer");
    await dialog(page).getByText("1 line found").waitFor();
    assert.equal(await log.locator(".row").count(), 1);
    await page.getByLabel("Find in the bundle").fill("");
    await page.getByLabel("Write to").press("Enter");
    await dialog(page).getByText("Written, for you alone to read").waitFor();
    const [{ place, view }] = await bundles(page);
    assert.match(place, /^\/home\/dev\/sallyport-support-[\d-]+\.tar\.gz$/);
    assert.equal(view.files.length, 9);
    assert.ok(!JSON.stringify(view).includes("dev@example.test"), "no name, as none was wanted");
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
    assert.ok(await page.getByRole("button", { name: "Support bundle…" }).evaluate((e) => e === document.activeElement));
  }));

test("with names it is gathered anew, and only that one is written; what is there already is not written over", () =>
  at("speed=20", async (page) => {
    await begin(page);
    await page.getByLabel("Find in the bundle").fill("oidc:dev@example.test");
    await dialog(page).getByText("0 lines found").waitFor();
    await page.getByRole("checkbox", { name: /^With the names/ }).press("Space");
    await dialog(page).getByText("1 line found").waitFor();
    const place = page.getByLabel("Write to");
    for (const [wrong, said] of [["/home/dev/taken.tar.gz", "nothing is written over"], ["/home/dev/.bashrc", "does not end in the name of an archive"]]) {
      await place.fill(wrong);
      await place.press("Enter");
      await dialog(page).getByRole("alert").getByText(said).waitFor();
      assert.equal(await place.inputValue(), wrong, "to be put right");
    }
    assert.deepEqual(await bundles(page), []);
    await place.fill("/home/dev/mine.tar.gz");
    await place.press("Enter");
    await dialog(page).getByText("Written, for you alone to read").waitFor();
    assert.equal(await dialog(page).getByRole("alert").count(), 0);
    const [written] = await bundles(page);
    assert.equal(written.view.id, "fake-bundle-2");
  }));

test("the palette begins one; one that can't be made says why and is tried again", () =>
  at("scene=supportFails&speed=20", async (page) => {
    await page.locator("#clusters").waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("support bundle");
    await page.keyboard.press("Enter");
    await dialog(page).getByRole("alert").getByText("could not be made").waitFor();
    await world(page, "(w) => { w.scene = 'ready'; }");
    await page.getByRole("button", { name: "Try again" }).click();
    await dialog(page).getByRole("region", { name: "README.txt" }).waitFor();
  }));
