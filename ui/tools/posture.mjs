// The window's half of `bench posture`, with 2,000 clusters from the fake host: from the key that leads to Posture to the
// grid's first painted rows, the first time (nothing is known yet) and again. Wall time, one line at the end.
import { launch } from "./chromium.mjs";
import { serve } from "./serve.mjs";
import { at, PAINT_GRID } from "./speed.mjs";

const ROUNDS = 5;
const site = await serve();
const browser = await launch();
try {
  const [first, again] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const page = await (await browser.newContext({ reducedMotion: "reduce", viewport: { width: 1280, height: 800 } })).newPage();
    await page.goto(`${site.url}?scene=posture&clusters=2000&speed=1000`, { waitUntil: "domcontentloaded" });
    await page.locator("#clusters").waitFor();
    await page.evaluate(() => document.fonts.ready);
    const walls = await page.evaluate(PAINT_GRID);
    first.push(walls[0]);
    again.push(...walls.slice(1));
    await page.context().close();
  }
  console.log(`window of ${ROUNDS} pages: first ${first.map((ms) => ms.toFixed(0)).join(" ")}; again ${again.map((ms) => ms.toFixed(0)).join(" ")}`);
  console.log(`posture grid_first_ms=${at(first, 0.5).toFixed(1)} grid_again_ms=${at(again, 0.5).toFixed(1)} grid_again_p95_ms=${at(again, 0.95).toFixed(1)}`);
} finally {
  await browser.close();
  await site.stop();
}
