// The part of `bench ui` that looks on live while 1,000 rows a second come, from the fake host: frames that were dropped, and
// what the page's process takes of a core, with all its threads. One line at the end.
import { launch } from "./chromium.mjs";
import { serve } from "./serve.mjs";
import { at, dropped, TAIL } from "./speed.mjs";

const [SECONDS, RATE] = [20, 1000];
const site = await serve();
const browser = await launch();
try {
  const page = await (await browser.newContext({ reducedMotion: "reduce", viewport: { width: 1280, height: 800 } })).newPage();
  await page.goto(`${site.url}?scene=audited`, { waitUntil: "domcontentloaded" });
  await page.locator("#clusters").waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("a");
  await page.locator("#entries [role=row]").first().waitFor();
  await page.keyboard.press("l");
  await page.getByRole("button", { name: "Look on live", pressed: true }).waitFor();
  const [whole, own] = [await browser.newBrowserCDPSession(), await page.context().newCDPSession(page)];
  await own.send("Performance.enable", { timeDomain: "threadTicks" });
  // Seconds of the page's process, and of its main thread alone.
  const spent = async () => {
    const { processInfo } = await whole.send("SystemInfo.getProcessInfo");
    const { metrics } = await own.send("Performance.getMetrics");
    return [processInfo.filter(({ type }) => type === "renderer").reduce((sum, { cpuTime }) => sum + cpuTime, 0), metrics.find(({ name }) => name === "TaskDuration").value];
  };
  await page.evaluate(() => { window.longTasks = []; new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "longtask" }); });
  // What comes first is compiled.
  await page.evaluate(TAIL, { seconds: 2, rate: RATE });
  await page.evaluate(() => (window.longTasks.length = 0));
  // What this machine makes of frames in which nothing comes.
  const still = await page.evaluate(TAIL, { seconds: 5, rate: 0 });
  const before = await spent();
  const { frames, came } = await page.evaluate(TAIL, { seconds: SECONDS, rate: RATE });
  const [process, thread] = (await spent()).map((seconds, i) => (seconds - before[i]) / SECONDS);
  const long = await page.evaluate(() => window.longTasks);
  const shown = await page.locator(".foot", { hasText: "shown" }).innerText();
  console.log(`${came} rows in ${SECONDS} s (${shown}): frames p50 ${at(frames, 0.5).toFixed(1)} p95 ${at(frames, 0.95).toFixed(1)}, the longest ${at(frames, 1).toFixed(1)} ms; ${long.length} tasks over 50 ms; ${(thread * 100).toFixed(0)} % of a core for the page's main thread, ${(process * 100).toFixed(0)} % for its process; while nothing came ${dropped(still.frames)} of ${still.frames.length} frames were dropped`);
  console.log(`ui tail_dropped=${dropped(frames)} tail_core=${process.toFixed(3)}`);
} finally {
  await browser.close();
  await site.stop();
}
