// The window in headless Chromium against the scripted host, under the CSP of tauri.conf.json: whatever is in this folder.
import { readdirSync } from "node:fs";

const here = new URL(".", import.meta.url);
const files = readdirSync(here).filter((name) => name !== "all.test.mjs" && name.endsWith(".mjs")).sort();
for (const name of files) await import(new URL(name, here));
