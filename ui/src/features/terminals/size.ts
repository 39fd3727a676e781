import { mirror } from "../../desktop/mirror.svelte";
import { attempt } from "../../desktop/notices.svelte";
import { host } from "../../host";

/** Terminals' text, in CSS pixels, as the desktop bounds it. */
const SMALLEST = 9;
export const USUAL = 13;
const LARGEST = 24;

/** The size that is nearest within the bounds. */
export function within(size: number): number {
  return Math.min(LARGEST, Math.max(SMALLEST, Math.round(size)));
}

export const textSize = () => mirror.state?.fontSize ?? USUAL;
export const smallest = () => textSize() <= SMALLEST;
export const largest = () => textSize() >= LARGEST;

/** Asked for while the desktop is still answering. */
let asked: number | null = null;
/** Taken by the desktop and not shown yet: its events may come after its answer. */
let taken: number | null = null;

/** Steps larger or smaller; steps in a row add up. */
export function step(by: number): void {
  if (taken === textSize()) taken = null;
  void ask((asked ?? taken ?? textSize()) + by);
}

export function reset(): void {
  void ask(USUAL);
}

// Commands may overtake each other: what is asked meanwhile waits for the one under way.
async function ask(size: number): Promise<void> {
  const busy = asked !== null;
  asked = within(size);
  if (busy) return;
  for (let sent: number | null = null; sent !== asked; ) {
    sent = asked;
    const size = sent;
    taken = null;
    await attempt(host.call("font_size_set", { size }).then(() => (taken = size)));
  }
  asked = null;
}
