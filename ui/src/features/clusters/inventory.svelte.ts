import type { ClusterView, ClustersView, EnvironmentKind, ErrorView } from "../../bindings/ipc";
import { asError, host } from "../../host";
import { app } from "../../shared/app.svelte";
import { index, search } from "../../shared/search";

export type Filter = "all" | EnvironmentKind | "oneClick";

export type Item =
  | { kind: "group"; id: string; title: string; count: number }
  | { kind: "cluster"; id: string; cluster: ClusterView };

const RECENT = 6;
/** How long a pointer must have rested before rows may change places, and for how long that is waited for, in ms. */
const REST = 400;
const REST_MOST = 1500;
const ENVIRONMENTS: readonly EnvironmentKind[] = ["prod", "stage", "dev", "other"];

/** The list of clusters as last fetched, what of it is searched for, and what is selected. */
class Inventory {
  view = $state.raw<ClustersView | null>(null);
  error = $state.raw<ErrorView | null>(null);
  query = $state("");
  filter = $state<Filter>("all");
  /** Opens what the form beside the list says; set while the form is there. */
  submit: (() => void) | null = null;
  /** Opens as last time. */
  submitLast: (() => void) | null = null;

  /** Nothing to show yet: the hub has never confirmed the list. */
  readonly waiting = $derived(this.error === null && (this.view === null || (this.view.asOf === null && this.view.clusters.length === 0)));
  readonly clusters = $derived(this.view?.clusters ?? []);
  readonly indexed = $derived(
    index(
      this.clusters,
      (c) => c.name,
      (c) => `${c.displayName} ${c.environmentWord} ${c.provider} ${c.region} ${c.version}`,
      // Less than what a better match is worth: it only orders equals.
      (c) => (c.way.kind === "open" ? 4 : c.pinned ? 3 : c.lastUsed !== null ? 2 : 0),
    ),
  );
  readonly counts = $derived(count(this.clusters));
  readonly matches = $derived(
    search(this.indexed, this.query).filter((c) => this.filter === "all" || inFilter(c, this.filter)),
  );
  readonly items = $derived(this.query.trim() === "" ? grouped(this.matches) : flat(this.matches));
  readonly selected = $derived(this.items.findIndex((item) => item.kind === "cluster" && item.cluster.name === app.cluster));

  #touched = Number.NEGATIVE_INFINITY;

  /** The pointer moves or presses over the list. */
  touch(): void {
    this.#touched = performance.now();
  }

  /** Rows must not move under a pointer that is about to click or is in the middle of a double click. */
  async #rest(): Promise<void> {
    const begun = performance.now();
    while (performance.now() - this.#touched < REST && performance.now() - begun < REST_MOST) await new Promise((done) => setTimeout(done, 50));
  }

  async load(): Promise<void> {
    if (this.view !== null) await this.#rest();
    try {
      this.view = await host.call("clusters_list");
      this.error = null;
    } catch (thrown) {
      this.error = asError(thrown);
    }
  }

  /** Selects the first cluster when the selected one is not in the list. */
  settle(): void {
    if (this.selected >= 0) return;
    const first = this.items.find((item) => item.kind === "cluster");
    if (first?.kind === "cluster") app.cluster = first.cluster.name;
  }

  /** Selects the next or previous cluster, over headings; the first one when none was selected. */
  move(by: number): void {
    const rows = this.items.flatMap((item) => (item.kind === "cluster" ? [item.cluster.name] : []));
    const at = app.cluster === null ? -1 : rows.indexOf(app.cluster);
    const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
    app.cluster = rows[next] ?? app.cluster;
  }

  /** The selected cluster, when it is in the list. */
  current(): ClusterView | null {
    const item = this.items[this.selected];
    return item?.kind === "cluster" ? item.cluster : null;
  }

  /** Forgets what belongs to whoever was signed in. */
  forget(): void {
    this.view = null;
    this.error = null;
    this.query = "";
    this.filter = "all";
  }

  async pin(cluster: ClusterView): Promise<void> {
    await host.call("cluster_pin", { name: cluster.name, on: !cluster.pinned });
    await this.load();
  }
}

export const inventory = new Inventory();

function inFilter(cluster: ClusterView, filter: Filter): boolean {
  return filter === "oneClick" ? cluster.way.kind === "oneClick" : cluster.environment === filter;
}

function count(clusters: readonly ClusterView[]): Map<Filter, { n: number; word: string }> {
  const counts = new Map<Filter, { n: number; word: string }>();
  for (const environment of ENVIRONMENTS) {
    const those = clusters.filter((c) => c.environment === environment);
    const words = new Set(those.map((c) => c.environmentWord));
    const word = words.size === 1 ? [...words][0] ?? environment : environment;
    if (those.length > 0) counts.set(environment, { n: those.length, word });
  }
  const once = clusters.filter((c) => inFilter(c, "oneClick")).length;
  if (once > 0) counts.set("oneClick", { n: once, word: "one click" });
  return counts;
}

function grouped(clusters: readonly ClusterView[]): Item[] {
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
  put("open", "Open now", clusters.filter((c) => c.way.kind === "open"));
  put("pinned", "Pinned", clusters.filter((c) => c.pinned));
  const used = clusters.filter((c) => c.lastUsed !== null && !taken.has(c.name));
  put("recent", "Recent", used.sort((a, b) => (b.lastUsed ?? 0) - (a.lastUsed ?? 0)).slice(0, RECENT));
  for (const environment of ENVIRONMENTS) {
    const those = clusters.filter((c) => c.environment === environment);
    put(environment, environment === "other" ? "Other" : (those[0]?.environmentWord ?? environment), those);
  }
  return out;
}

function flat(clusters: readonly ClusterView[]): Item[] {
  return clusters.map((cluster) => ({ kind: "cluster", id: cluster.name, cluster }));
}
