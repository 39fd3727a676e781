/** How long a pointer must have rested before rows may change places, and for how long moves are waited for, in ms. */
const REST = 400;
const REST_MOST = 1500;

let moved = Number.NEGATIVE_INFINITY;
let pressed = Number.NEGATIVE_INFINITY;

/** The pointer moves over the list. */
export function touch(): void {
  moved = performance.now();
}

/** A button of the pointer is pressed or let go over the list. */
export function press(): void {
  pressed = performance.now();
}

/**
 * Rows must not move under a pointer that is about to click or is in the middle of a double click: what is clicked would
 * be another cluster than the one that was aimed at. Moves alone are waited for only so long; a press always.
 */
export async function rest(): Promise<void> {
  const begun = performance.now();
  const rests = (now: number) => now - pressed >= REST && (now - moved >= REST || now - begun >= REST_MOST);
  while (!rests(performance.now())) await new Promise((done) => setTimeout(done, 50));
}
