import { untrack } from "svelte";
import type { BeforeView, ErrorView } from "../../bindings/ipc";
import { asError, host } from "../../host";

// Walking down the list asks about nobody but those it stops at.
const STOP_MS = 120;

type Answer = { id: string; offer: string | null } & ({ view: BeforeView } | { error: ErrorView });

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

  /**
   * Asked whenever another one is looked at, or another offer of it, for as long as the calling component is there: the
   * desktop looks then for what would give less.
   */
  follow(id: () => string, offerOf: () => string | null): void {
    $effect(() => {
      void this.#tries;
      const wanted = id();
      const offer = offerOf();
      if (untrack(() => this.of(wanted)?.offer === offer)) return;
      let late = false;
      const soon = setTimeout(async () => {
        const answer = await host.call("request_before", { request: wanted }).then((view): Answer => ({ id: wanted, offer, view }), (thrown): Answer => ({ id: wanted, offer, error: asError(thrown) }));
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
