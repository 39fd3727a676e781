import type { SessionView } from "../../bindings/ipc";
import type { Hear } from "../../desktop/mirror.svelte";
import { mirror } from "../../desktop/mirror.svelte";
import { notify } from "../../desktop/notices.svelte";
import { go, place } from "../../desktop/place.svelte";
import { stepUpDone } from "../signin";
import { isPart, ofTheirOwn } from "./extension";
import { neighbour, news, warnIn } from "./news";
import { askFor, dismiss, VIEW, wantedStep } from "./sessions.svelte";

const asked = new Set<string>();
const warnings = new Map<string, ReturnType<typeof setTimeout>>();

/** What is said and done about sessions as the desktop tells of them. */
export const watch: Hear = (now, before) => {
  if (now.sessions === before.sessions) return;
  for (const session of now.sessions) {
    const known = before.sessions.find((s) => s.id === session.id);
    // What a scan opens is told by the scan.
    if (known === session || session.isScan) continue;
    if (now.deadlines.get(session.id) !== before.deadlines.get(session.id)) warn(session);
    const said = news(known, session, place.view === VIEW && place.session === session.id);
    if (said) notify(said);
    askOnce(session);
    // Nobody has to read the end of what was part of something that goes on, once it is proven.
    if (session.state === "closed" && isPart(session, now.sessions)) void dismiss(session);
  }
  for (const { id } of before.sessions) {
    if (now.sessions.some((s) => s.id === id)) continue;
    forget(id);
    if (place.session === id) {
      const next = neighbour(ofTheirOwn(before.sessions), id, ofTheirOwn(now.sessions));
      go({ session: next?.id ?? null, terminal: next?.terminals[0]?.id ?? null });
    }
    // One that was just asked for may not have been told of yet.
    if (place.view === VIEW && place.session === null && ofTheirOwn(now.sessions).length === 0) go({ view: "clusters" });
  }
};

// Five minutes before the end, once.
function warn(session: SessionView): void {
  clearTimeout(warnings.get(session.id));
  const soon = session.endsInMs === null ? null : warnIn(session.endsInMs);
  if (soon === null) return;
  warnings.set(session.id, setTimeout(() => {
    const still = mirror.session(session.id);
    if (still?.state === "open") notify({ level: "warning", text: `Five minutes left on ${still.cluster}.`, session: still.id });
  }, soon));
}

// Asked once: whoever said "not now" finds the button in the session.
function askOnce(session: SessionView): void {
  const step = wantedStep(session);
  if (step === null) {
    asked.delete(session.id);
    stepUpDone(session.id);
  } else if (!asked.has(session.id)) {
    asked.add(session.id);
    askFor(session, step);
  }
}

function forget(id: string): void {
  asked.delete(id);
  clearTimeout(warnings.get(id));
  warnings.delete(id);
  stepUpDone(id);
}
