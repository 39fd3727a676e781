import type { HistogramView, TimelineFilter } from "../../bindings/ipc";
import { host } from "../../host";

const BINS = 96;
const APART_MS = 2000;

/** Counts over time of what is wanted. */
export class Counts {
  shown = $state.raw<HistogramView | null>(null);
  #asked = 0;
  #at = -Infinity;
  #later = false;
  #pending = 0;

  constructor(private readonly wanted: () => TimelineFilter) {}

  /** At once when something else is wanted, else now and then. */
  async count(now: boolean): Promise<void> {
    const since = performance.now() - this.#at;
    // A history that takes long to count is not asked again before it has said.
    if (!now && (since < APART_MS || this.#pending > 0)) {
      if (!this.#later) {
        this.#later = true;
        setTimeout(() => {
          this.#later = false;
          void this.count(false);
        }, Math.max(APART_MS - since, APART_MS / 4));
      }
      return;
    }
    this.#at = performance.now();
    this.#pending += 1;
    const mine = ++this.#asked;
    const histogram = await host.call("audit_histogram", { filter: this.wanted(), bins: BINS }).catch(() => null);
    this.#pending -= 1;
    if (mine === this.#asked && histogram !== null) this.shown = histogram;
  }
}
