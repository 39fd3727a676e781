import type { ClusterView, ErrorView, OpenInput, SessionView, StepUp } from "../bindings/ipc";
import { asError, host } from "../host";
import { app, attempt, inputOf, show } from "./app.svelte";

/** Opens a cluster and shows the session at once; its steps arrive by events. The failure, if any, is returned. */
export async function open(input: OpenInput): Promise<ErrorView | null> {
  app.reasonFor = null;
  try {
    const session = await host.call("session_open", { input });
    if (!app.sessions.some((s) => s.id === session.id)) app.sessions = [...app.sessions, session];
    show(session.id);
    return null;
  } catch (thrown) {
    const error = asError(thrown);
    if (error.code === "stepUpNeeded" && error.stepUp) {
      app.stepUp = { step: error.stepUp, input, session: null };
      return null;
    }
    if (error.code === "reasonNeeded") {
      app.cluster = input.cluster;
      app.view = "clusters";
      app.reasonFor = input.cluster;
      return null;
    }
    // What was shown is not what is there any more: it is fetched again, and the person decides anew.
    if (error.code === "profileChanged") app.clustersVersion += 1;
    return error.code === "cancelled" ? null : error;
  }
}

/** One click on a cluster: shows its session, opens it, or shows what has to be asked for. */
export async function click(cluster: ClusterView): Promise<void> {
  const { way } = cluster;
  if (way.kind === "open") return show(way.session);
  app.cluster = cluster.name;
  if (way.kind !== "oneClick") {
    app.view = "clusters";
    return;
  }
  app.failure = await open({ cluster: cluster.name });
}

/** Forgets a closed session and opens the same again. */
export async function again(session: SessionView): Promise<void> {
  const input = inputOf(session);
  await attempt(host.call("session_dismiss", { id: session.id }));
  app.failure = await open(input);
}

/** Signs in; with `step`, again and stronger. True when it is through. Its failure is told with the state. */
export async function signIn(step: StepUp | null): Promise<boolean> {
  try {
    app.state = await host.call("sign_in", { step });
    return true;
  } catch (thrown) {
    const error = asError(thrown);
    // The sign-in page and the step-up show it with the state, which may arrive a moment later than this.
    const hasPlace = app.state?.phase !== "ready" || app.stepUp !== null;
    const tell = () => {
      if (error.code !== "cancelled" && !(hasPlace && app.state?.signIn?.error)) app.failure = error;
    };
    setTimeout(tell, hasPlace ? 500 : 0);
    return false;
  }
}

/** The step-up asked for: a session that waits goes on by itself, an opening that was refused is made again. */
export async function confirmStepUp(): Promise<void> {
  const waiting = app.stepUp;
  if (!waiting || !(await signIn(waiting.step))) return;
  if (app.stepUp === waiting) app.stepUp = null;
  if (waiting.session === null) app.failure = await open(waiting.input);
}

export async function leave(id: string): Promise<void> {
  const session = app.sessions.find((s) => s.id === id);
  if (session?.state === "opening") await attempt(host.call("session_cancel", { id }));
  else if (session?.state === "open") await attempt(host.call("session_leave", { id }));
}
