import { goesOn } from "./closing";
import type { Row } from "./rows";

/** How long a row must have stood as it stands before it takes a key, in ms: longer than a hand needs to stop. */
export const HOLD_MS = 700;

/** Why a row, or what was asked about it, takes no key yet. */
export type Why = "opened" | "appeared" | "changed" | "moved" | "asked";

/** How a row stands, and since when, on `performance.now()`'s clock. */
export interface Stamp {
  readonly mark: string;
  readonly at: number;
  readonly since: number;
  readonly why: Why;
}

export type Stamps = ReadonlyMap<string, Stamp>;

/** How the rows stand now. `before` is none when the person just came to them. */
export function stamped(before: Stamps | null, rows: readonly Row[], now: number): Stamps {
  return new Map(rows.map((row, at): [string, Stamp] => {
    const mark = markOf(row);
    const known = before?.get(row.id);
    const why = before === null ? "opened" : known === undefined ? "appeared" : known.mark !== mark ? "changed" : known.at !== at ? "moved" : null;
    return [row.id, why === null && known !== undefined ? known : { mark, at, since: now, why: why ?? "appeared" }];
  }));
}

/** What a key on this row would mean: another mark is another meaning. */
function markOf({ request, gone }: Row): string {
  const { offer, phase, decide, ended, mayDeny, mayRevoke } = request;
  return JSON.stringify([offer?.digest ?? null, phase, decide, ended !== null, mayDeny, mayRevoke, goesOn(request), gone]);
}

/** Why the row takes no key yet, and for how many ms; none: it does. What is not among the rows never does. */
export function heldBack(stamps: Stamps, id: string, now: number): { ms: number; why: Why } | null {
  const stamp = stamps.get(id);
  if (stamp === undefined) return { ms: HOLD_MS, why: "appeared" };
  const ms = stamp.since + HOLD_MS - now;
  return ms > 0 ? { ms, why: stamp.why } : null;
}
