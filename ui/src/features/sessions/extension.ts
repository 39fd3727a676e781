import type { SessionView } from "../../bindings/ipc";
import { closing } from "./steps";

/** What asks for more time in a session, while it does. */
export function extensionOf(session: SessionView, all: readonly SessionView[]): SessionView | null {
  return all.find((one) => one.extends === session.id && one.state === "opening") ?? null;
}

/** Whether a session is part of another that is open: what asks for more time there, or closes what was there before.
 * What could not be proven is a session of its own, so that nobody overlooks it; what is closed and proven stays a part,
 * also where the other ended meanwhile. */
export function isPart(session: SessionView, all: readonly SessionView[]): boolean {
  if (session.extends === null) return false;
  if (session.state === "closed") return closing(session) !== "unproven";
  return all.find((one) => one.id === session.extends)?.state === "open";
}

/** Those that a person knows as sessions: what a scan opened is seen where it was asked for. */
export function ofTheirOwn(all: readonly SessionView[]): SessionView[] {
  return all.filter((session) => !session.isScan && !isPart(session, all));
}

/** Those whose end is shown where one signs in: of what scans opened, what is being closed or could not be proven. */
export function ends(all: readonly SessionView[]): SessionView[] {
  return all.filter((session) => !session.isScan || session.state === "closing" || (session.state === "closed" && session.openedAt !== null && closing(session) === "unproven"));
}

/** Whether as long again would end later, by a minute at least. */
export function canExtend(session: SessionView, left: number): boolean {
  return session.state === "open" && left > 0 && left < (session.durationSeconds - 60) * 1000;
}

/** What asking for more time has come to, while people wait for it. */
export function askingText(extension: SessionView): string {
  if (extension.error?.code === "stepUpNeeded") return "more time needs a stronger sign-in";
  return extension.waitingFor ? `more time: ${extension.waitingFor}` : "asking for more time";
}
