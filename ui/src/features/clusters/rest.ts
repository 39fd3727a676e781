/** How long a pointer must have rested before rows may change places, and for how long that is waited for, in ms. */
const REST = 400;
const REST_MOST = 1500;

let touched = Number.NEGATIVE_INFINITY;

/** The pointer moves or presses over the list. */
export function touch(): void {
  touched = performance.now();
}

/** Rows must not move under a pointer that is about to click or is in the middle of a double click. */
export async function rest(): Promise<void> {
  const begun = performance.now();
  while (performance.now() - touched < REST && performance.now() - begun < REST_MOST) await new Promise((done) => setTimeout(done, 50));
}
