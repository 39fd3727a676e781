import assert from "node:assert/strict";
import { readdirSync, readFileSync, mkdtempSync, rmSync } from "node:fs";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { promisify } from "node:util";
import { SCENES } from "../../tools/scenes.mjs";
import { at } from "./site.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// What is there is the same in both themes; only the colours are looked at twice.
const RULES = { dark: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], light: { type: "rule", values: ["color-contrast"] } };

// Those whose texts are long or whose parts are many: nothing of them may be cut off, or scroll sideways.
const SIZED = new Set(["clusters", "clusters-long", "session", "closed", "audit", "audit-command", "audit-session-replay", "audit-session-replay-call", "requests", "requests-long", "requests-longest", "held-longest", "requests-deny", "requests-less-many", "requests-hub-down", "requests-many", "held-me", "requests-held-long", "held-everything", "hold-long", "posture", "posture-long", "posture-cluster", "posture-scanning", "posture-findings-one", "posture-who", "posture-changed", "posture-scan", "who-can", "who-can-where", "who-can-long", "who-can-no-rights", "settings-text", "settings-default", "settings-long", "support-log", "support-refused", "session-paste-many", "session-vouching-overdue", "clusters-outlook-day", "requests-reaffirmed", "palette", "first-run-join", "audit-session", "audit-person", "audit-filter", "audit-hostile", "audit-heat-fleet", "recording"]);

for (const [name, query, reach] of SCENES) {
  test(`WCAG 2.2 AA by axe, dark and light${SIZED.has(name) ? ", and nothing cut off in any size" : ""}: ${name}`, () =>
    at(`theme=dark&${query}`, async (page) => {
      await reach(page);
      await page.evaluate(() => document.fonts.ready);
      await accessible(page);
      if (SIZED.has(name)) await fits(page);
    }));
}

async function accessible(page) {
  await page.evaluate(axe);
  for (const [theme, runOnly] of Object.entries(RULES)) {
    await page.evaluate((t) => (document.documentElement.dataset.theme = t), theme);
    await page.evaluate(() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))));
    const found = await page.evaluate(async (only) => {
      // Every violation whole; of what passed it need not describe each element, which takes longer than looking.
      // No rule that is asked for here reads style sheets or media, which would be fetched and parsed each time.
      const { violations } = await window.axe.run(document, { runOnly: only, resultTypes: ["violations"], preload: false });
      const said = (n) => `${n.target.join(" ")} ${n.any[0]?.message ?? n.failureSummary}`;
      return violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map(said).join(" | ")}`);
    }, runOnly);
    assert.deepEqual(found, [], theme);
  }
}

async function fits(page) {
  for (const [width, height] of [[960, 600], [1280, 800], [1920, 1080]]) {
    await page.setViewportSize({ width, height });
    const tooWide = () => page.evaluate(() => [document.documentElement, document.body, ...document.querySelectorAll("main, header, footer, .bar, aside, dialog")].filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => `${e.tagName}.${e.className} ${e.scrollWidth}>${e.clientWidth}`));
    await page.waitForTimeout(60);
    // What is measured and laid out again by a script is that some frames later.
    let over = await tooWide();
    for (let tries = 0; tries < 600 && over.length > 0; tries++) {
      await page.waitForTimeout(50);
      over = await tooWide();
    }
    assert.deepEqual(over, [], `at ${width}×${height}`);
    assert.equal(await page.evaluate(() => document.scrollingElement.scrollTop), 0, `at ${width}×${height}: the page itself scrolled`);
  }
}

test("every scene that is looked at in all sizes exists", () => assert.deepEqual([...SIZED].filter((name) => !SCENES.some(([n]) => n === name)), []));

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

test("p23_the shipped build has no fake in it and asks for nothing from outside", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-dist-"));
  try {
    await promisify(execFile)("npx", ["vite", "build", "--outDir", folder, "--emptyOutDir", "--logLevel", "error"], { cwd: fileURLToPath(new URL("../..", import.meta.url)) });
    for (const name of readdirSync(join(folder, "assets")).filter((n) => /\.(js|css)$/.test(n))) {
      const text = readFileSync(join(folder, "assets", name), "utf8");
      assert.ok(!text.includes("sallyportFake") && !text.includes("payments-eu-1"), name);
      assert.doesNotMatch(text, /url\(["']?https?:|@import/);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
