// The window in headless Chromium against the scripted host, under the CSP of tauri.conf.json: whatever is in this folder.
import { readdirSync } from "node:fs";
import { describe } from "node:test";
// Here, so that the build and Chromium are there for every test, and once.
import "./site.mjs";

const here = new URL(".", import.meta.url);
// What measures has the browser to itself.
const ALONE = ["speed.mjs"];
const files = readdirSync(here).filter((name) => name !== "all.test.mjs" && name.endsWith(".mjs") && !ALONE.includes(name)).sort();

for (const name of ALONE) await import(new URL(name, here));
// Each test has a page of its own, and waits for it more than half of the time.
describe("the window", { concurrency: 4 }, async () => {
  for (const name of files) await import(new URL(name, here));
});
