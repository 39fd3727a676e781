import assert from "node:assert/strict";
import { test } from "node:test";
import { FILTER, OPEN_PALETTE, PAINT_GRID, TYPE, at as below } from "../../tools/speed.mjs";
import { at } from "./site.mjs";

const BUSY = 4;

test("speed with 2,000 clusters: palette, filter key, page ready", () =>
  at("clusters=2000", async (page) => {
    await page.locator("#clusters").waitFor();
    const ready = await page.evaluate(() => performance.now());
    // Processor time of the page's main thread, so that what else this machine does is not counted.
    const client = await page.context().newCDPSession(page);
    await client.send("Performance.enable", { timeDomain: "threadTicks" });
    const spent = async () => Object.fromEntries((await client.send("Performance.getMetrics")).metrics.map((m) => [m.name, m.value])).TaskDuration * 1000;
    const measure = async (run, arg) => {
      await page.evaluate(run, arg);
      let cpu = Infinity;
      const walls = [];
      // The best of four: a neighbour on the same core slows even the processor's own time.
      for (let i = 0; i < 4; i++) {
        const before = await spent();
        const batch = await page.evaluate(run, arg);
        cpu = Math.min(cpu, (await spent() - before) / batch.length);
        walls.push(...batch);
      }
      return { cpu, p50: below(walls, 0.5), p95: below(walls, 0.95) };
    };
    const palette = await measure(OPEN_PALETTE);
    const key = await measure(TYPE, FILTER);
    const shown = (n) => n.toFixed(1);
    console.log(`ui ready_ms=${shown(ready)} palette_ms=${shown(palette.p50)} palette_p95_ms=${shown(palette.p95)} palette_cpu_ms=${shown(palette.cpu)} key_ms=${shown(key.p50)} key_p95_ms=${shown(key.p95)} key_cpu_ms=${shown(key.cpu)}`);
    // The budgets are 50 and 16 ms on a quiet machine; here only a change of kind (rows no longer virtual, a search
    // that walks everything twice) must be found, on a machine that builds at the same time.
    assert.ok(palette.cpu > 0 && palette.cpu < 50 * BUSY, "palette, opened and closed");
    assert.ok(key.cpu > 0 && key.cpu < 16 * BUSY, "filter key, with layout and paint");
  }));

test("speed with 2,000 clusters: the grid of posture, from the key to its first rows", () =>
  at("scene=posture&clusters=2000&speed=1000", async (page) => {
    await page.locator("#clusters").waitFor();
    let walls = await page.evaluate(PAINT_GRID);
    // The better of two: a neighbour may hold both processors for as long as this takes.
    if (below(walls, 0.5) >= 200 * BUSY) walls = await page.evaluate(PAINT_GRID);
    console.log(`posture grid_first_ms=${walls[0].toFixed(1)} grid_again_ms=${below(walls.slice(1), 0.5).toFixed(1)}`);
    // 200 ms on a quiet machine; as above only a change of kind must be found, as a row for each cluster.
    assert.ok(below(walls, 0.5) < 200 * BUSY, "the grid's first rows");
    assert.ok((await page.evaluate(() => document.querySelectorAll("*").length)) < 6000);
  }));
