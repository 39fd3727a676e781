import type { ErrorView, OpenInput, SessionView, StepUp } from "../../bindings/ipc";
import { mirror } from "../../desktop/mirror.svelte";
import { attempt, dismissOf, fail } from "../../desktop/notices.svelte";
import { go, place } from "../../desktop/place.svelte";
import { asError, host } from "../../host";
import { second } from "../../shared/clock.svelte";
import { askStepUp, stepsUp } from "../signin";
import { canExtend, ends, extensionOf, ofTheirOwn } from "./extension";

/** The id of the view of the sessions. */
export const VIEW = "sessions";

/** The session that is shown, wherever one is. */
export function shown(): SessionView | null {
  return mirror.session(place.session);
}

/** The session in front of the person. */
export function inFront(): SessionView | null {
  return place.view === VIEW ? shown() : null;
}

/** How many are open. */
export function openCount(): number {
  return mirror.sessions.filter((session) => session.state === "open" && !session.isScan).length;
}

/** Those that there are tabs for: a person's own, and what they were led to. */
export function listed(): SessionView[] {
  const led = shown();
  const own = ofTheirOwn(mirror.sessions);
  return led?.isScan ? [...own, led] : own;
}

/** What reading a cluster opened there and could not be shown to be closed. */
export function unprovenScan(cluster: string): SessionView | null {
  return ends(mirror.sessions).find((session) => session.isScan && session.cluster === cluster && session.state === "closed") ?? null;
}

/** Shows a session, in one of its terminals. */
export function show(id: string, terminal: string | null = mirror.session(id)?.terminals[0]?.id ?? null): void {
  go({ view: VIEW, session: id, terminal });
}

/** Opens a cluster and shows the session at once; its steps arrive by events. The failure, if any, is returned. */
export async function open(input: OpenInput): Promise<ErrorView | null> {
  go({ reasonWanted: false });
  try {
    show((await host.call("session_open", { input })).id);
    return null;
  } catch (thrown) {
    const error = asError(thrown);
    if (stepsUp(error, whatOf(input), () => void open(input).then(fail))) return null;
    if (error.code === "reasonNeeded") {
      go({ view: "clusters", cluster: input.cluster, reasonWanted: true });
      return null;
    }
    return error.code === "cancelled" ? null : error;
  }
}

/** Forgets a closed session and opens the same again. */
export async function again(session: SessionView): Promise<void> {
  await dismiss(session);
  const { cluster, profile, namespaces, durationSeconds, reason } = session;
  fail(await open({ cluster, profile, namespaces, durationSeconds, ...(reason ? { reason } : {}) }));
}

/** Ends a session, or takes back what was asked for. */
export async function leave(session: SessionView): Promise<void> {
  if (session.state === "opening" || session.state === "open") await attempt(host.call("session_leave", { id: session.id }));
}

/** How long a session stays open, in ms. */
export function left(session: SessionView): number {
  return (mirror.deadlines.get(session.id) ?? 0) - second.monotonic;
}

/** Whether more time can be asked for now: it would end later, and is not asked for already. */
export function mayExtend(session: SessionView): boolean {
  return canExtend(session, left(session)) && extensionOf(session, mirror.sessions) === null;
}

/** Asks for as long again, under the same profile and with its approvals. The session goes on meanwhile. */
export async function extend(session: SessionView): Promise<void> {
  try {
    await host.call("session_extend", { id: session.id, seconds: null });
  } catch (thrown) {
    const error = asError(thrown);
    if (!stepsUp(error, `${session.cluster} stays open`, () => void extend(session))) fail(error);
  }
}

/** Puts a session that is over away. */
export async function dismiss(session: SessionView): Promise<void> {
  dismissOf(session.id);
  await attempt(host.call("session_dismiss", { id: session.id }));
}

/** The stronger sign-in that a session waits for. */
export function wantedStep(session: SessionView): StepUp | null {
  return session.state === "opening" && session.error?.code === "stepUpNeeded" ? session.error.stepUp : null;
}

/** Asks for the stronger sign-in that a session waits for. It goes on by itself. */
export function askFor(session: SessionView, step: StepUp): void {
  askStepUp({ step, what: whatOf(session), by: session.id });
}

function whatOf({ cluster, profile }: { cluster: string; profile?: string }): string {
  return `${profile ? `${cluster} · ${profile}` : cluster} opens`;
}
