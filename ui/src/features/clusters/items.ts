import type { ClusterView, EnvironmentKind } from "../../bindings/ipc";

export type Filter = "all" | EnvironmentKind | "oneClick";

export type Item =
  | { kind: "group"; id: string; title: string; count: number }
  | { kind: "cluster"; id: string; cluster: ClusterView };

const RECENT = 6;
const ENVIRONMENTS: readonly EnvironmentKind[] = ["prod", "stage", "dev", "other"];

export function inFilter(cluster: ClusterView, filter: Filter, open: ReadonlySet<string>): boolean {
  if (filter === "all") return true;
  return filter === "oneClick" ? cluster.way.kind === "oneClick" && !open.has(cluster.name) : cluster.environment === filter;
}

/** How many clusters each filter shows, and its word; none where it would show nothing. */
export function counts(clusters: readonly ClusterView[], open: ReadonlySet<string>): Map<Filter, { n: number; word: string }> {
  const found = new Map<Filter, { n: number; word: string }>();
  for (const environment of ENVIRONMENTS) {
    const those = clusters.filter((c) => c.environment === environment);
    const words = new Set(those.map((c) => c.environmentWord));
    const word = words.size === 1 ? [...words][0] ?? environment : environment;
    if (those.length > 0) found.set(environment, { n: those.length, word });
  }
  const once = clusters.filter((c) => inFilter(c, "oneClick", open)).length;
  if (once > 0) found.set("oneClick", { n: once, word: "one click" });
  return found;
}

/** In groups, each cluster in the first that it belongs to. */
export function grouped(clusters: readonly ClusterView[], open: ReadonlySet<string>): Item[] {
  const taken = new Set<string>();
  const out: Item[] = [];
  const put = (id: string, title: string, those: readonly ClusterView[]) => {
    const fresh = those.filter((c) => !taken.has(c.name));
    if (fresh.length === 0) return;
    out.push({ kind: "group", id, title, count: fresh.length });
    for (const cluster of fresh) {
      taken.add(cluster.name);
      out.push({ kind: "cluster", id: cluster.name, cluster });
    }
  };
  put("open", "Open now", clusters.filter((c) => open.has(c.name)));
  put("pinned", "Pinned", clusters.filter((c) => c.pinned));
  const used = clusters.filter((c) => c.lastUsed !== null && !taken.has(c.name));
  put("recent", "Recent", used.sort((a, b) => (b.lastUsed ?? 0) - (a.lastUsed ?? 0)).slice(0, RECENT));
  for (const environment of ENVIRONMENTS) {
    const those = clusters.filter((c) => c.environment === environment);
    put(environment, environment === "other" ? "Other" : (those[0]?.environmentWord ?? environment), those);
  }
  return out;
}

export function flat(clusters: readonly ClusterView[]): Item[] {
  return clusters.map((cluster) => ({ kind: "cluster", id: cluster.name, cluster }));
}
