// Pictures of every moment: `npm run shots [-- folder] [-- --only=name] [--quick]`. Quick: dark, 1280×800 only.
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch } from "./chromium.mjs";
import { SCENES } from "./scenes.mjs";
import { serve } from "./serve.mjs";

const flags = process.argv.slice(2);
const only = flags.find((f) => f.startsWith("--only="))?.slice(7).split(",");
const quick = flags.includes("--quick");
const folder = flags.find((f) => !f.startsWith("--")) ?? mkdtempSync(join(tmpdir(), "sallyport-shots-"));
mkdirSync(folder, { recursive: true });

const site = await serve();
const browser = await launch();
let failed = 0;
for (const theme of quick ? ["dark"] : ["dark", "light"]) {
  for (const [width, height] of quick ? [[1280, 800]] : [[1280, 800], [1920, 1080]]) {
    for (const [name, query, reach] of SCENES) {
      if (only && !only.some((part) => name.startsWith(part))) continue;
      const page = await browser.newPage({ viewport: { width, height } });
      page.on("pageerror", (error) => console.error(`${name}: ${error.message}`));
      page.on("console", (message) => { if (message.type() === "error") console.error(`${name}: ${message.text()}`); });
      page.setDefaultTimeout(20_000);
      const path = join(folder, `${name}-${theme}-${width}.png`);
      try {
        await page.goto(`${site.url}?theme=${theme}&${query}`);
        await reach(page);
        await page.waitForTimeout(120);
      } catch (error) {
        failed += 1;
        console.error(`${name} (${theme}, ${width}): ${error.message.split("\n")[0]}`);
      }
      await page.screenshot({ path }).catch((error) => console.error(`${name}: ${error.message.split("\n")[0]}`));
      await page.close();
    }
  }
}
await browser.close();
await site.stop();
console.log(folder);
process.exitCode = failed > 0 ? 1 : 0;
