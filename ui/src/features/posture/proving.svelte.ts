import type { ErrorView, PathProof } from "../../bindings/ipc";
import { asError, host } from "../../host";
import { stepsUp } from "../signin";
import { keyOf, ofKey } from "./select";

interface Said {
  readonly proof: PathProof | null;
  readonly error: ErrorView | null;
  readonly busy: boolean;
}

const NOTHING: Said = { proof: null, error: null, busy: false };

/** What API servers said to the questions that show a path, until the window closes. */
class Proving {
  #said = $state.raw<ReadonlyMap<string, Said>>(new Map());

  of(at: { cluster: string; finding: string }): Said {
    return this.#said.get(keyOf(at)) ?? NOTHING;
  }

  /** Asks them, by a session like a scan's. */
  async ask(at: { cluster: string; finding: string }): Promise<void> {
    const key = keyOf(at);
    const before = this.of(at);
    if (before.busy) return;
    this.#put(key, { ...before, busy: true, error: null });
    try {
      this.#put(key, { proof: await host.call("posture_prove", ofKey(key)), error: null, busy: false });
    } catch (thrown) {
      const error = asError(thrown);
      const asked = stepsUp(error, `${at.cluster} is asked`, () => void this.ask(at));
      // An answer of before is not one to this question.
      this.#put(key, { proof: null, error: asked ? null : error, busy: false });
    }
  }

  #put(key: string, said: Said): void {
    this.#said = new Map(this.#said).set(key, said);
  }

  forget(): void {
    this.#said = new Map();
  }
}

export const proving = new Proving();
