import type { OutlookView } from "../../bindings/ipc";
import { host } from "../../host";
import { minute } from "../../shared/clock.svelte";
import type { Asking } from "./asking.svelte";

// Whoever tries several lengths asks about the one they stop at.
const STOP_MS = 120;

/** How what is about to be asked for would be answered, by the desktop's word. */
export class Foreseen {
  #told = $state.raw<{ key: string; view: OutlookView } | null>(null);
  #key = $state("");

  /** Null while it is not known of what stands in the form now. */
  get view(): OutlookView | null {
    return this.#told?.key === this.#key ? this.#told.view : null;
  }

  /** Asked whenever the form says something else, and every minute, for as long as the calling component is there. */
  follow(asking: () => Asking): void {
    $effect(() => {
      const { cluster, profile, namespaces, seconds, detail } = asking();
      void [minute.now, detail];
      if (!profile || profile.refused) return;
      const input = { cluster, profile: profile.name, namespaces: [...namespaces], durationSeconds: seconds };
      const key = JSON.stringify(input);
      this.#key = key;
      let stale = false;
      const soon = setTimeout(async () => {
        try {
          const view = await host.call("cluster_outlook", { input });
          if (!stale) this.#told = { key, view };
        } catch {
          // The form says what the profile says, and asking tells what is wrong.
          if (!stale) this.#told = null;
        }
      }, STOP_MS);
      return () => {
        stale = true;
        clearTimeout(soon);
      };
    });
  }
}
