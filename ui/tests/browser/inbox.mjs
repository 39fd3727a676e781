// What the tests of the requests have in common.
import { world } from "./site.mjs";

/** Longer than a row takes no key. */
const HOLD = 750;

/** Comes to the view. */
export const come = async (page) => {
  await page.locator("#clusters").waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await page.locator("#requests").waitFor();
};
export const select = async (page, id) => {
  await page.locator(`#request-${id}`).click();
  await page.locator(`#request-${id}[aria-selected=true]`).waitFor();
};
/** What was sent to be decided, as it went out. */
export const sent = (page) => world(page, "(w) => w.requests.said");
export const badge = (page, id) => page.locator(`#request-${id} .chip`);
export const rest = (page) => page.waitForTimeout(HOLD);
