// What the tests of the requests have in common.
import { inTurn, pass, stand } from "../../tools/time.mjs";
import { world } from "./site.mjs";

export { rest } from "../../tools/time.mjs";

/** Comes to the view, where from now on time passes only as a test lets it. */
export const come = async (page) => {
  await page.locator("#clusters").waitFor();
  await inTurn(page, "g", "r");
  await page.locator("#requests").waitFor();
  await stand(page);
};
export const select = async (page, id) => {
  await page.locator(`#request-${id}`).click();
  await page.locator(`#request-${id}[aria-selected=true]`).waitFor();
};
/** What was sent to be decided, as it went out. */
export const sent = (page) => world(page, "(w) => w.requests.said");
export const badge = (page, id) => page.locator(`#request-${id} .chip`);

/** Enter held for longer than a second, as a keyboard repeats it. */
export const holdEnter = async (page) => {
  const client = await page.context().newCDPSession(page);
  const key = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13 };
  for (let i = 0; i < 16; i++) {
    await client.send("Input.dispatchKeyEvent", { type: "keyDown", ...key, text: "\r", autoRepeat: i > 0 });
    await pass(page, i === 0 ? 400 : 50);
  }
  await client.send("Input.dispatchKeyEvent", { type: "keyUp", ...key });
  await client.detach();
};
