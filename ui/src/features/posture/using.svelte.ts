import type { UseView } from "../../bindings/ipc";
import { host } from "../../host";
import { Answers, type Said } from "./answers.svelte";
import { keyOf, ofKey } from "./select";

/** What whoever a finding is about was seen to use, by the clusters' audit logs that were read here. */
class Using {
  readonly #answers = new Answers<UseView>();

  of(at: { cluster: string; finding: string }): Said<UseView> {
    return this.#answers.of(keyOf(at));
  }

  async ask(at: { cluster: string; finding: string }): Promise<void> {
    const key = keyOf(at);
    // A newer question took the archive's time: this one is asked again by whoever wants it.
    await this.#answers.ask(key, () => host.call("posture_used", ofKey(key)), (error) => error.code === "cancelled");
  }

  forget(): void {
    this.#answers.forget();
  }
}

export const using = new Using();
