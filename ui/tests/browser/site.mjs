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

/** The folder of the build under test. */
export const folder = () => site.folder;

/** A page at `?query`; whatever it complains about, CSP included, fails the test. */
export async function at(query, look, { width = 1280, height = 800 } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion: "reduce", permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("dialog", (dialog) => (complaints.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  page.on("request", (request) => new URL(request.url()).origin !== new URL(site.url).origin && !request.url().startsWith("data:") && complaints.push(`asked ${request.url()}`));
  try {
    await page.goto(`${site.url}?${query}`);
    await look(page);
  } finally {
    await context.close();
  }
  if (complaints.length > 0) throw new Error(complaints.join("\n"));
}

export const world = (page, run, argument) => page.evaluate(`(${run})(window.sallyportFake.world, ${JSON.stringify(argument ?? null)})`);
export const calls = (page) => page.evaluate(() => window.sallyportFake.calls);

/** Opens a cluster and waits for its prompt. */
export async function enter(page, name) {
  await page.locator(`#cluster-${name}`).dblclick();
  await page.locator(".xterm-rows", { hasText: "$" }).waitFor();
}
