import type { AppState, Event, SessionView } from "../bindings/ipc";

/** The lists that events only hint at: every kind of event that tells nothing but that a list is another by now. */
export type Tag = Exclude<Event["kind"], "state" | "session" | "sessionGone" | "exporting" | "notice" | "quitAsked" | "go">;

/** Everything the desktop told. */
export interface Told {
  readonly state: AppState | null;
  readonly sessions: readonly SessionView[];
  /** When each session ends, on `performance.now()`'s clock. */
  readonly deadlines: ReadonlyMap<string, number>;
  /** How often each list was said to be another. */
  readonly changes: Readonly<Partial<Record<Tag, number>>>;
  /** Sessions that were put away: an answer from before that does not bring them back. */
  readonly gone: ReadonlySet<string>;
}

export const NOTHING: Told = { state: null, sessions: [], deadlines: new Map(), changes: {}, gone: new Set() };

/** What is known after an event. `now` is `performance.now()`. */
export function fold(told: Told, event: Event, now: number): Told {
  switch (event.kind) {
    case "state":
      return { ...told, state: event.state };
    case "session":
      return take(told, event.session, now);
    case "sessionGone":
      return drop(told, event.id);
    case "exporting":
    case "notice":
    case "quitAsked":
    case "go":
      // Said once and over: whoever listens hears it.
      return told;
    default:
      return { ...told, changes: { ...told.changes, [event.kind]: (told.changes[event.kind] ?? 0) + 1 } };
  }
}

/** What is known with the first answers. Whatever an event said meanwhile is newer than they are. */
export function first(told: Told, state: AppState, sessions: readonly SessionView[], now: number): Told {
  const heard = new Map(told.sessions.map((s) => [s.id, s]));
  const fresh = sessions.filter((s) => !heard.has(s.id) && !told.gone.has(s.id));
  const listed = sessions.flatMap((s) => heard.get(s.id) ?? (told.gone.has(s.id) ? [] : [s]));
  const known = new Set(listed.map((s) => s.id));
  const all: Told = { ...told, state: told.state ?? state, sessions: [...listed, ...told.sessions.filter((s) => !known.has(s.id))] };
  return fresh.reduce((sum, session) => take(sum, session, now), all);
}

function take(told: Told, session: SessionView, now: number): Told {
  const at = told.sessions.findIndex((s) => s.id === session.id);
  const sessions = at < 0 ? [...told.sessions, session] : told.sessions.with(at, session);
  return { ...told, sessions, deadlines: withEnd(told.deadlines, session, now), gone: without(told.gone, session.id) };
}

function drop(told: Told, id: string): Told {
  const deadlines = new Map(told.deadlines);
  deadlines.delete(id);
  return { ...told, sessions: told.sessions.filter((s) => s.id !== id), deadlines, gone: new Set(told.gone).add(id) };
}

// The same end told again jitters by what the event took; only a real move is taken over.
function withEnd(deadlines: ReadonlyMap<string, number>, { id, endsInMs }: SessionView, now: number): ReadonlyMap<string, number> {
  if (endsInMs === null) return deadlines;
  const known = deadlines.get(id);
  return known !== undefined && Math.abs(known - now - endsInMs) <= 1500 ? deadlines : new Map(deadlines).set(id, now + endsInMs);
}

function without(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  if (!ids.has(id)) return ids;
  const rest = new Set(ids);
  rest.delete(id);
  return rest;
}
