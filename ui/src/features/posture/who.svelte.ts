import type { ErrorView, WhoAnswer, WhoQuestion } from "../../bindings/ipc";
import { asError, host } from "../../host";
import { posture } from "./posture.svelte";

/** A question of who can do something, as it stands in the form, and its answer. */
class Who {
  verb = $state("get");
  resource = $state("secrets");
  namespace = $state("");
  cluster = $state("");
  #answer = $state.raw<WhoAnswer | null>(null);
  #error = $state.raw<ErrorView | null>(null);
  #busy = $state(false);
  #asked = 0;

  get answer(): WhoAnswer | null {
    return this.#answer;
  }

  get error(): ErrorView | null {
    return this.#error;
  }

  get busy(): boolean {
    return this.#busy;
  }

  readonly isComplete = $derived(this.verb.trim() !== "" && this.resource.trim() !== "");
  /** Which of them is looked at. */
  readonly at = $derived(posture.root?.kind === "who" ? posture.root.at : -1);

  async ask(): Promise<void> {
    if (!this.isComplete) return;
    const mine = ++this.#asked;
    this.#busy = true;
    const question: WhoQuestion = {
      verb: this.verb.trim(),
      resource: this.resource.trim(),
      ...(this.namespace.trim() === "" ? {} : { namespace: this.namespace.trim() }),
      ...(this.cluster === "" ? {} : { cluster: this.cluster }),
    };
    try {
      const answer = await host.call("posture_who", { question });
      if (mine !== this.#asked) return;
      [this.#answer, this.#error] = [answer, null];
      if (answer.who.length > 0) posture.select({ kind: "who", at: 0 });
    } catch (thrown) {
      if (mine === this.#asked) [this.#answer, this.#error] = [null, asError(thrown)];
    }
    if (mine === this.#asked) this.#busy = false;
  }

  move(by: number): void {
    const n = this.#answer?.who.length ?? 0;
    if (n > 0) posture.select({ kind: "who", at: Math.min(n - 1, Math.max(0, this.at + by)) });
  }

  forget(): void {
    this.#asked += 1;
    [this.#answer, this.#error, this.#busy] = [null, null, false];
    [this.verb, this.resource, this.namespace, this.cluster] = ["get", "secrets", "", ""];
  }
}

export const who = new Who();
