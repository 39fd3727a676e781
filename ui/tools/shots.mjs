// Pictures of every moment: `npm run shots [-- folder] [-- --only=name] [--quick]`. Quick: dark, 1280×800 only.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pictured } from "./picture.mjs";
import { SCENES } from "./scenes.mjs";

const flags = process.argv.slice(2);
const only = flags.find((f) => f.startsWith("--only="))?.slice(7).split(",");
const quick = flags.includes("--quick");
const folder = flags.find((f) => !f.startsWith("--")) ?? mkdtempSync(join(tmpdir(), "sallyport-shots-"));

function* all() {
  for (const theme of quick ? ["dark"] : ["dark", "light"]) {
    for (const [width, height] of quick ? [[1280, 800]] : [[1280, 800], [1920, 1080]]) {
      for (const [scene] of SCENES) {
        if (!only || only.some((part) => scene.startsWith(part))) yield { scene, theme, width, height, path: join(folder, `${scene}-${theme}-${width}.png`) };
      }
    }
  }
}

process.exitCode = (await pictured(all())) > 0 ? 1 : 0;
console.log(folder);
