import type { ErrorView, FixApplied, FixTrial } from "../../bindings/ipc";
import { asError, host } from "../../host";
import { keyOf, ofKey } from "./select";

type At = { readonly cluster: string; readonly finding: string };

interface Said {
  readonly doing: "trying" | "applying" | null;
  readonly trial: FixTrial | null;
  readonly applied: FixApplied | null;
  readonly error: ErrorView | null;
  /** A key came sooner than anybody reads what it would mean. */
  readonly early: boolean;
}

const NOTHING: Said = { doing: null, trial: null, applied: null, error: null, early: false };
/** The key that tried it, held or pressed twice, does not apply it. */
const WAIT_MS = 700;

/** A fix that is made through an open session: tried first, and applied once, on the person's word. One at a time. */
class Applying {
  #key = $state<string | null>(null);
  #said = $state.raw<Said>(NOTHING);
  /** When what was tried came, on `performance.now()`'s clock. */
  #came = 0;

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
    if (performance.now() - this.#came < WAIT_MS) {
      this.#said = { ...this.#said, early: true };
      return;
    }
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
    if (this.#key !== key) return;
    [this.#said, this.#came] = [said, performance.now()];
  }

  forget(): void {
    [this.#key, this.#said] = [null, NOTHING];
  }
}

export const applying = new Applying();
