import type { ErrorView } from "../../bindings/ipc";
import { asError } from "../../host";

export interface Said<T> {
  readonly answer: T | null;
  readonly error: ErrorView | null;
  readonly busy: boolean;
}

/** What was answered to questions, each by its key, until the window closes or it is forgotten. */
export class Answers<T> {
  #said = $state.raw<ReadonlyMap<string, Said<T>>>(new Map());

  of(key: string): Said<T> {
    return this.#said.get(key) ?? { answer: null, error: null, busy: false };
  }

  /** Asks, where nobody waits for it already. `took`: whether an error is somebody else's to show. */
  async ask(key: string, call: () => Promise<T>, took: (error: ErrorView) => boolean = () => false): Promise<void> {
    const before = this.of(key);
    if (before.busy) return;
    this.#put(key, { ...before, busy: true, error: null });
    try {
      this.#put(key, { answer: await call(), error: null, busy: false });
    } catch (thrown) {
      const error = asError(thrown);
      // An answer of before is not one to this question.
      this.#put(key, { answer: null, error: took(error) ? null : error, busy: false });
    }
  }

  #put(key: string, said: Said<T>): void {
    this.#said = new Map(this.#said).set(key, said);
  }

  forget(): void {
    this.#said = new Map();
  }
}
