import { after, before } from "node:test";
import { launch } from "../../tools/chromium.mjs";
import { serve } from "../../tools/serve.mjs";

let site;
let browser;
before(async () => {
  site = await serve();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.stop();
});

// There is one clipboard for all pages: tests that read it take turns.
let clipboard = Promise.resolve();

/** As `at`, with the clipboard to itself. */
export function atClipboard(query, look) {
  const mine = clipboard.then(() => at(query, look));
  clipboard = mine.catch(() => {});
  return mine;
}

// Making a page costs more than most tests. All that a test leaves behind is in its document and goes with it; a page
// where one failed is not used again.
const idle = [];

async function opened() {
  const context = await browser.newContext({ reducedMotion: "reduce", permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("dialog", (dialog) => (complaints.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  page.on("request", (request) => new URL(request.url()).origin !== new URL(site.url).origin && !request.url().startsWith("data:") && complaints.push(`asked ${request.url()}`));
  return { context, page, complaints };
}

/** A page at `?query`; whatever it complains about, CSP included, fails the test. `used`: it can't be used again after it. */
export async function at(query, look, { used = false } = {}) {
  const { context, page, complaints } = idle.pop() ?? await opened();
  let good = false;
  try {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.emulateMedia({ colorScheme: "light" });
    await page.mouse.move(0, 0);
    complaints.length = 0;
    // The window is drawn by then; fonts and pictures still come, as they do for whoever looks at it.
    await page.goto(`${site.url}?${query}`, { waitUntil: "domcontentloaded" });
    await look(page);
    good = complaints.length === 0;
  } catch (thrown) {
    // What it complained about may be why something was waited for in vain.
    if (complaints.length > 0) thrown.message += `\nthe page complained: ${complaints.join("\n")}`;
    throw thrown;
  } finally {
    if (good && !used) idle.push({ context, page, complaints });
    else await context.close();
  }
  if (complaints.length > 0) throw new Error(complaints.join("\n"));
}

export const world = (page, run, argument) => page.evaluate(`(${run})(window.sallyportFake.world, ${JSON.stringify(argument ?? null)})`);
export const calls = (page) => page.evaluate(() => window.sallyportFake.calls);

/** Opens a cluster and waits for its prompt, and until what is typed goes there. */
export async function enter(page, name) {
  await page.locator(`#cluster-${name}`).dblclick();
  await page.locator(".xterm-rows", { hasText: "$" }).waitFor();
  await page.waitForFunction(() => document.activeElement?.matches(".xterm-helper-textarea"));
}
