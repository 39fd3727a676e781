import assert from "node:assert/strict";
import { readdirSync, readFileSync, mkdtempSync, rmSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { SCENES } from "../../tools/scenes.mjs";
import { at } from "./site.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const BUSY = 4;

// What is there is the same in both themes; only the colours are looked at twice.
const RULES = { dark: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], light: { type: "rule", values: ["color-contrast"] } };

for (const [name, query, reach] of SCENES) {
  test(`WCAG 2.2 AA by axe, dark and light: ${name}`, () =>
    at(`theme=dark&${query}`, async (page) => {
      await reach(page);
      await page.evaluate(axe);
      for (const [theme, runOnly] of Object.entries(RULES)) {
        await page.evaluate((t) => (document.documentElement.dataset.theme = t), theme);
        await page.evaluate(() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))));
        const found = await page.evaluate(async (only) => {
          const { violations } = await window.axe.run(document, { runOnly: only });
          const said = (n) => `${n.target.join(" ")} ${n.any[0]?.message ?? n.failureSummary}`;
          return violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map(said).join(" | ")}`);
        }, runOnly);
        assert.deepEqual(found, [], theme);
      }
    }));
}

test("p24_hostile names are text: nothing runs, nothing is reordered", () =>
  at("", async (page) => {
    await page.locator("#clusters").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("hostile-1");
    await page.locator("aside h2", { hasText: "prod⟨U+202E⟩gnigats <b>bold</b>⟨U+200B⟩" }).waitFor();
    assert.equal(await page.locator("img, aside h2 b").count(), 0);
    const text = await page.locator("body").innerText();
    assert.ok(text.includes("<img src=x onerror=alert(1)>"));
    assert.doesNotMatch(text, /[\u200b\u202e]/);
  }));

test("nothing is cut off or scrolls sideways at 960×600, 1280×800 and 1920×1080", async () => {
  for (const name of ["clusters", "clusters-long", "session", "closed", "audit", "settings-text", "settings-long", "palette", "first-run-join"]) {
    const scene = SCENES.find(([n]) => n === name);
    await at(scene[1], async (page) => {
      await scene[2](page);
      for (const [width, height] of [[960, 600], [1280, 800], [1920, 1080]]) {
        await page.setViewportSize({ width, height });
        await page.waitForTimeout(60);
        const over = await page.evaluate(() => [document.documentElement, document.body, ...document.querySelectorAll("main, header, footer, .bar, aside, dialog")].filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => `${e.tagName}.${e.className} ${e.scrollWidth}>${e.clientWidth}`));
        assert.deepEqual(over, [], `${name} at ${width}×${height}`);
        assert.equal(await page.evaluate(() => document.scrollingElement.scrollTop), 0, `${name} at ${width}×${height}: the page itself scrolled`);
      }
    });
  }
});

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

test("p23_the shipped build has no fake in it and asks for nothing from outside", () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-dist-"));
  try {
    execFileSync("npx", ["vite", "build", "--outDir", folder, "--emptyOutDir", "--logLevel", "error"], { cwd: fileURLToPath(new URL("../..", import.meta.url)) });
    for (const name of readdirSync(join(folder, "assets")).filter((n) => /\.(js|css)$/.test(n))) {
      const text = readFileSync(join(folder, "assets", name), "utf8");
      assert.ok(!text.includes("sallyportFake") && !text.includes("payments-eu-1"), name);
      assert.doesNotMatch(text, /url\(["']?https?:|@import/);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
