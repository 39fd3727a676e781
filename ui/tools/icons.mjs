// Draws icons/*.png from icons/icon.svg with the installed Chromium: `node ui/tools/icons.mjs`.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { launch } from "./chromium.mjs";

const folder = fileURLToPath(new URL("../../icons/", import.meta.url));
const svg = readFileSync(`${folder}icon.svg`, "utf8");
const browser = await launch();
for (const [name, size] of [["32x32", 32], ["128x128", 128], ["icon", 512]]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<body style="margin:0">${svg.replace("<svg", `<svg width="${size}" height="${size}" style="display:block"`)}`);
  await page.screenshot({ path: `${folder}${name}.png`, omitBackground: true });
  await page.close();
}
await browser.close();
