import type { CommandCall, TimelineRow } from "../../bindings/ipc";
import { shownDay } from "../../shared/time";

export type Item =
  | { readonly kind: "day"; readonly id: string }
  /** `of`: the command under which it stands. */
  | { readonly kind: "row"; readonly at: number; readonly of: string | null }
  | { readonly kind: "command"; readonly command: Command };

/** Rows of one command of kubectl, which read as one. */
export interface Command {
  /** Which command. One with a long pause in it is told in several rows, which have the same. */
  readonly id: string;
  readonly name: string;
  /** The places of its rows, in the order they stand in. */
  readonly at: readonly number[];
  /** The place of the row that says most of what it did. */
  readonly lead: number;
  /** How many calls these rows are. */
  readonly calls: number;
  /** How many of them say as much as that one, without it. */
  readonly alike: number;
  /** How many others of them change something, or tried to. */
  readonly acts: number;
  readonly isOpen: boolean;
}

/** Days begin at a whole quarter of an hour of UTC in every zone there is. */
const QUARTER_US = 900_000_000;
/** Between two calls of a command: what goes on after a longer pause is told where it goes on. */
const PAUSE_US = 120_000_000;
const SAYS: Record<CommandCall, number> = { asks: 0, reads: 1, acts: 2 };
const NONE: ReadonlySet<string> = new Set();

/**
 * Rows with their days, which stand in their own rows so that a time is never read as another day's, and the calls of one
 * command as one row, which opens into them. A command stands where its first row stands, whichever way they are sorted.
 *
 * It is worked out here and not by the host: a command's calls come on several pages, from both sides and while one looks
 * on, and only here do they lie together. Which command a call is of the host says.
 */
export function itemsOf(rows: readonly TimelineRow[], opened: ReadonlySet<string> = NONE): Item[] {
  const days: string[] = [];
  const runs = new Map<string, number[]>();
  const of: (number[] | null)[] = [];
  let last = "";
  let quarter = NaN;
  rows.forEach((row, at) => {
    // Its day is worked out once a quarter: thousands of rows come at a time.
    const now = Math.floor(row.atUs / QUARTER_US);
    const id = now === quarter ? last : shownDay(row.atUs / 1000);
    quarter = now;
    // No row stands under another day than its own.
    if (id !== last) runs.clear();
    last = id;
    days.push(id);
    of.push(row.command ? runOf(rows, runs, row.command.id, at) : null);
  });
  const out: Item[] = [];
  const commands = new Map<readonly number[], Command | null>();
  last = "";
  rows.forEach((_, at) => {
    const id = days[at] as string;
    if (id !== last) out.push({ kind: "day", id });
    last = id;
    const run = of[at];
    // Each is put together once, where it begins.
    if (run?.[0] === at) commands.set(run, run.length > 1 ? commandOf(rows, run, opened) : null);
    const command = run ? commands.get(run) : null;
    if (!run || !command) out.push({ kind: "row", at, of: null });
    else if (run[0] === at) {
      out.push({ kind: "command", command });
      if (command.isOpen) for (const each of run) out.push({ kind: "row", at: each, of: command.id });
    }
  });
  return out;
}

function runOf(rows: readonly TimelineRow[], runs: Map<string, number[]>, id: string, at: number): number[] {
  const run = runs.get(id);
  const before = rows[run?.at(-1) ?? -1]?.atUs ?? NaN;
  if (run && Math.abs((rows[at]?.atUs ?? NaN) - before) <= PAUSE_US) {
    run.push(at);
    return run;
  }
  const begun = [at];
  runs.set(id, begun);
  return begun;
}

/** None for rows of one call alone: the beginning and the end of a stream, or what both sides tell. */
function commandOf(rows: readonly TimelineRow[], run: readonly number[], opened: ReadonlySet<string>): Command | null {
  const first = rows[run[0] ?? -1]?.command;
  const calls = new Set(run.map((at) => rows[at]?.command?.call));
  if (!first || calls.size < 2) return null;
  // What went wrong says most, then what changed something; of several the first that was made.
  const lead = run.reduce((best, at) => (before(rows[at], rows[best]) ? at : best));
  const alike = new Set(run.filter((at) => weight(rows[at]) === weight(rows[lead])).map((at) => rows[at]?.command?.call));
  // What changed something is never hidden behind what went wrong.
  const acts = new Set(run.filter((at) => rows[at]?.command?.says === "acts" && weight(rows[at]) !== weight(rows[lead])).map((at) => rows[at]?.command?.call));
  const name = run.map((at) => rows[at]?.command?.name ?? "").find(Boolean) ?? "";
  return { id: first.id, name, at: run, lead, calls: calls.size, alike: alike.size - 1, acts: acts.size, isOpen: opened.has(first.id) };
}

function weight(row: TimelineRow | undefined): number {
  if (!row?.command) return -1;
  return (row.outcome === "refused" || row.outcome === "failed" ? 10 : 0) + SAYS[row.command.says];
}

function before(one: TimelineRow | undefined, other: TimelineRow | undefined): boolean {
  const more = weight(one) - weight(other);
  return more > 0 || (more === 0 && (one?.atUs ?? 0) < (other?.atUs ?? 0));
}

/** Where a row stands among items, or the command it belongs to: as that command where `asCommand`, and where it is closed. */
export function placeOf(items: readonly Item[], at: number, asCommand: boolean): number {
  if (at < 0) return -1;
  const row = items.findIndex((item) => item.kind === "row" && item.at === at);
  if (row >= 0 && !asCommand) return row;
  const command = items.findIndex((item) => item.kind === "command" && item.command.at.includes(at));
  return command >= 0 ? command : row;
}

/** The item that is so many further on; days are passed over. */
export function stepFrom(items: readonly Item[], place: number, by: number): Item | null {
  const stops = items.flatMap((item, at) => (item.kind === "day" ? [] : [at]));
  const from = stops.indexOf(place);
  const to = stops[Math.min(stops.length - 1, Math.max(0, from + by))];
  return to === undefined ? null : (items[to] ?? null);
}
