// The clock by which the window gives a hand time to stop. It moves as a test says, so that no slow machine turns "too
// soon" into "soon enough", and nobody waits.

/** From here on it stands. */
export const stand = (page) => page.evaluate(() => {
  const at = performance.now();
  performance.now = () => at;
});

/** Lets `ms` pass on it, at once. */
export const pass = (page, ms) => page.evaluate((ms) => {
  const now = performance.now;
  performance.now = () => now.call(performance) + ms;
}, ms);

/** Longer than what came or was asked just now takes no key. */
export const rest = (page) => pass(page, 750);

/** Presses keys that mean something one after the other, however slow this machine is between them. */
export const inTurn = async (page, ...keys) => {
  await page.evaluate(() => {
    const now = performance.now;
    const at = performance.now();
    performance.now = () => at;
    window.goOn = () => (performance.now = now);
  });
  for (const key of keys) await page.keyboard.press(key);
  await page.evaluate(() => window.goOn());
};
