import type { LacksView, StoreLacks } from "../../bindings/ipc";

const NOTHING: LacksView = { isCut: false, damaged: 0, unreadFiles: 0, why: null, stores: [] };

/** Has not told what it has: it could not be asked, or has not answered yet. */
const isOut = (lack: StoreLacks) => lack.hasFailed || lack.isPending;
const id = (lack: StoreLacks) => lack.store + lack.why;
/** What is not said of some already. */
function unsaid(said: readonly StoreLacks[], lacks: readonly StoreLacks[]): StoreLacks[] {
  const ids = new Set(said.map(id));
  return lacks.filter((lack) => !ids.has(id(lack)));
}

/** What all pages on screen lack together. */
export class Lacking {
  all = $state.raw<LacksView>(NOTHING);
  /** What log stores did not say of the newest page, and of those behind it alone. */
  #newest: readonly StoreLacks[] = [];
  #behind: readonly StoreLacks[] = [];

  /** A log store could not be asked: it may be back. */
  readonly isAway = $derived(this.all.stores.some((store) => store.hasFailed));

  /** Of the newest page. What those behind it lack stays as it is. */
  newest(lacks: LacksView): void {
    this.#newest = lacks.stores;
    this.all = { ...lacks, stores: [...lacks.stores, ...unsaid(lacks.stores, this.#behind)] };
  }

  /** Of one more page behind it. */
  older({ stores }: LacksView): void {
    const more = unsaid(this.all.stores, stores);
    if (more.length === 0) return;
    this.#behind = [...this.#behind, ...more];
    this.all = { ...this.all, stores: [...this.all.stores, ...more] };
  }

  /** Whether a log store has told of the newest page what it had not before. */
  hasAnswered(newest: LacksView): boolean {
    const out = new Set(newest.stores.filter(isOut).map((one) => one.store));
    return this.#newest.some((one) => isOut(one) && !out.has(one.store));
  }

  clear(): void {
    [this.all, this.#newest, this.#behind] = [NOTHING, [], []];
  }
}
