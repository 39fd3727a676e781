/** Lets what costs much be done for a part of the time only. */
export class Sparingly {
  #last = { at: -Infinity, took: 0 };
  #later: ReturnType<typeof setTimeout> | null = null;

  /** `share`: it is done again no sooner than this many times as long after as it took. */
  constructor(readonly share: number) {}

  /** Whether it may be done by now; if not, `again` is called once it may. */
  may(again: () => void): boolean {
    const wait = this.#last.at + this.#last.took * this.share - performance.now();
    if (wait <= 0) return true;
    this.#later ??= setTimeout(() => {
      this.#later = null;
      again();
    }, wait);
    return false;
  }

  /** It was done, and began at `began`, in milliseconds as `performance.now()` has them. */
  did(began: number): void {
    const now = performance.now();
    this.#last = { at: now, took: now - began };
  }

  forget(): void {
    this.#last = { at: -Infinity, took: 0 };
    if (this.#later !== null) clearTimeout(this.#later);
    this.#later = null;
  }
}
