import type { ClusterView, SessionView, Way } from "../../bindings/ipc";
import { count } from "../../shared/text";

/** What a click does: shows the session that is open, or what the list says. */
export type Click = Way | { kind: "open"; session: string; profile: string; namespaces: string[]; endsAt: number | null };

/** The session on each cluster that has one that is not over. */
export function openOn(sessions: readonly SessionView[]): Map<string, SessionView> {
  return new Map(sessions.filter((s) => s.state !== "closed").map((s) => [s.cluster, s]));
}

/** What a click on a cluster does: whether a session is open is known from the sessions, everything else from the list. */
export function wayOf(cluster: ClusterView, open: ReadonlyMap<string, SessionView>): Click {
  const session = open.get(cluster.name);
  if (session) return { kind: "open", session: session.id, profile: session.profile, namespaces: session.namespaces, endsAt: session.endsAt };
  return cluster.way;
}

export function wayText(way: Click): string {
  switch (way.kind) {
    case "open": return "show the session";
    case "oneClick": return `open ${way.profile}`;
    case "ask": return `ask · ${count(way.approvals, "approval")}`;
    case "notYours": return "not yours";
    case "unknown": return "not known yet";
  }
}
