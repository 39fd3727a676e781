import type { ClusterView, HoldView, SessionView, Way } from "../../bindings/ipc";
import { count } from "../../shared/text";
import { timeText } from "../../shared/time";

/** What a click does: shows the session that is open, or what the list says; nothing where that is held. */
export type Click = Way | { kind: "open"; session: string; profile: string; namespaces: string[]; endsAt: number | null } | { kind: "held"; hold: HoldView };

/** The session on each cluster that has one that is not over; a scan's is nobody's to work in. */
export function openOn(sessions: readonly SessionView[]): Map<string, SessionView> {
  return new Map(sessions.filter((s) => s.state !== "closed" && s.extends === null && !s.isScan).map((s) => [s.cluster, s]));
}

/** What a click on a cluster does: whether a session is open is known from the sessions, everything else from the list. */
export function wayOf(cluster: ClusterView, open: ReadonlyMap<string, SessionView>, hold: HoldView | null): Click {
  const session = open.get(cluster.name);
  if (session) return { kind: "open", session: session.id, profile: session.profile, namespaces: session.namespaces, endsAt: session.endsAt };
  return hold !== null && (cluster.way.kind === "oneClick" || cluster.way.kind === "ask") ? { kind: "held", hold } : cluster.way;
}

export function wayText(way: Click): string {
  switch (way.kind) {
    case "open": return "show the session";
    case "oneClick": return `open ${way.profile}`;
    case "ask": return `ask · ${count(way.approvals, "approval")}`;
    case "held": return `held until ${timeText(way.hold.until)}`;
    case "notYours": return "not yours";
    case "unknown": return "not known yet";
  }
}
