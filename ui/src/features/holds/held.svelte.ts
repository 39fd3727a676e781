import type { ErrorView, HoldView } from "../../bindings/ipc";
import { standing } from "../../desktop/holds";
import { asError, host } from "../../host";
import { minute } from "../../shared/clock.svelte";

// A key that was meant for what asked is no answer: as long as a request takes none.
const WAIT_MS = 700;

/** What is held, the one that is looked at, and its removal. */
class Held {
  #at = $state<string | null>(null);
  #ask = $state.raw<{ id: string; at: number } | null>(null);
  #busy = $state<string | null>(null);
  #failed = $state.raw<{ id: string; error: ErrorView } | null>(null);
  /** The last Enter came too soon. */
  early = $state(false);
  #person = {};

  readonly all = $derived(standing(minute.now));
  readonly selected = $derived(Math.max(0, this.all.findIndex((hold) => hold.id === this.#at)));
  readonly current = $derived<HoldView | null>(this.all[this.selected] ?? null);
  /** Whether it is asked if the one that is looked at be removed. */
  readonly asks = $derived(this.#ask !== null && this.#ask.id === this.current?.id && this.current.mayRemove);
  readonly busy = $derived(this.#busy !== null && this.#busy === this.current?.id);
  readonly error = $derived(this.#failed !== null && this.#failed.id === this.current?.id ? this.#failed.error : null);

  select(id: string): void {
    this.#at = id;
    this.back();
  }

  move(by: number): void {
    const next = this.all[Math.min(this.all.length - 1, Math.max(0, this.selected + by))];
    if (next !== undefined) this.select(next.id);
  }

  /** Nothing is removed. */
  back(): void {
    this.#ask = null;
    this.early = false;
  }

  /** A question whose hold is not on screen any more is over, for as long as the calling component is there and after it. */
  follow(): void {
    $effect(() => {
      // Another takes the place of one that is gone: it is looked at, and nothing was asked about it.
      if (this.current !== null && this.current.id !== this.#at) this.select(this.current.id);
      if (!this.asks) this.#ask = null;
    });
    $effect(() => () => this.back());
  }

  begin(): void {
    const { current } = this;
    if (current !== null && current.mayRemove && this.#busy === null) this.#ask = { id: current.id, at: performance.now() };
  }

  async remove(): Promise<void> {
    const [ask, person] = [this.#ask, this.#person];
    if (ask === null || !this.asks) return;
    this.early = performance.now() - ask.at < WAIT_MS;
    if (this.early) return;
    [this.#ask, this.#busy, this.#failed] = [null, ask.id, null];
    try {
      await host.call("hold_remove", { hold: ask.id });
    } catch (thrown) {
      if (person === this.#person) this.#failed = { id: ask.id, error: asError(thrown) };
    }
    if (person === this.#person) this.#busy = null;
  }

  /** Forgets what belongs to whoever was signed in. */
  forget(): void {
    this.#person = {};
    this.back();
    [this.#at, this.#busy, this.#failed] = [null, null, null];
  }
}

export const held = new Held();
