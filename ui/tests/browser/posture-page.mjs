// The posture view, as its tests find their way in it.
import { inTurn } from "../../tools/time.mjs";
import { calls } from "./site.mjs";

export const SMALL = "scene=posture&clusters=11&speed=20";
export const come = async (page) => {
  await page.locator("#clusters").waitFor();
  await inTurn(page, "g", "p");
  await page.getByRole("heading", { name: "Posture", exact: true }).waitFor();
};
export const grid = async (page) => {
  await come(page);
  await page.locator("#posture").waitFor();
};
export const asked = async (page, name) => (await calls(page)).filter((one) => one === name).length;
export const tab = (page, name) => page.getByRole("group", { name: "What is listed" }).getByRole("button", { name }).click();
export const active = (page) => page.locator("#posture").evaluate((e) => document.getElementById(e.getAttribute("aria-activedescendant"))?.getAttribute("aria-label") ?? document.getElementById(e.getAttribute("aria-activedescendant"))?.textContent);
export const pane = (page) => page.locator("aside");
export const title = (page, text) => pane(page).locator("h2", { hasText: text }).waitFor();
export const row = (page, cluster) => page.locator(`#posture [data-posture='${cluster}']`);
export const scanOf = (page, cluster, text) => row(page, cluster).locator(".scan", { hasText: text }).waitFor();
export const focused = (page, what) => page.waitForFunction((what) => document.activeElement?.matches(what), what);
