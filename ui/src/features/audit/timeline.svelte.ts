import type { ErrorView, HistogramView, TimelineFilter, TimelinePage, TimelineRow } from "../../bindings/ipc";
import { asError, host } from "../../host";
import { Counts } from "./counts.svelte";
import { changed, type Part } from "./filter";
import { Lacking } from "./lacking.svelte";
import { LARGE_PAGE, LIVE_MOST, newOf, PAGE, placeOf, restOf, ROWS_MOST } from "./pages";
import { Sparingly } from "./sparingly";

const ALL_SHARE = 20;

/** The part of the timeline on screen: newest first, older pages as they are scrolled to. */
class Timeline {
  rows = $state.raw<readonly TimelineRow[]>([]);
  ownTotal = $state(0);
  clusterTotal = $state(0);
  loading = $state(true);
  error = $state.raw<ErrorView | null>(null);
  /** What is wanted. */
  filter = $state.raw<TimelineFilter>({});
  live = $state(false);
  /** The row that is looked at: it stays, whatever comes. */
  chosen: string | null = null;
  /** How many rows there were when somebody last went down to older ones. */
  #reached = 0;
  readonly lacking = new Lacking();
  #next: string | null = null;
  /** What comes after a row that ended a page: where the list may be cut and gone on from. */
  #ends = new Map<string, string | null>();
  #asked = 0;
  /** It grew while a page was read. */
  #grew = false;
  /** What clusters told came in, which may be of any time, or a log store has more to say by now. */
  #told = false;
  /** All on screen read anew; until it may be, what is new is put on top alone. */
  #sparingly = new Sparingly(ALL_SHARE);
  readonly #counts = new Counts(() => this.filter);

  /** Something restricts it. */
  readonly isFiltered = $derived(Object.keys(this.filter).length > 0);
  get histogram(): HistogramView | null {
    return this.#counts.shown;
  }

  /** Nothing older is left. */
  get atEnd(): boolean {
    return this.#next === null;
  }

  /** As many rows as there may be at once: what is older is found by a filter. */
  get isFull(): boolean {
    return this.rows.length > ROWS_MOST - PAGE && !this.atEnd;
  }

  set(parts: { [P in Part]?: TimelineFilter[P] | null | undefined }): Promise<void> | null {
    return this.choose(changed(this.filter, parts));
  }

  /** Loads what is wanted now; none where that is wanted already. */
  choose(filter: TimelineFilter): Promise<void> | null {
    if (JSON.stringify(filter) === JSON.stringify(this.filter)) return null;
    this.filter = filter;
    return this.load();
  }

  /** The first page. What is on screen stays until the answer is there. */
  async load(): Promise<void> {
    const mine = ++this.#asked;
    this.loading = true;
    [this.#told, this.#reached] = [false, 0];
    void this.#counts.count(true);
    try {
      const page = await host.call("audit_timeline", { filter: this.filter, before: null, limit: PAGE });
      if (mine !== this.#asked) return;
      this.error = null;
      this.#begin([page]);
    } catch (thrown) {
      if (mine === this.#asked) this.#failed(thrown);
    }
    if (mine === this.#asked) this.#ready();
  }

  #ready(): void {
    this.loading = false;
    if (this.#grew) void this.#refresh();
  }

  /** New rows on top, keeping the older pages already here. */
  async #refresh(): Promise<void> {
    const mine = this.#asked;
    this.#grew = this.loading;
    if (this.#grew) return;
    void this.#counts.count(false);
    this.#refreshing = true;
    const told = this.#told;
    this.#told = false;
    let [page, pages, isWhole]: [TimelinePage | null, readonly TimelinePage[], boolean] = [null, [], false];
    try {
      page = await host.call("audit_timeline", { filter: this.filter, before: null, limit: PAGE });
      // What clusters tell belongs among all that are on screen, as does what a log store has that had not answered.
      isWhole = mine === this.#asked && ((told && this.#sparingly.may(() => this.grew(true))) || this.lacking.hasAnswered(page.lacks));
      const began = performance.now();
      pages = await this.#onward(page, mine, (so) => (isWhole ? restOf : newOf)(so, this.rows));
      if (isWhole) this.#sparingly.did(began);
    } catch (thrown) {
      page = null;
      if (mine === this.#asked) this.#failed(thrown);
    }
    this.#refreshing = false;
    if (mine !== this.#asked) return;
    // An older page is being read meanwhile, and will be put behind what is here now.
    if (this.loading) this.#grew = true;
    if (!page || this.loading) return void (this.#told ||= told);
    this.error = null;
    if (isWhole) this.#begin(pages);
    else this.#onTop(pages);
    if (this.#grew) void this.#refresh();
  }

  /** The pages behind a first one, while `wanted` says how many rows more. Those on screen stay until then, and older ones can be asked for. */
  async #onward(first: TimelinePage, mine: number, wanted: (pages: readonly TimelinePage[]) => number): Promise<readonly TimelinePage[]> {
    const pages = [first];
    for (let { next } = first; next !== null && mine === this.#asked && !this.loading; ) {
      const limit = wanted(pages);
      if (limit === 0) break;
      const page: TimelinePage = await host.call("audit_timeline", { filter: this.filter, before: next, limit });
      pages.push(page);
      next = page.next;
    }
    return pages;
  }

  /** These pages and nothing else. */
  #begin(pages: readonly TimelinePage[]): void {
    const [first, ...behind] = pages;
    if (!first) return;
    this.#ends.clear();
    for (const page of pages) this.#ended(page);
    this.rows = this.#bounded(pages.flatMap((page) => page.rows));
    this.lacking.clear();
    this.#says(first);
    for (const page of behind) this.lacking.older(page.lacks);
  }

  #onTop(pages: readonly TimelinePage[]): void {
    const at = placeOf(pages, this.rows);
    // Pages that do not touch what is here would leave a hole: then the list begins anew.
    const older = at < 0 ? [] : this.rows.slice(at + 1);
    const [first, ...behind] = pages;
    if (older.length === 0 || !first) return this.#begin(pages);
    for (const { rows, next } of pages) if (rows.length > 0) this.#ends.set(rows.at(-1)?.id ?? "", next);
    this.rows = this.#bounded([...pages.flatMap((page) => page.rows), ...older]);
    this.#says(first);
    for (const page of behind) this.lacking.older(page.lacks);
  }

  #says({ ownTotal, clusterTotal, lacks }: TimelinePage): void {
    [this.ownTotal, this.clusterTotal] = [ownTotal, clusterTotal];
    this.lacking.newest(lacks);
  }

  /** What is older than a page is behind its last row. */
  #ended({ rows, next }: TimelinePage): void {
    this.#next = next;
    const last = rows.at(-1);
    if (last) this.#ends.set(last.id, next);
  }

  #most(rows: readonly TimelineRow[]): number {
    if (!this.live) return ROWS_MOST;
    const chosen = this.chosen === null ? -1 : rows.findIndex((row) => row.id === this.chosen);
    return Math.min(ROWS_MOST, Math.max(LIVE_MOST, this.#reached, chosen + LARGE_PAGE));
  }

  /** No more than there may be: cut behind a row that ended a page, so that the next page goes on right there. */
  #bounded(rows: readonly TimelineRow[]): readonly TimelineRow[] {
    let most = this.#most(rows);
    if (rows.length <= most) return rows;
    while (most > 1 && !this.#ends.has(rows[most - 1]?.id ?? "")) most -= 1;
    const kept = rows.slice(0, most);
    this.#next = this.#ends.get(kept.at(-1)?.id ?? "") ?? null;
    const ids = new Set(kept.map((row) => row.id));
    for (const id of this.#ends.keys()) if (!ids.has(id)) this.#ends.delete(id);
    return kept;
  }

  // A question that a later one took back has nothing to say.
  #failed(thrown: unknown): void {
    const error = asError(thrown);
    if (error.code !== "cancelled") this.error = error;
  }

  #refreshing = false;

  /**
   * It grew: looked at once more, however often that is said while a look is under way. What is on screen stays, also while
   * a log store has not answered. `told`: by a cluster's log, so that it may be of any time.
   */
  grew(told = false): void {
    this.#told ||= told;
    if (this.#refreshing || this.loading) this.#grew = true;
    else void this.#refresh();
  }

  async more(): Promise<void> {
    if (this.atEnd || this.loading || this.isFull) return;
    const mine = this.#asked;
    this.loading = true;
    try {
      const page = await host.call("audit_timeline", { filter: this.filter, before: this.#next, limit: PAGE });
      if (mine === this.#asked) {
        this.rows = [...this.rows, ...page.rows];
        this.#reached = this.rows.length;
        this.#ended(page);
        this.lacking.older(page.lacks);
      }
    } catch (thrown) {
      if (mine === this.#asked) this.#failed(thrown);
    }
    if (mine === this.#asked) this.#ready();
  }

  /** Looks on as it grows, and has what is new of each source read. */
  async follow(on: boolean): Promise<void> {
    this.live = on;
    try {
      await host.call("audit_follow", { on });
    } catch (thrown) {
      [this.live, this.error] = [false, asError(thrown)];
    }
  }

  /** Forgets what was on screen; what is kept stays where it is. */
  forget(): void {
    this.#asked += 1;
    if (this.live) void this.follow(false);
    this.#ends.clear();
    this.lacking.clear();
    this.#told = false;
    this.#sparingly.forget();
    [this.rows, this.filter, this.#counts.shown, this.error, this.#next] = [[], {}, null, null, null];
  }
}

export const timeline = new Timeline();
