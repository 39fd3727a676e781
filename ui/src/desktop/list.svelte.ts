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
  /** The call under way, and the one that is made once it is answered: a slow hub gets no more of them. */
  #now: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  /** Another one for each person. */
  #person = {};

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

  /** Fetches it, as it is from now on: while a call is under way once more after it, however often this is called. */
  load(): Promise<void> {
    return this.#next ?? (this.#now === null ? this.#begin() : (this.#next = this.#after(this.#now)));
  }

  #begin(): Promise<void> {
    const now = this.#call().finally(() => {
      if (this.#now === now) this.#now = null;
    });
    return (this.#now = now);
  }

  async #after(before: Promise<void>): Promise<void> {
    const person = this.#person;
    await before;
    if (person !== this.#person) return;
    this.#next = null;
    await this.#begin();
  }

  async #call(): Promise<void> {
    const person = this.#person;
    try {
      const fresh = await this.ask();
      const value = await this.take(fresh, this.#value);
      if (person === this.#person) [this.#value, this.#error] = [value, null];
    } catch (thrown) {
      if (person === this.#person) this.#error = asError(thrown);
    }
  }

  /** Forgets what belonged to whoever was signed in. */
  forget(): void {
    this.#person = {};
    this.#now = this.#next = null;
    [this.#value, this.#error] = [null, null];
  }
}
