import { untrack } from "svelte";
import type { ErrorView } from "../bindings/ipc";
import { asError } from "../host";
import type { Tag } from "./fold";
import { mirror } from "./mirror.svelte";

const TOGETHER_MS = 30;

/** Calls `again` each time a list is said to be another, for as long as the component that calls this is there. */
export function follow(tag: Tag, again: () => void): void {
  const changes = $derived(mirror.changes(tag));
  let seen = untrack(() => changes);
  $effect(() => {
    if (changes === seen) return;
    const soon = setTimeout(() => {
      seen = changes;
      again();
    }, TOGETHER_MS);
    return () => clearTimeout(soon);
  });
}

/** A list of the desktop's, kept fresh by its tag while somebody looks at it. */
export class List<V> {
  #value = $state.raw<V | null>(null);
  #error = $state.raw<ErrorView | null>(null);
  #asked = 0;
  #answered = 0;

  /** `take` may wait, and make of an answer what is to be shown after what was shown before. */
  constructor(
    private readonly tag: Tag,
    private readonly ask: () => Promise<V>,
    private readonly take: (fresh: V, before: V | null) => V | Promise<V> = (fresh) => fresh,
  ) {}

  /** As last fetched; none before the first answer. */
  get value(): V | null {
    return this.#value;
  }

  get error(): ErrorView | null {
    return this.#error;
  }

  /** Fetched now and whenever it is another, for as long as the component that calls this is there. */
  follow(): void {
    $effect(() => untrack(() => void this.load()));
    follow(this.tag, () => void this.load());
  }

  /** Fetches it. An answer that was overtaken by a later one does not count. */
  async load(): Promise<void> {
    const mine = ++this.#asked;
    try {
      const fresh = await this.ask();
      const value = await this.take(fresh, this.#value);
      if (this.#counts(mine)) [this.#value, this.#error] = [value, null];
    } catch (thrown) {
      if (this.#counts(mine)) this.#error = asError(thrown);
    }
  }

  #counts(mine: number): boolean {
    if (mine <= this.#answered) return false;
    this.#answered = mine;
    return true;
  }

  /** Forgets what belonged to whoever was signed in. */
  forget(): void {
    this.#answered = this.#asked;
    [this.#value, this.#error] = [null, null];
  }
}
