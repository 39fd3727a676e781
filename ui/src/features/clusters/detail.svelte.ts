import { untrack } from "svelte";
import type { ClusterDetail, ErrorView } from "../../bindings/ipc";
import { place } from "../../desktop/place.svelte";
import { asError, host } from "../../host";
import { Asking } from "./asking.svelte";
import { inventory } from "./inventory.svelte";

// Walking down the list asks for nobody's details but those it stops at.
const STOP_MS = 60;

/** The selected cluster in detail, and what is going to be asked for there. */
class Selected {
  #asking = $state.raw<Asking | null>(null);
  #error = $state.raw<{ cluster: string; error: ErrorView } | null>(null);
  #tries = $state(0);

  readonly asking = $derived(this.#asking?.cluster === place.cluster ? this.#asking : null);
  readonly error = $derived(this.#error?.cluster === place.cluster ? this.#error.error : null);

  get detail(): ClusterDetail | null {
    return this.asking?.detail ?? null;
  }

  tryAgain(): void {
    this.#tries += 1;
  }

  /** Fetched whenever another cluster is selected or the list is another, for as long as the calling component is there. */
  follow(): void {
    $effect(() => () => this.forget());
    $effect(() => {
      void [inventory.view, this.#tries];
      const name = place.cluster;
      if (name === null) return;
      let stale = false;
      const soon = setTimeout(async () => {
        try {
          const got = await host.call("cluster_detail", { name });
          if (!stale) this.#take(got);
        } catch (thrown) {
          if (!stale) this.#error = { cluster: name, error: asError(thrown) };
        }
      }, untrack(() => this.#asking) === null ? 0 : STOP_MS);
      return () => {
        stale = true;
        clearTimeout(soon);
      };
    });
  }

  #take(detail: ClusterDetail): void {
    this.#error = null;
    if (this.#asking?.cluster === detail.cluster.name) this.#asking.take(detail);
    else this.#asking = new Asking(detail);
  }

  // Whoever comes back begins anew.
  private forget(): void {
    [this.#asking, this.#error] = [null, null];
  }
}

export const selected = new Selected();
