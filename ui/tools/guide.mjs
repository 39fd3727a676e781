// The pictures of docs/guide and of the README, from the demo: `npm run guide` has two people play it in real windows,
// about two minutes, and keeps those of its pictures that the pages show. `npm run guide -- folder` takes them from there.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch } from "./chromium.mjs";

/** The pictures of the guide, each with its name in the play (tools/demo/src/play). */
export const PICTURES = {
  clusters: "cluster-chosen",
  "by-itself": "by-itself",
  waiting: "waiting",
  given: "given",
  session: "session-approved",
  "more-time": "more-time",
  held: "held",
  requests: "inbox",
  less: "less",
  end: "team-end",
  hold: "hold",
  holds: "holds",
  "who-can": "who-can-where",
  posture: "posture",
  "audit-store": "audit-store-hub",
};
/** Those of the README, which are as the play leaves them. */
export const README = { session: "session", clusters: "clusters", "closing-proof": "closing-proof" };

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Plays the demo without a display. */
function played(folder) {
  const { DISPLAY: _display, WAYLAND_DISPLAY: _wayland, ...env } = process.env;
  const { status, error } = spawnSync("make", ["run"], { cwd: ROOT, stdio: "inherit", env: { ...env, SALLYPORT_PICTURES: folder } });
  if (status !== 0) throw new Error(`the demo was not played to its end${error ? `: ${error.message}` : ""}; the pictures stay as they are`);
}

/** The same picture as WebP, which is half as large; the browser knows how. */
async function webp(page, png) {
  const made = await page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 0.9);
  }, png.toString("base64"));
  return Buffer.from(made.slice(made.indexOf(",") + 1), "base64");
}

async function made(folder) {
  // All of them are read before one is written.
  const read = (shown) => Object.entries(shown).map(([name, played]) => [name, readFileSync(join(folder, `${played}-dark.png`))]);
  const [guide, readme] = [read(PICTURES), read(README)];
  const browser = await launch();
  const page = await browser.newPage();
  for (const [name, png] of guide) writeFileSync(join(ROOT, "docs/guide/pictures", `${name}.webp`), await webp(page, png));
  for (const [name, png] of readme) writeFileSync(join(ROOT, "docs/pictures", `${name}.png`), png);
  await browser.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const given = process.argv[2];
  const folder = given ?? mkdtempSync(join(tmpdir(), "sallyport-guide-"));
  try {
    if (given === undefined) played(folder);
    await made(folder);
  } finally {
    if (given === undefined) rmSync(folder, { recursive: true });
  }
}
