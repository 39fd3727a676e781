import type { ErrorView, FixApplied, FixTrial } from "../../bindings/ipc";
import { asError, host } from "../../host";
import { keyOf, ofKey } from "./select";

type At = { readonly cluster: string; readonly finding: string };

interface Said {
  readonly doing: "trying" | "applying" | null;
  readonly trial: FixTrial | null;
  readonly applied: FixApplied | null;
  readonly error: ErrorView | null;
}

const NOTHING: Said = { doing: null, trial: null, applied: null, error: null };

/** A fix that is made through an open session: tried first, and applied once, on the person's word. One at a time. */
class Applying {
  #key = $state<string | null>(null);
  #said = $state.raw<Said>(NOTHING);

  of(at: At): Said {
    return this.#key === keyOf(at) ? this.#said : NOTHING;
  }

  /** Something is being tried or applied. */
  get busy(): boolean {
    return this.#said.doing !== null;
  }

  /** Tries it on the API server, which keeps nothing of it. */
  async try(at: At): Promise<void> {
    if (this.busy) return;
    const key = keyOf(at);
    [this.#key, this.#said] = [key, { ...NOTHING, doing: "trying" }];
    try {
      this.#put(key, { ...NOTHING, trial: await host.call("posture_fix_try", ofKey(key)) });
    } catch (thrown) {
      this.#put(key, { ...NOTHING, error: asError(thrown) });
    }
  }

  /** Applies what was tried, which is on screen. */
  async apply(at: At): Promise<void> {
    const key = keyOf(at);
    const id = this.of(at).trial?.id ?? null;
    if (this.busy || id === null) return;
    this.#said = { ...NOTHING, doing: "applying" };
    try {
      this.#put(key, { ...NOTHING, applied: await host.call("posture_fix_apply", { trial: id }) });
    } catch (thrown) {
      this.#put(key, { ...NOTHING, error: asError(thrown) });
    }
  }

  /** Leaves it. */
  leave(): void {
    if (!this.busy) this.forget();
  }

  /** What comes late is told only where it was asked. */
  #put(key: string, said: Said): void {
    if (this.#key === key) this.#said = said;
  }

  forget(): void {
    [this.#key, this.#said] = [null, NOTHING];
  }
}

export const applying = new Applying();
