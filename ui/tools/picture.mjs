import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { launch } from "./chromium.mjs";
import { SCENES } from "./scenes.mjs";
import { serve } from "./serve.mjs";

/** @typedef {{ scene: string, theme: "dark" | "light", width: number, height: number, path: string }} Picture */

/**
 * Makes the pictures, one after the other. Says on stderr what a page complained of, and counts the moments that were
 * not reached; each is pictured as far as it came.
 * @param {Iterable<Picture>} pictures
 */
export async function pictured(pictures) {
  const site = await serve();
  const browser = await launch();
  let failed = 0;
  for (const { scene, theme, width, height, path } of pictures) {
    const found = SCENES.find(([name]) => name === scene);
    if (!found) throw new Error(`there is no scene ${scene} in tools/scenes.mjs`);
    const [, query, reach] = found;
    const page = await browser.newPage({ viewport: { width, height } });
    page.on("pageerror", (error) => console.error(`${scene}: ${error.message}`));
    page.on("console", (message) => { if (message.type() === "error") console.error(`${scene}: ${message.text()}`); });
    page.setDefaultTimeout(20_000);
    try {
      await page.goto(`${site.url}?theme=${theme}&${query}`);
      await reach(page);
      await page.evaluate(() => document.fonts.ready);
      await page.waitForTimeout(120);
    } catch (error) {
      failed += 1;
      console.error(`${scene} (${theme}, ${width}): ${error.message.split("\n")[0]}`);
    }
    mkdirSync(dirname(path), { recursive: true });
    await page.screenshot({ path }).catch((error) => console.error(`${scene}: ${error.message.split("\n")[0]}`));
    await page.close();
  }
  await browser.close();
  await site.stop();
  return failed;
}
