import type { RequestView } from "../../bindings/ipc";
import { inTab, type Tab } from "./tabs";

/** A row of the list. */
export interface Row {
  readonly id: string;
  /** As it is, or was when it was last told of. */
  readonly request: RequestView;
  /** The hub counts it among those that are not closed no longer. */
  readonly gone: boolean;
}

/** Which rows stay although the tab would not show them any more. */
export interface Stays {
  /** Those that were looked at, as long as they are not closed: they were in the tab when they were. */
  readonly seen: ReadonlySet<string>;
  /** Those that are shown when they are closed too: what this person decided on, and what is in front of them. */
  readonly held: ReadonlySet<string>;
}

/**
 * The rows of a tab, the one that waits longest first. Nothing leaves from under whoever looks at it, and nothing moves up
 * into the place of what was just decided on: the row stays, and tells what became of it. `closed`: what this person ended, which
 * is shown where it would be if it were open.
 */
export function rowsOf(requests: readonly RequestView[], before: readonly Row[], tab: Tab, stays: Stays, closed: readonly RequestView[] = []): Row[] {
  const rows = requests.filter((r) => inTab(r, tab) || stays.seen.has(r.id)).map((request): Row => ({ id: request.id, request, gone: false }));
  const stayed = before.filter((row) => row.gone || stays.held.has(row.id));
  const shown = closed.filter((r) => inTab(r, tab));
  if (stayed.length + shown.length === 0) return rows;
  const there = new Set(requests.map((r) => r.id));
  const became = new Map(closed.map((request) => [request.id, request]));
  const gone = new Map<string, Row>();
  for (const { id, request } of stayed) if (!there.has(id)) gone.set(id, { id, request: became.get(id) ?? request, gone: true });
  for (const request of shown) if (!there.has(request.id)) gone.set(request.id, { id: request.id, request, gone: true });
  if (gone.size === 0) return rows;
  return [...rows, ...gone.values()].sort((a, b) => a.request.askedAt - b.request.askedAt || (a.id < b.id ? -1 : 1));
}
