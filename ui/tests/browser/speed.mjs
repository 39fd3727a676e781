import assert from "node:assert/strict";
import { test } from "node:test";
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
    const measure = async (run) => {
      await page.evaluate(run);
      let cpu = Infinity;
      const walls = [];
      // The best of four: a neighbour on the same core slows even the processor's own time.
      for (let i = 0; i < 4; i++) {
        const before = await spent();
        const batch = await page.evaluate(run);
        cpu = Math.min(cpu, (await spent() - before) / batch.length);
        walls.push(...batch);
      }
      walls.sort((a, b) => a - b);
      return { cpu, p50: walls[Math.floor(walls.length / 2)], p95: walls[Math.floor(walls.length * 0.95)] };
    };
    const palette = await measure(OPEN_PALETTE);
    const key = await measure(TYPE_FILTER);
    const shown = (n) => n.toFixed(1);
    console.log(`ui ready_ms=${shown(ready)} palette_ms=${shown(palette.p50)} palette_p95_ms=${shown(palette.p95)} palette_cpu_ms=${shown(palette.cpu)} key_ms=${shown(key.p50)} key_p95_ms=${shown(key.p95)} key_cpu_ms=${shown(key.cpu)}`);
    // The budgets are 50 and 16 ms on a quiet machine; here only a change of kind (rows no longer virtual, a search
    // that walks everything twice) must be found, on a machine that builds at the same time.
    assert.ok(palette.cpu > 0 && palette.cpu < 50 * BUSY, "palette, opened and closed");
    assert.ok(key.cpu > 0 && key.cpu < 16 * BUSY, "filter key, with layout and paint");
  }));

async function OPEN_PALETTE() {
  const settled = async (there) => { for (let i = 0; i < 500 && !there(); i++) await new Promise((r) => setTimeout(r, 0)); void document.body.offsetHeight; };
  const press = () => (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", { key: "k", code: "KeyK", ctrlKey: true, bubbles: true, cancelable: true }));
  const walls = [];
  for (let i = 0; i < 8; i++) {
    const begin = performance.now();
    press();
    await settled(() => document.querySelector("#palette-0"));
    walls.push(performance.now() - begin);
    press();
    await settled(() => !document.querySelector("dialog"));
  }
  return walls;
}

async function TYPE_FILTER() {
  const field = document.querySelector("input[placeholder^=Name]");
  field.focus();
  const walls = [];
  for (const text of ["payments eu", "ledger prod", "zq", "checkout stage 1", ""]) {
    for (let n = 1; n <= Math.max(1, text.length); n++) {
      const begin = performance.now();
      field.value = text.slice(0, n);
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
      for (let i = 0; i < 8; i++) await Promise.resolve();
      void document.body.offsetHeight;
      walls.push(performance.now() - begin);
      // A frame, as between two key strokes.
      await new Promise((r) => requestAnimationFrame(() => setTimeout(r, 0)));
    }
  }
  return walls;
}
