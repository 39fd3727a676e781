import type { AppState, ErrorView, Event, Notice, OpenInput, SessionView, StepUp } from "../bindings/ipc";
import { asError, host } from "../host";

export type View = "clusters" | "sessions" | "audit";

/** What the whole window shares: a mirror of the desktop's state and where the person is in it. */
class Window {
  state = $state.raw<AppState | null>(null);
  sessions = $state.raw<readonly SessionView[]>([]);
  /** When each session ends, on `performance.now()`'s clock. */
  deadlines = $state.raw<ReadonlyMap<string, number>>(new Map());
  view = $state<View>("clusters");
  /** The session shown, and its terminal. */
  session = $state<string | null>(null);
  terminal = $state<string | null>(null);
  cluster = $state<string | null>(null);
  dialog = $state<"palette" | "help" | "quit" | "signOut" | null>(null);
  notices = $state.raw<readonly (Notice & { id: number })[]>([]);
  /** A command that failed and has no place of its own on screen. */
  failure = $state.raw<ErrorView | null>(null);
  /** An opening that waits for the second factor. */
  stepUp = $state.raw<{ step: StepUp; input: OpenInput; session: string | null } | null>(null);
  /** The opening the hub wants a reason for. */
  reasonFor = $state<string | null>(null);
  auditSession = $state<string | null>(null);
  clustersVersion = $state(0);
  historyTop = $state(0);
  cleanupRead = $state(false);
  /** Notes that were read and need not be shown again. */
  notesRead = $state.raw<readonly string[]>([]);
  broken = $state.raw<ErrorView | null>(null);

  readonly mac = $derived(this.state?.platform === "macos");
  readonly open = $derived(this.sessions.filter((s) => s.state !== "closed"));
  readonly shown = $derived(this.sessions.find((s) => s.id === this.session) ?? null);
}

export const app = new Window();

/** Fetches everything once and follows the desktop's events. */
export async function start(): Promise<void> {
  try {
    await host.listen(hear);
    app.state = await host.call("app_state");
    for (const session of await host.call("sessions_list")) take(session);
  } catch (thrown) {
    app.broken = asError(thrown);
  }
}

let notices = 0;

function hear(event: Event): void {
  switch (event.kind) {
    case "state":
      app.state = event.state;
      break;
    case "session":
      take(event.session);
      break;
    case "sessionGone":
      drop(event.id);
      break;
    case "clustersChanged":
      app.clustersVersion += 1;
      break;
    case "historyGrew":
      app.historyTop = event.position.sequence;
      break;
    case "notice":
      notify(event.notice);
      break;
    case "quitAsked":
      app.dialog = "quit";
      break;
  }
}

export function notify(notice: Notice): void {
  const id = ++notices;
  app.notices = [...app.notices.slice(-3), { ...notice, id }];
  if (notice.level !== "danger") setTimeout(() => dismissNotice(id), 8000);
}

export function dismissNotice(id: number): void {
  app.notices = app.notices.filter((notice) => notice.id !== id);
}

function take(session: SessionView): void {
  const at = app.sessions.findIndex((s) => s.id === session.id);
  const before = app.sessions[at];
  app.sessions = at < 0 ? [...app.sessions, session] : app.sessions.with(at, session);
  if (session.endsInMs !== null) {
    const end = performance.now() + session.endsInMs;
    const known = app.deadlines.get(session.id);
    // The same end told again jitters by what the event took; only a real move is taken over.
    if (known === undefined || Math.abs(known - end) > 1500) {
      app.deadlines = new Map(app.deadlines).set(session.id, end);
      warnBefore(session.id, session.endsInMs);
    }
  }
  if (session.state !== before?.state) {
    app.clustersVersion += 1;
    announce(before, session);
  }
  // Asked once: whoever said "not now" finds the button in the session.
  const step = wantedStep(session);
  if (step === null) {
    asked.delete(session.id);
    if (app.stepUp?.session === session.id) app.stepUp = null;
  } else if (!asked.has(session.id)) {
    asked.add(session.id);
    app.stepUp = { step, input: inputOf(session), session: session.id };
  }
}

const asked = new Set<string>();
const warnings = new Map<string, ReturnType<typeof setTimeout>>();
const WARN_MS = 5 * 60_000;

// Five minutes before the end, once; sessions that begin shorter than that need no warning.
function warnBefore(id: string, endsInMs: number): void {
  clearTimeout(warnings.get(id));
  if (endsInMs <= WARN_MS) return;
  warnings.set(id, setTimeout(() => {
    const session = app.sessions.find((s) => s.id === id);
    if (session?.state === "open") notify({ level: "warning", text: `Five minutes left on ${session.cluster}.`, session: id });
  }, endsInMs - WARN_MS));
}

// What happens to a session nobody looks at, or that its person did not do.
function announce(before: SessionView | undefined, now: SessionView): void {
  const looking = app.view === "sessions" && app.session === now.id;
  if (before?.state === "opening" && now.state === "open" && !looking) {
    notify({ level: "info", text: `${now.cluster} is open.`, session: now.id });
  }
  if (before?.state === "open" && now.state !== "open" && now.ended && now.ended.reason !== "left") {
    const how = now.ended.reason === "revoked" ? `was revoked${now.ended.by ? ` by ${now.ended.by}` : ""}` : now.ended.reason === "expired" ? "is over: its time was up" : "ended";
    notify({ level: "danger", text: `Your session on ${now.cluster} ${how}.`, session: now.id });
  }
}

/** The stronger sign-in that a session waits for. */
export function wantedStep(session: SessionView): StepUp | null {
  return session.state === "opening" && session.error?.code === "stepUpNeeded" ? session.error.stepUp : null;
}

function drop(id: string): void {
  const at = app.sessions.findIndex((s) => s.id === id);
  app.sessions = app.sessions.filter((s) => s.id !== id);
  if (app.session === id) show(app.sessions[Math.min(at, app.sessions.length - 1)]?.id ?? null);
}

/** The same opening again. */
export function inputOf(session: SessionView): OpenInput {
  const { cluster, profile, namespaces, durationSeconds, reason } = session;
  return { cluster, profile, namespaces, durationSeconds, ...(reason ? { reason } : {}) };
}

/** Shows a session; without one, the list of clusters when nothing is left. */
export function show(id: string | null): void {
  app.session = id;
  app.terminal = app.sessions.find((s) => s.id === id)?.terminals[0]?.id ?? null;
  if (id !== null) app.view = "sessions";
  else if (app.view === "sessions" && app.sessions.length === 0) app.view = "clusters";
}

/** Runs a command whose failure has no place of its own: it is shown at the foot of the window. */
export async function attempt<T>(run: Promise<T>): Promise<T | null> {
  try {
    return await run;
  } catch (thrown) {
    const error = asError(thrown);
    if (error.code !== "cancelled") app.failure = error;
    return null;
  }
}
