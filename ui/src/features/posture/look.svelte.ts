import { untrack } from "svelte";
import type { ErrorView } from "../../bindings/ipc";
import { asError } from "../../host";

// Walking down a list asks for nobody's details but those it stops at.
const STOP_MS = 60;

/** What is known in detail of one thing: read when another is looked at, and again when what is kept is another. */
export class Look<K extends string, V> {
  #got = $state.raw<{ key: K; value: V } | null>(null);
  #error = $state.raw<{ key: K; error: ErrorView } | null>(null);
  #tries = $state(0);

  constructor(private readonly ask: (key: K) => Promise<V>) {}

  /** As last read; null: not yet, or of another. */
  of(key: K): V | null {
    return this.#got?.key === key ? this.#got.value : null;
  }

  error(key: K): ErrorView | null {
    return this.#error?.key === key ? this.#error.error : null;
  }

  tryAgain(): void {
    this.#tries += 1;
  }

  /** Reads what `key` says, and again with each `version`, for as long as the component that calls this is there. */
  follow(key: () => K | null, version: () => unknown): void {
    $effect(() => {
      void [version(), this.#tries];
      const wanted = key();
      if (wanted === null) return;
      let stale = false;
      const soon = setTimeout(async () => {
        try {
          const value = await this.ask(wanted);
          if (!stale) [this.#got, this.#error] = [{ key: wanted, value }, null];
        } catch (thrown) {
          // What is there no more is not shown as if it were.
          if (!stale) [this.#got, this.#error] = [null, { key: wanted, error: asError(thrown) }];
        }
      }, untrack(() => this.#got) === null ? 0 : STOP_MS);
      return () => {
        stale = true;
        clearTimeout(soon);
      };
    });
  }

  forget(): void {
    [this.#got, this.#error] = [null, null];
  }
}
