// The window's half of `bench inbox`, with 5,000 requests from the fake host: from the key that leads to the inbox to its first
// painted rows, and from the key that says yes to the call that leaves the window. Wall time, one line at the end.
import { launch } from "./chromium.mjs";
import { serve } from "./serve.mjs";

const ROUNDS = 11;
const site = await serve();
const browser = await launch();
try {
  const page = await (await browser.newContext({ reducedMotion: "reduce", viewport: { width: 1280, height: 800 } })).newPage();
  await page.goto(`${site.url}?scene=requestsMost`, { waitUntil: "domcontentloaded" });
  await page.locator("#clusters").waitFor();
  const paints = [];
  for (let round = 0; round < ROUNDS; round++) {
    await page.keyboard.press("g");
    paints.push(await page.evaluate(PAINT));
    await page.keyboard.press("g");
    await page.keyboard.press("c");
    await page.locator("#clusters").waitFor();
  }
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await page.locator("#requests").waitFor();
  await page.locator("[id^=request-]").first().click();
  const sents = [];
  for (let round = 0; round < ROUNDS; round++) {
    // On to the next that is this person's to decide.
    const approve = page.getByRole("button", { name: /^Approve/ });
    for (let rows = 0; rows < 20 && (rows === 0 || (await approve.count()) === 0); rows++) {
      await page.keyboard.press("ArrowDown");
      await page.waitForTimeout(50);
    }
    // Rows take no key for 0.7 s after they came or moved.
    await page.waitForTimeout(900);
    sents.push(await page.evaluate(SEND));
    await page.waitForTimeout(300);
  }
  const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
  console.log(`window of ${ROUNDS} rounds each: paint ${paints.map((ms) => ms.toFixed(0)).join(" ")}; sent ${sents.map((ms) => ms.toFixed(1)).join(" ")}`);
  console.log(`inbox paint_ms=${median(paints).toFixed(1)} sent_ms=${median(sents).toFixed(2)}`);
} finally {
  await browser.close();
  await site.stop();
}

/** The second key of `g r`, until the frame after the one that has the first rows was begun: then they are on screen. */
async function PAINT() {
  const begin = performance.now();
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "r", code: "KeyR", bubbles: true, cancelable: true }));
  while (!document.querySelector("[id^=request-]")) await new Promise((then) => requestAnimationFrame(then));
  await new Promise((then) => requestAnimationFrame(() => setTimeout(then, 0)));
  return performance.now() - begin;
}

/** The key that says yes on the selected row and, where the window wants it, Enter, until the call has left. */
async function SEND() {
  const { calls } = window.sallyportFake;
  const sent = () => calls.filter((name) => name === "request_approve").length;
  const press = (key, code) => (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true }));
  const before = sent();
  let begin = performance.now();
  press("a", "KeyA");
  for (let i = 0; i < 40 && sent() === before; i++) await new Promise((then) => setTimeout(then, 0));
  if (sent() === before) {
    // Production and dangers ask for Enter, which counts from there, once the question may be answered.
    await new Promise((then) => setTimeout(then, 900));
    begin = performance.now();
    // What a browser makes of Enter on the button that has the focus; of an event that a script made it makes nothing.
    document.activeElement.click();
    for (let i = 0; i < 200 && sent() === before; i++) await new Promise((then) => setTimeout(then, 0));
  }
  if (sent() === before) throw new Error(`nothing was sent for ${document.activeElement?.id ?? "nothing"}: ${document.querySelector("main")?.innerText.slice(-1500)}`);
  return performance.now() - begin;
}
