import type { PathProof } from "../../bindings/ipc";
import { host } from "../../host";
import { stepsUp } from "../signin";
import { Answers, type Said } from "./answers.svelte";
import { keyOf, ofKey } from "./select";

/** What API servers said to the questions that show a path. */
class Proving {
  readonly #answers = new Answers<PathProof>();

  of(at: { cluster: string; finding: string }): Said<PathProof> {
    return this.#answers.of(keyOf(at));
  }

  /** Asks them, by a session like a scan's. */
  async ask(at: { cluster: string; finding: string }): Promise<void> {
    const key = keyOf(at);
    const took = (error: Parameters<typeof stepsUp>[0]) => stepsUp(error, `${at.cluster} is asked`, () => void this.ask(at));
    await this.#answers.ask(key, () => host.call("posture_prove", ofKey(key)), took);
  }

  forget(): void {
    this.#answers.forget();
  }
}

export const proving = new Proving();
