import type { ErrorView, HeatView } from "../../bindings/ipc";
import { asError, host } from "../../host";
import { dayBegin } from "../../shared/time";
import { dayOf, type Measure } from "./heat";
import { timeline } from "./timeline.svelte";

/** Days of a map. */
export const DAYS = 14;

/** Calls of each cluster, day by day, in the place of the histogram while somebody wants it. */
class HeatMap {
  shown = $state(false);
  view = $state.raw<HeatView | null>(null);
  error = $state.raw<ErrorView | null>(null);
  loading = $state(false);
  measure = $state<Measure>("calls");
  at = $state.raw({ row: 0, column: DAYS - 1 });
  /** How many maps before the one that ends today. */
  #back = $state(0);
  #asked = 0;
  #again = false;

  get isLast(): boolean {
    return this.#back === 0;
  }

  toggle(): void {
    this.shown = !this.shown;
    if (this.shown) void this.load();
  }

  /** Counted anew; asked while it is counted, once more after that. */
  async load(): Promise<void> {
    if (this.loading) return void (this.#again = true);
    const mine = ++this.#asked;
    this.loading = true;
    try {
      const view = await host.call("audit_heat", { from: dayBegin(Date.now(), DAYS * (this.#back + 1) - 1) * 1000, days: DAYS });
      if (mine !== this.#asked) return;
      [this.view, this.error] = [view, null];
      this.at = { row: Math.max(0, Math.min(this.at.row, view.clusters.length - 1)), column: this.at.column };
    } catch (thrown) {
      if (mine !== this.#asked) return;
      const error = asError(thrown);
      if (error.code !== "cancelled") this.error = error;
    }
    this.loading = false;
    if (this.#again) {
      this.#again = false;
      void this.load();
    }
  }

  /** Two weeks earlier, or later. */
  turn(by: 1 | -1): void {
    this.#back = Math.max(0, this.#back + by);
    void this.load();
  }

  /** The calls of a cell in the timeline. */
  choose(row: number, column: number): void {
    const of = this.view?.clusters[row];
    if (!this.view || !of) return;
    this.at = { row, column };
    const code = this.measure === "denied" || this.measure === "failed" ? this.measure : null;
    void timeline.set({ cluster: of.cluster, ...dayOf(this.view, column), code });
  }

  forget(): void {
    this.#asked += 1;
    [this.shown, this.view, this.error, this.loading, this.#back, this.#again] = [false, null, null, false, 0, false];
    this.at = { row: 0, column: DAYS - 1 };
  }
}

export const heat = new HeatMap();
