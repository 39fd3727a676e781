import type { ErrorView, HistogramView, LacksView, TimelineFilter, TimelinePage, TimelineRow } from "../../bindings/ipc";
import { asError, host } from "../../host";
import { changed, type Part } from "./filter";

const PAGE = 200;
/** While one looks on live, more may come between two looks; older rows are let go. */
const LIVE_PAGE = 500;
const ROWS_MOST = 20_000;
const BINS = 96;
const HISTOGRAM_MS = 2000;
const NOTHING: LacksView = { isCut: false, damaged: 0, unreadFiles: 0, why: null, stores: [] };

/** The part of the timeline on screen: newest first, older pages as they are scrolled to. */
class Timeline {
  rows = $state.raw<readonly TimelineRow[]>([]);
  ownTotal = $state(0);
  clusterTotal = $state(0);
  lacks = $state.raw<LacksView>(NOTHING);
  loading = $state(true);
  error = $state.raw<ErrorView | null>(null);
  /** What is wanted. */
  filter = $state.raw<TimelineFilter>({});
  histogram = $state.raw<HistogramView | null>(null);
  live = $state(false);
  #next: string | null = null;
  /** What comes after a row that ended a page: where the list may be cut and gone on from. */
  #ends = new Map<string, string | null>();
  #asked = 0;
  /** It grew while a page was read. */
  #grew = false;
  #counted = { asked: 0, at: -Infinity, later: false, pending: 0 };

  /** Something restricts it. */
  readonly isFiltered = $derived(Object.keys(this.filter).length > 0);
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
    void this.#count(true);
    try {
      const page = await host.call("audit_timeline", { filter: this.filter, before: null, limit: PAGE });
      if (mine !== this.#asked) return;
      [this.rows, this.error] = [page.rows, null];
      this.#ends.clear();
      this.#ended(page);
      [this.ownTotal, this.clusterTotal, this.lacks] = [page.ownTotal, page.clusterTotal, page.lacks];
    } catch (thrown) {
      if (mine === this.#asked) this.#failed(thrown);
    }
    if (mine === this.#asked) this.#read();
  }

  #read(): void {
    this.loading = false;
    if (this.#grew) void this.#refresh();
  }

  /** New rows on top, keeping the older pages already here. */
  async #refresh(): Promise<void> {
    const mine = this.#asked;
    this.#grew = this.loading;
    if (this.#grew) return;
    void this.#count(false);
    this.#refreshing = true;
    let page: TimelinePage | null = null;
    try {
      page = await host.call("audit_timeline", { filter: this.filter, before: null, limit: this.live ? LIVE_PAGE : PAGE });
    } catch (thrown) {
      if (mine === this.#asked) this.#failed(thrown);
    }
    this.#refreshing = false;
    if (!page || mine !== this.#asked) return;
    this.error = null;
    // A log store that could not be asked is back: its rows belong among all that are on screen.
    const away = new Set(page.lacks.stores.filter((one) => one.hasFailed || one.isPending).map((one) => one.store));
    if (this.lacks.stores.some((one) => one.hasFailed && !away.has(one.store))) return this.load();
    // An older page is being read meanwhile, and will be put behind what is here now.
    if (this.loading) {
      this.#grew = true;
      return;
    }
    const last = page.rows.at(-1)?.id;
    const at = this.rows.findIndex((row) => row.id === last);
    // A page that does not touch what is here would leave a hole: then the list begins anew.
    const older = at < 0 ? [] : this.rows.slice(at + 1);
    if (older.length === 0) this.#ended(page);
    else if (last !== undefined) this.#ends.set(last, page.next);
    this.rows = this.#bounded([...page.rows, ...older]);
    [this.ownTotal, this.clusterTotal, this.lacks] = [page.ownTotal, page.clusterTotal, page.lacks];
    if (this.#grew) void this.#refresh();
  }

  /** What is older than a page is behind its last row. */
  #ended({ rows, next }: TimelinePage): void {
    this.#next = next;
    const last = rows.at(-1);
    if (last) this.#ends.set(last.id, next);
  }

  /** No more than there may be: cut behind a row that ended a page, so that the next page goes on right there. */
  #bounded(rows: readonly TimelineRow[]): readonly TimelineRow[] {
    if (rows.length <= ROWS_MOST) return rows;
    let most = ROWS_MOST;
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

  /** A log store could not be asked: it may be back. */
  readonly isAway = $derived(this.lacks.stores.some((store) => store.hasFailed));

  /** It grew: looked at once more, however often that is said while a look is under way. */
  grew(): void {
    // A log store that had not answered has now: its rows belong among all that are on screen.
    if (this.lacks.stores.some((store) => store.isPending) && !this.loading) void this.load();
    else this.#grow();
  }

  #grow(): void {
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
        this.#ended(page);
        const said = new Set(this.lacks.stores.map((lack) => lack.store + lack.why));
        const more = page.lacks.stores.filter((lack) => !said.has(lack.store + lack.why));
        if (more.length > 0) this.lacks = { ...this.lacks, stores: [...this.lacks.stores, ...more] };
      }
    } catch (thrown) {
      if (mine === this.#asked) this.#failed(thrown);
    }
    if (mine === this.#asked) this.#read();
  }

  /** Counts over time: at once when something else is wanted, else now and then. */
  async #count(now: boolean): Promise<void> {
    const since = performance.now() - this.#counted.at;
    // A history that takes long to count is not asked again before it has said.
    if (!now && (since < HISTOGRAM_MS || this.#counted.pending > 0)) {
      if (!this.#counted.later) {
        this.#counted.later = true;
        setTimeout(() => {
          this.#counted.later = false;
          void this.#count(false);
        }, Math.max(HISTOGRAM_MS - since, HISTOGRAM_MS / 4));
      }
      return;
    }
    this.#counted.at = performance.now();
    this.#counted.pending += 1;
    const mine = ++this.#counted.asked;
    const histogram = await host.call("audit_histogram", { filter: this.filter, bins: BINS }).catch(() => null);
    this.#counted.pending -= 1;
    if (mine === this.#counted.asked && histogram !== null) this.histogram = histogram;
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
    [this.rows, this.filter, this.histogram, this.error, this.#next, this.lacks] = [[], {}, null, null, null, NOTHING];
  }
}

export const timeline = new Timeline();
