// One way to start the installed Chromium for tests and pictures.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

// The shell draws the same with half of the processor's time: it is a browser without a desktop around it.
const candidates = [process.env.SALLYPORT_CHROMIUM, "/usr/bin/chromium-headless-shell", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Starts a headless Chromium; says which paths were tried when there is none. */
export function launch() {
  const executablePath = candidates.find((path) => path && existsSync(path));
  if (!executablePath) throw new Error(`no Chromium at ${candidates.filter(Boolean).join(", ")}; set SALLYPORT_CHROMIUM`);
  // Root needs --no-sandbox; only our own pages are opened.
  const root = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  // Text as wide as its font says, in shades of its own colour: the same on every machine.
  return chromium.launch({ executablePath, headless: true, args: [...root, "--font-render-hinting=none", "--disable-lcd-text"] });
}
