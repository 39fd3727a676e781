import type { Notice, SessionView } from "../../bindings/ipc";

/** When the end is said to come, before it does. */
export const WARN_MS = 5 * 60_000;

/** What is worth a moment's attention about a session: what happens where nobody looks, or what its person did not do. */
export function news(before: SessionView | undefined, now: SessionView, looking: boolean): Notice | null {
  if (now.extends !== null) return ofExtension(before, now);
  if (before?.state === "opening" && now.state === "open" && !looking) {
    return { level: "info", text: `${now.cluster} is open.`, session: now.id };
  }
  if (before?.state === "open" && now.state !== "open" && now.ended && now.ended.reason !== "left") {
    const { reason, by } = now.ended;
    const how = reason === "revoked" ? `was revoked${by ? ` by ${by}` : ""}` : reason === "expired" ? "is over: its time was up" : "ended";
    return { level: "danger", text: `Your session on ${now.cluster} ${how}.`, session: now.id };
  }
  if (now.state === "open" && now.vouching?.overdue && !before?.vouching?.overdue) {
    return { level: "warning", text: `Your identity provider has not vouched for you again: your session on ${now.cluster} closes soon.`, session: now.id };
  }
  return null;
}

// The session it was for is what a person knows.
function ofExtension(before: SessionView | undefined, now: SessionView): Notice | null {
  const session = now.extends;
  if (before?.state !== "opening" || now.state === "opening" || now.ended === null) return null;
  const { reason, by, message } = now.ended;
  if (reason === "left") return now.error ? null : { level: "info", text: `${now.cluster} stays open for longer.`, session };
  const why = now.error?.message ?? message;
  const how = reason === "denied" ? `was denied${by ? ` by ${by}` : ""}` : reason === "unanswered" ? "was answered by nobody" : "was not given";
  return { level: "warning", text: `More time on ${now.cluster} ${how}${why && reason !== "unanswered" ? `: ${why}` : ""}.`, session };
}

/** In how many ms the five minutes before the end begin; none for a session that is shorter than that. */
export function warnIn(endsInMs: number): number | null {
  return endsInMs > WARN_MS ? endsInMs - WARN_MS : null;
}

/** The one shown after a session is gone: that in its place, else the last. */
export function neighbour(before: readonly SessionView[], gone: string, now: readonly SessionView[]): SessionView | null {
  const at = before.findIndex((s) => s.id === gone);
  return now[Math.min(at, now.length - 1)] ?? null;
}
