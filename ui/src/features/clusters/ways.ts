import type { ClustersView, ClusterView, SessionView, Way } from "../../bindings/ipc";
import { count } from "../../shared/text";

/** The session on each cluster that has one that is not over. */
export function openOn(sessions: readonly SessionView[]): Map<string, SessionView> {
  return new Map(sessions.filter((s) => s.state !== "closed").map((s) => [s.cluster, s]));
}

/** What a click on a cluster does: whether a session is open is known from the sessions, everything else from the list. */
export function wayOf(cluster: ClusterView, open: ReadonlyMap<string, SessionView>): Way {
  const session = open.get(cluster.name);
  if (session) return { kind: "open", session: session.id, profile: session.profile, namespaces: session.namespaces, endsAt: session.endsAt };
  return cluster.way.kind === "open" ? { kind: "unknown" } : cluster.way;
}

/**
 * The list with what a click would do without a session: where the list says that one is open, what it said before
 * holds again once that is over.
 */
export function underlying(fresh: ClustersView, before: ClustersView | null): ClustersView {
  const known = new Map(before?.clusters.map((c) => [c.name, c.way]));
  const clusters = fresh.clusters.map((c) => (c.way.kind === "open" ? { ...c, way: known.get(c.name) ?? c.way } : c));
  return { ...fresh, clusters };
}

export function wayText(way: Way): string {
  switch (way.kind) {
    case "open": return "show the session";
    case "oneClick": return `open ${way.profile}`;
    case "ask": return `ask · ${count(way.approvals, "approval")}`;
    case "notYours": return "not yours";
    case "unknown": return "not known yet";
  }
}
