import { untrack } from "svelte";
import type { BeforeView, ErrorView } from "../../bindings/ipc";
import { asError, host } from "../../host";

// Walking down the list asks about nobody but those it stops at.
const STOP_MS = 120;

type Answer = { id: string; view: BeforeView } | { id: string; error: ErrorView };

/** What the requester of the one that is looked at did under the same profile before. */
class Before {
  #answer = $state.raw<Answer | null>(null);
  #tries = $state(0);

  of(id: string): Answer | null {
    return this.#answer?.id === id ? this.#answer : null;
  }

  tryAgain(): void {
    this.#answer = null;
    this.#tries += 1;
  }

  /** Asked whenever `id` gives another one, for as long as the calling component is there. */
  follow(id: () => string): void {
    $effect(() => {
      void this.#tries;
      const wanted = id();
      if (untrack(() => this.of(wanted)) !== null) return;
      let late = false;
      const soon = setTimeout(async () => {
        const answer = await host.call("request_before", { request: wanted }).then((view): Answer => ({ id: wanted, view }), (thrown): Answer => ({ id: wanted, error: asError(thrown) }));
        if (!late) this.#answer = answer;
      }, STOP_MS);
      return () => {
        late = true;
        clearTimeout(soon);
      };
    });
  }

  forget(): void {
    this.#answer = null;
  }
}

export const before = new Before();
