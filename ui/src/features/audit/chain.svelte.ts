import type { CallDetail, ErrorView, RecordingView, SessionEvidence, TimelineFilter, TimelineRow } from "../../bindings/ipc";
import { asError, host } from "../../host";
import { Calls, isCall, Watching } from "../recording";
import { Folding } from "./folding.svelte";
import { placeOf } from "./items";

/** What a session's page lists: its chain, and the calls around the moment that is looked at. */
class Chain extends Folding {
  readonly calls = new Calls();
  /** What its terminals showed, beside the list; nothing of it is opened before somebody wants to see it. */
  readonly watching = new Watching();
  #of = $state.raw<SessionEvidence | null>(null);
  #chosen = $state<string | null>(null);
  protected isCommand = $state(false);
  /** What the replay shows, in Unix milliseconds; none before it does. */
  now = $state<number | null>(null);
  /** The list follows the replay until somebody chooses a row, and again as it goes on. */
  #follows = $state(false);
  call = $state.raw<CallDetail | null>(null);
  error = $state.raw<ErrorView | null>(null);
  #asked = 0;

  readonly rows = $derived(rowsOf(this.#of, this.calls.rows));
  /** What the cluster tells of making and removing the session, and no call of it. */
  readonly #made = $derived(madeOf(this.#of, this.calls.rows));
  protected readonly at = $derived(this.#chosen === null ? -1 : this.rows.findIndex((row) => row.id === this.#chosen));
  readonly chosen = $derived(this.rows[this.at] ?? null);
  /** The call that the replay shows: the last before its clock. */
  readonly #current = $derived(this.now === null ? -1 : currentOf(this.rows, this.now, this.#made));
  readonly current = $derived(placeOf(this.items, this.#current, false));
  /** What the list keeps in view. */
  readonly inView = $derived(this.#follows && this.current >= 0 ? this.current : this.selected);

  /** Another session, and around which moment its calls are listed: one of its rows, in Unix microseconds. */
  begin(of: SessionEvidence, row: Pick<TimelineRow, "id" | "atUs"> | null): void {
    const isSame = this.#of?.request === of.request;
    this.#of = of;
    if (isSame) return;
    this.watching.close();
    this.#clear();
    this.calls.begin({ request: of.request });
    void this.calls.around((row?.atUs ?? of.fromUs) / 1000);
    if (of.session) void this.watching.list(of.session);
    if (row) this.choose(row.id);
  }

  /** It grew: what is new is listed where the newest are. */
  grew(): void {
    if (this.#of && !this.#of.isOver && !this.calls.later) this.calls.follow(Date.now(), true);
  }

  choose(id: string | null, asCommand = false): void {
    [this.#chosen, this.isCommand, this.#follows, this.call, this.error] = [id, asCommand, false, null, null];
    const row = this.rows.find((one) => one.id === id);
    const call = row?.side === "cluster" ? row.id : row?.tie?.call;
    const mine = ++this.#asked;
    if (call) {
      void host.call("audit_call", { id: call }).then((answer) => {
        if (mine === this.#asked) this.call = answer;
      }, (thrown: unknown) => {
        if (mine === this.#asked) this.error = asError(thrown);
      });
    }
    const ms = this.#moment;
    if (ms !== null && this.watching.shown) this.watching.seek(ms);
  }

  /** When what is looked at was, in Unix milliseconds: of a command when it began. */
  get #moment(): number | null {
    if (this.command) return Math.min(...this.command.at.map((at) => this.rows[at]?.atUs ?? Infinity)) / 1000;
    return this.chosen ? this.chosen.atUs / 1000 : null;
  }

  protected becomesCommand(): void {
    this.isCommand = true;
  }

  /** By what the timeline has the row that is looked at. */
  get filter(): TimelineFilter {
    const row = this.chosen;
    if (!row || !this.#of) return {};
    const { request } = this.#of;
    if (row.side === "own") return row.entry?.ids.request === request ? { request } : { side: "own" };
    return this.#made.has(row.id) ? { side: "cluster", cluster: row.cluster } : { request };
  }

  /** Shows what terminals showed at the row that is looked at, else from the beginning. */
  watch(one: RecordingView | null = null): Promise<void> {
    return one ? this.watching.choose(one) : this.watching.open(this.#moment);
  }

  /** The replay is at another moment. */
  clocked(ms: number, goesOn: boolean): void {
    const before = this.#current;
    this.now = ms;
    // A row that was chosen stays in view until the replay shows another call.
    if (this.#current !== before && this.rows[this.#current]?.id !== this.#chosen) this.#follows = true;
    this.calls.follow(ms, goesOn);
  }

  /** From the moment that the replay shows to the call that was made then. */
  toCall(): void {
    const row = this.rows[this.#current];
    if (!row) return;
    const item = this.items[this.current];
    if (item?.kind === "row" && item.of === null) this.choose(row.id);
    else if (row.command) {
      this.toggle(row.command.id, true);
      this.choose(row.id);
    }
  }

  forget(): void {
    this.#asked += 1;
    this.watching.close();
    this.calls.begin({});
    this.#of = null;
    this.#clear();
  }

  /** Nothing is looked at, and no command is open. */
  #clear(): void {
    this.closeAll();
    [this.#chosen, this.isCommand, this.now, this.#follows, this.call, this.error] = [null, false, null, false, null, null];
  }
}

/** The chain and the calls as one list, oldest first. What the session did to its own grant stands in both. */
export function rowsOf(of: Pick<SessionEvidence, "chain"> | null, calls: readonly TimelineRow[]): TimelineRow[] {
  const rows = new Map((of?.chain ?? []).map((row) => [row.id, row]));
  for (const row of calls) if (isCall(row)) rows.set(row.id, row);
  return [...rows.values()].sort((a, b) => a.atUs - b.atUs);
}

function madeOf(of: Pick<SessionEvidence, "chain"> | null, calls: readonly TimelineRow[]): ReadonlySet<string> {
  const made = new Set<string>((of?.chain ?? []).filter((row) => row.side === "cluster").map((row) => row.id));
  for (const row of calls) made.delete(row.id);
  return made;
}

/** The place of the last call before a moment, in Unix milliseconds; none before the first. `made` are no calls of it. */
export function currentOf(rows: readonly TimelineRow[], ms: number, made: ReadonlySet<string>): number {
  return rows.findLastIndex((row) => isCall(row) && row.word !== "stream_end" && row.atUs / 1000 <= ms && !made.has(row.id));
}

export const chain = new Chain();
