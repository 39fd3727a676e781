import { untrack } from "svelte";
import type { ClusterView, ClustersView } from "../../bindings/ipc";
import { keepsFrom } from "../../desktop/holds";
import { List } from "../../desktop/list.svelte";
import { mirror } from "../../desktop/mirror.svelte";
import { go, place } from "../../desktop/place.svelte";
import { host } from "../../host";
import { minute } from "../../shared/clock.svelte";
import { index, search } from "../../shared/search";
import { counts, flat, grouped, inFilter, type Filter } from "./items";
import { rest } from "./rest";
import { openOn, wayOf, type Click } from "./ways";

/** The list of clusters, what of it is searched for, and what is selected. */
class Inventory {
  readonly #list = new List<ClustersView>("clustersChanged", () => host.call("clusters_list"), async (fresh, before) => {
    if (before !== null) await rest();
    return fresh;
  });
  query = $state("");
  filter = $state<Filter>("all");
  /** The clusters with a session, as the rows are arranged by: a moment later than it is so, when the pointer rests. */
  #arranged = $state.raw<ReadonlySet<string>>(new Set());

  readonly #open = $derived(openOn(mirror.sessions));
  readonly view = $derived(this.#list.value);
  readonly error = $derived(this.#list.error);
  /** Nothing to show yet: the hub has never confirmed the list. */
  readonly waiting = $derived(this.error === null && (this.view === null || (this.view.asOf === null && this.view.clusters.length === 0)));
  readonly clusters = $derived(this.view?.clusters ?? []);
  readonly #indexed = $derived(
    index(
      this.clusters,
      (c) => c.name,
      (c) => `${c.displayName} ${c.environmentWord} ${c.provider} ${c.region} ${c.version}`,
      // Less than what a better match is worth: it only orders equals.
      (c) => (this.#arranged.has(c.name) ? 4 : c.pinned ? 3 : c.lastUsed !== null ? 2 : 0),
    ),
  );
  readonly counts = $derived(counts(this.clusters, this.#arranged));
  readonly #matches = $derived(this.search(this.query).filter((c) => inFilter(c, this.filter, this.#arranged)));
  readonly items = $derived(this.query.trim() === "" ? grouped(this.#matches, this.#arranged) : flat(this.#matches));
  readonly selected = $derived(this.items.findIndex((item) => item.kind === "cluster" && item.cluster.name === place.cluster));

  /** Kept fresh for as long as the component that calls this is there. */
  follow(): void {
    this.#list.follow();
    const names = $derived([...this.#open.keys()].sort().join("\n"));
    let comes = true;
    $effect(() => {
      void names;
      const stop = untrack(() => this.arrange(comes));
      comes = false;
      return stop;
    });
  }

  /**
   * Arranges the rows by what is open now. Whoever comes to the list points at no row of it yet, so for them it is
   * done at once. Later it waits until the pointer rests, and until then the function given back calls it off.
   */
  arrange(comes: boolean): () => void {
    let late = false;
    const now = () => {
      if (!late) this.#arranged = new Set(this.#open.keys());
    };
    if (comes || this.#list.value === null) now();
    else void rest().then(now);
    return () => (late = true);
  }

  load(): Promise<void> {
    return this.#list.load();
  }

  /** What a click on the cluster does now. */
  way(cluster: ClusterView): Click {
    return wayOf(cluster, this.#open, keepsFrom(cluster.name, minute.now));
  }

  /** Clusters that match, the best first. */
  search(query: string, most = Infinity): ClusterView[] {
    return search(this.#indexed, query, most);
  }

  find(name: string | null): ClusterView | null {
    return this.clusters.find((c) => c.name === name) ?? null;
  }

  /** Selects the first cluster when the selected one is not in the list. */
  settle(): void {
    if (this.selected >= 0) return;
    const first = this.items.find((item) => item.kind === "cluster");
    if (first?.kind === "cluster") go({ cluster: first.cluster.name });
  }

  /** Selects the next or previous cluster, over headings; the first one when none was selected. */
  move(by: number): void {
    const rows = this.items.flatMap((item) => (item.kind === "cluster" ? [item.cluster.name] : []));
    const at = place.cluster === null ? -1 : rows.indexOf(place.cluster);
    const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
    const cluster = rows[next];
    if (cluster !== undefined) go({ cluster });
  }

  /** The selected cluster, when it is in the list. */
  current(): ClusterView | null {
    const item = this.items[this.selected];
    return item?.kind === "cluster" ? item.cluster : null;
  }

  /** Forgets what belongs to whoever was signed in. */
  forget(): void {
    this.#list.forget();
    this.query = "";
    this.filter = "all";
  }

  async pin(cluster: ClusterView): Promise<void> {
    await host.call("cluster_pin", { name: cluster.name, on: !cluster.pinned });
    await this.load();
  }
}

export const inventory = new Inventory();
