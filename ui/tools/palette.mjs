// The part of `bench ui` that wants 2,000 clusters, which the fake host has: the palette's opening, and a key in it and in the
// list's filter. Wall time in a browser, one line at the end.
import { launch } from "./chromium.mjs";
import { serve } from "./serve.mjs";
import { FILTER, OPEN_PALETTE, PALETTE, TYPE, at } from "./speed.mjs";

const ROUNDS = 4;
const site = await serve();
const browser = await launch();
try {
  const page = await (await browser.newContext({ reducedMotion: "reduce", viewport: { width: 1280, height: 800 } })).newPage();
  await page.goto(`${site.url}?clusters=2000`, { waitUntil: "domcontentloaded" });
  await page.locator("#clusters").waitFor();
  const measured = async (run, arg) => {
    await page.evaluate(run, arg);
    const walls = [];
    for (let round = 0; round < ROUNDS; round++) walls.push(...await page.evaluate(run, arg));
    return walls;
  };
  const opened = await measured(OPEN_PALETTE);
  const filtered = await measured(TYPE, FILTER);
  await page.keyboard.press("Control+k");
  await page.locator("#palette-0").waitFor();
  const found = await measured(TYPE, PALETTE);
  const said = (walls) => `p50 ${at(walls, 0.5).toFixed(1)} p95 ${at(walls, 0.95).toFixed(1)} of ${walls.length}`;
  console.log(`2,000 clusters in a browser, ms: the palette opens ${said(opened)}; a key in it ${said(found)}; a key in the list's filter ${said(filtered)}`);
  console.log(`ui palette_ms=${at(opened, 0.95).toFixed(1)} key_ms=${Math.max(at(found, 0.95), at(filtered, 0.95)).toFixed(1)}`);
} finally {
  await browser.close();
  await site.stop();
}
