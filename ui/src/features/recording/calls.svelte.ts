import type { AuditEntryView, ErrorView } from "../../bindings/ipc";
import { asError, host } from "../../host";

/** How many entries are listed before a moment, and how many behind it at most. */
const EACH = 500;
/** How soon a list that failed, or one of a recording that goes on, is asked for again; milliseconds. */
const AGAIN = 2000;

/** The session's entries around the moment that is shown: a session may have more than fit in any list. */
export class Calls {
  /** Oldest first, and none is left out between two of them. */
  entries = $state.raw<readonly AuditEntryView[]>([]);
  /** There are ones before the first of them. */
  earlier = $state(false);
  /** There are ones behind the last of them. */
  later = $state(false);
  error = $state.raw<ErrorView | null>(null);
  loading = $state(false);
  #session = "";
  #turn = 0;
  /** What is listed, in Unix milliseconds: asked around `at`, whole up to `until`. */
  #at = NaN;
  #until = -Infinity;
  #asked = -Infinity;

  begin(session: string): void {
    this.#turn += 1;
    [this.#session, this.#at, this.#until, this.#asked] = [session, NaN, -Infinity, -Infinity];
    [this.entries, this.earlier, this.later, this.error, this.loading] = [[], false, false, null, false];
  }

  /** The clock is at `ms`: what is around it is asked for where it is not listed. */
  follow(ms: number, goesOn: boolean): void {
    if (this.loading || ms === this.#at) return;
    const soon = performance.now() - this.#asked < AGAIN;
    const first = (this.entries[0]?.atUs ?? Infinity) / 1000;
    const before = this.earlier && ms <= first;
    const behind = ms >= this.#until && (this.later || (goesOn && !soon));
    if (this.error === null ? before || behind : !soon) void this.around(ms);
  }

  /** Lists what is around a moment, Unix milliseconds. */
  async around(ms: number): Promise<void> {
    const mine = ++this.#turn;
    const from = Math.floor(ms) + 1;
    const asked = Date.now();
    [this.#at, this.#asked, this.loading] = [ms, performance.now(), true];
    try {
      const [before, behind] = await Promise.all([this.#page({ to: from }), this.#next(from)]);
      if (mine === this.#turn) {
        this.entries = [...before.entries, ...behind.entries];
        [this.earlier, this.later, this.#until, this.error] = [before.next !== null, behind.until !== null, behind.until ?? asked, null];
      }
    } catch (thrown) {
      if (mine === this.#turn) this.error = asError(thrown);
    }
    if (mine === this.#turn) this.loading = false;
  }

  /** The entries from a moment on, and until when these are all there are; none: to the end. */
  async #next(from: number): Promise<{ entries: AuditEntryView[]; until: number | null }> {
    let until: number | null = null;
    for (;;) {
      const page = await this.#page(until === null ? { from } : { from, to: until });
      if (page.next === null) return { entries: page.entries, until };
      // The host gives the newest of a range: it is made shorter until all of it fits.
      const end: number = until ?? Math.ceil((page.entries.at(-1)?.atUs ?? 0) / 1000) + 1;
      const shorter = from + Math.max(1, Math.floor((end - from) / 4));
      if (shorter === until) return { entries: await this.#rest(from, until, page.entries, page.next), until };
      until = shorter;
    }
  }

  /** What is left of a range that can't be made shorter: a millisecond. */
  async #rest(from: number, to: number, entries: AuditEntryView[], next: number | null): Promise<AuditEntryView[]> {
    for (let before = next; before !== null; ) {
      const page = await this.#page({ from, to }, before);
      [entries, before] = [[...page.entries, ...entries], page.next];
    }
    return entries;
  }

  async #page(range: { from?: number; to?: number }, before: number | null = null): Promise<{ entries: AuditEntryView[]; next: number | null }> {
    const { entries, next } = await host.call("audit_page", { filter: { session: this.#session, ...range }, before, limit: EACH });
    return { entries: entries.toReversed(), next };
  }
}
