import type { ErrorView, LacksView, TimelineFilter, TimelineRow } from "../../bindings/ipc";
import { asError, host } from "../../host";

/** How many rows are listed before a moment, and how many behind it at most. */
const EACH = 500;
/** How soon a list that failed, or one of a recording that goes on, is asked for again; milliseconds. */
const AGAIN = 2000;
/** What both sides tell of one call lies so close together, milliseconds: it is not to lie on two pages. */
const APART = 2000;

interface Rows {
  rows: TimelineRow[];
  next: string | null;
  lacks: LacksView;
}

/** The rows of a session around the moment that is shown, of both sides: a session may have more than fit in any list. */
export class Calls {
  /** Oldest first, and none is left out between two of them. */
  rows = $state.raw<readonly TimelineRow[]>([]);
  /** There are ones before the first of them. */
  earlier = $state(false);
  /** There are ones behind the last of them. */
  later = $state(false);
  error = $state.raw<ErrorView | null>(null);
  loading = $state(false);
  /** What the newest answer lacks. */
  lacks = $state.raw<LacksView | null>(null);
  #of: TimelineFilter = {};
  #turn = 0;
  /** What is listed, in Unix milliseconds: asked around `at`, whole up to `until`. */
  #at = NaN;
  #until = -Infinity;
  #asked = -Infinity;

  /** Of one session, or of one request. */
  begin(of: TimelineFilter): void {
    this.#turn += 1;
    [this.#of, this.#at, this.#until, this.#asked] = [of, NaN, -Infinity, -Infinity];
    [this.rows, this.earlier, this.later, this.error, this.loading, this.lacks] = [[], false, false, null, false, null];
  }

  /** The clock is at `ms`: what is around it is asked for where it is not listed. */
  follow(ms: number, goesOn: boolean): void {
    if (this.loading || ms === this.#at) return;
    const soon = performance.now() - this.#asked < AGAIN;
    const first = (this.rows[0]?.atUs ?? Infinity) / 1000;
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
        this.rows = together(before.rows, behind.rows);
        [this.earlier, this.later, this.#until, this.error, this.lacks] = [before.next !== null, behind.until !== null, behind.until ?? asked, null, behind.lacks];
      }
    } catch (thrown) {
      const error = asError(thrown);
      // What a later question took back has nothing to say, and is asked for again.
      if (mine === this.#turn) this.error = error.code === "cancelled" ? null : error;
    }
    if (mine === this.#turn) this.loading = false;
  }

  /** The rows from shortly before a moment on, and until when these are all there are; none: to the end. */
  async #next(moment: number): Promise<{ rows: TimelineRow[]; until: number | null; lacks: LacksView }> {
    const from = moment - APART;
    let until: number | null = null;
    for (;;) {
      const page = await this.#page(until === null ? { from } : { from, to: until });
      if (page.next === null) return { rows: page.rows, until, lacks: page.lacks };
      // The host gives the newest of a range: it is made shorter until all of it fits.
      const end: number = until ?? Math.ceil((page.rows.at(-1)?.atUs ?? 0) / 1000) + 1;
      const shorter = moment + Math.max(1, Math.floor((end - moment) / 4));
      if (shorter === until) return { rows: await this.#rest(from, until, page), until, lacks: page.lacks };
      until = shorter;
    }
  }

  /** What is left of a range that can't be made shorter: a millisecond, and what lies shortly before it. */
  async #rest(from: number, to: number, { rows, next }: Rows): Promise<TimelineRow[]> {
    for (let before = next; before !== null; ) {
      const page = await this.#page({ from, to }, before);
      [rows, before] = [[...page.rows, ...rows], page.next];
    }
    return rows;
  }

  /** Unix milliseconds. */
  async #page({ from, to }: { from?: number; to?: number }, before: string | null = null): Promise<Rows> {
    const range = { ...(from === undefined ? {} : { fromUs: from * 1000 }), ...(to === undefined ? {} : { toUs: to * 1000 }) };
    const { rows, next, lacks } = await host.call("audit_calls", { filter: { ...this.#of, ...range }, before, limit: EACH });
    return { rows: rows.toReversed(), next, lacks };
  }
}

/** Two lists that lie over each other, as one: of a call that one of them has as two rows and the other as one, that one. */
function together(one: readonly TimelineRow[], other: readonly TimelineRow[]): TimelineRow[] {
  const rows = new Map<string, TimelineRow>();
  for (const row of [...one, ...other]) if (!rows.get(row.id)?.tie?.call) rows.set(row.id, row);
  for (const row of [...rows.values()]) if (row.tie?.call) rows.delete(row.tie.call);
  return [...rows.values()].sort((a, b) => a.atUs - b.atUs);
}

/** A row of a call, and no step of its session. */
export function isCall(row: TimelineRow): boolean {
  return row.side === "cluster" || ["call", "call_refused", "stream_start", "stream_end"].includes(row.word);
}
