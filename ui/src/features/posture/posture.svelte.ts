import { untrack } from "svelte";
import type { FindingDetail, PostureDetail, PostureView } from "../../bindings/ipc";
import { List } from "../../desktop/list.svelte";
import { host } from "../../host";
import { covered, moved, ordered, type Cursor, type Order } from "./grid";
import { ALL, exceptionsOf, findingsOf, weaknessesOf, type Filter, type Row } from "./list";
import { Look } from "./look.svelte";
import { changed, clusterOf, exists, findingOf, keyOf, ofKey, placeOf, rowOf, sideOf, type Selected, type Side } from "./select";

/** The id of the view of where the fleet is weak. */
export const VIEW = "posture";
/** While a scan of a large fleet tells of every step, the whole is read no more often than this, in ms. */
const BREATH_MS = 250;
const LARGE = 200;

export type Tab = "fleet" | "findings" | "changed" | "exceptions" | "who";
export const TABS: readonly { id: Tab; title: string }[] = [
  { id: "fleet", title: "Fleet" },
  { id: "findings", title: "Findings" },
  { id: "changed", title: "Changed" },
  { id: "exceptions", title: "Exceptions" },
  { id: "who", title: "Who can…" },
];

/** The list that each tab is of. */
const SIDES: Record<Tab, Side> = { fleet: "weak", findings: "weak", changed: "changed", exceptions: "exceptions", who: "who" };

/** Where the fleet is weak by the scans that are kept, what of it is looked for, and what is selected. */
class Posture {
  readonly #list = new List<PostureView>("postureChanged", () => host.call("posture_fleet"), async (fresh, before) => {
    if (before?.run?.isOver === false && fresh.run?.isOver === false && fresh.clusters.length > LARGE) await new Promise((done) => setTimeout(done, BREATH_MS));
    return fresh;
  });
  /** One cluster in detail: the one in the pane, and the one whose findings are listed. */
  readonly beside = new Look<string, PostureDetail>((cluster) => host.call("posture_cluster", { cluster }));
  readonly listed = new Look<string, PostureDetail>((cluster) => host.call("posture_cluster", { cluster }));
  readonly finding = new Look<string, FindingDetail>((key) => host.call("posture_finding", ofKey(key)));

  #tab = $state<Tab>("fleet");
  /** The way to what is looked at, beside each list: whoever comes back to one finds what was looked at there. */
  #trails = $state.raw<Readonly<Partial<Record<Side, readonly Selected[]>>>>({});
  #cursor = $state.raw<Cursor | null>(null);
  /** What the clusters of the grid are looked for by, and in which order they stand. */
  query = $state("");
  #order = $state<Order>("name");
  filter = $state.raw<Filter>(ALL);
  /** The cluster whose findings are listed; empty: the weaknesses of all. */
  only = $state("");
  unfolded = $state.raw<ReadonlySet<string>>(new Set());
  /** What of the last run was read and need not be shown again. */
  runRead = $state(0);

  readonly view = $derived(this.#list.value);
  readonly error = $derived(this.#list.error);
  readonly rows = $derived(ordered(this.view?.clusters ?? [], this.query, this.#order));
  readonly covered = $derived(covered(this.view?.clusters ?? []));
  readonly run = $derived(this.view?.run ?? null);
  readonly scanning = $derived(this.run !== null && !this.run.isOver);
  /** What to fix first: what nobody answers for. */
  readonly first = $derived((this.view?.weaknesses ?? []).filter((one) => !one.isExcepted));
  readonly found: readonly Row[] = $derived.by(() => {
    if (this.only !== "") return findingsOf(this.listed.of(this.only)?.findings ?? [], this.filter, this.unfolded);
    return weaknessesOf(this.view?.weaknesses ?? [], this.filter).map((weakness): Row => ({ kind: "weakness", id: weakness.id, weakness }));
  });
  readonly exceptions = $derived(exceptionsOf(this.view?.exceptions ?? []));
  readonly changes = $derived((this.view?.drift.length ?? 0) + (this.view?.driftMore ?? 0));
  /** The way to what is looked at, as far as it is there still. */
  readonly #trail: readonly Selected[] = $derived.by(() => {
    const { view } = this;
    return view === null ? [] : (this.#trails[this.side] ?? []).filter((one) => exists(view, one));
  });
  /** What is looked at: the last of the way there. */
  readonly selected: Selected | null = $derived(this.#trail.at(-1) ?? null);
  /** The row of the list that the way began at, as the list that is shown has it. */
  readonly root: Selected | null = $derived(this.view === null ? null : rowOf(this.view, this.#tab === "findings" ? this.only : "", this.#trail[0] ?? null));
  readonly cluster = $derived(this.view === null ? null : clusterOf(this.view, this.selected));
  readonly at = $derived(this.view === null ? null : findingOf(this.view, this.selected));

  get tab(): Tab {
    return this.#tab;
  }

  get order(): Order {
    return this.#order;
  }

  get cursor(): Cursor | null {
    return this.#cursor;
  }

  /** Which list is shown, of those that remember what is looked at beside them. */
  get side(): Side {
    return SIDES[this.#tab];
  }

  /** One came here from something else that is looked at still. */
  get canGoBack(): boolean {
    return this.#trail.length > 1;
  }

  /** Kept fresh for as long as the component that calls this is there. */
  follow(): void {
    this.#list.follow();
    // Something is looked at from the start: what to fix first.
    $effect(() => {
      const first = this.first[0];
      if (first !== undefined && untrack(() => this.#trails.weak === undefined)) this.#way("weak", [this.#placed({ kind: "weakness", id: first.id, cluster: null })]);
    });
    const version = $derived(this.version(this.only));
    this.listed.follow(() => (this.#tab === "findings" && this.only !== "" ? this.only : null), () => version);
  }

  load(): Promise<void> {
    return this.#list.load();
  }

  choose(tab: Tab): void {
    this.#tab = tab;
  }

  /** The tabs in turn. */
  next(): void {
    const at = TABS.findIndex(({ id }) => id === this.#tab);
    this.choose(TABS[(at + 1) % TABS.length]?.id ?? "fleet");
  }

  /** Looks at something, from its list, wherever one is. */
  select(one: Selected): void {
    const side = sideOf(one);
    if (side !== this.side) this.#tab = side === "weak" ? "fleet" : side;
    this.#way(side, [this.#placed(one)]);
  }

  /** Looks at something that belongs to what is looked at, and can be left again. */
  enter(one: Selected): void {
    this.#way(this.side, [...this.#trail, one]);
  }

  back(): void {
    if (this.canGoBack) this.#way(this.side, this.#trail.slice(0, -1));
  }

  /** Another cluster with the same weakness, in place of what is looked at. */
  place(id: string, cluster: string): void {
    this.#way(this.side, [...this.#trail.slice(0, -1), { kind: "weakness", id, cluster }]);
  }

  #way(side: Side, trail: readonly Selected[]): void {
    this.#trails = { ...this.#trails, [side]: trail };
  }

  /** What is looked at stays of one cluster, whatever a scan puts before it. */
  #placed(one: Selected): Selected {
    return one.kind === "weakness" && one.cluster === null && this.view !== null ? { ...one, cluster: placeOf(this.view, one)?.cluster ?? null } : one;
  }

  /** Another text once what is kept of a cluster may say something else. */
  version(cluster: string | null): string {
    const kept = this.view?.clusters.find(({ name }) => name === cluster)?.scannedAt ?? 0;
    return JSON.stringify([kept, (this.view?.exceptions ?? []).map(({ id, isExpired }) => [id, isExpired])]);
  }

  /** Shows a cluster in the grid and beside it, whatever was looked for before. */
  show(cluster: string): void {
    this.#tab = "fleet";
    this.query = "";
    this.#cursor = { cluster, column: 0 };
    this.select({ kind: "cluster", cluster, area: null });
  }

  /** Lists the findings of one cluster. */
  list(cluster: string): void {
    if (this.side !== "weak") this.#way("weak", [{ kind: "cluster", cluster, area: null }]);
    [this.#tab, this.only, this.filter] = ["findings", cluster, ALL];
  }

  put(cursor: Cursor): void {
    this.#cursor = cursor;
  }

  /** Orders the grid anew, and begins at its top. */
  sort(order: Order): void {
    this.#order = order;
    const first = this.rows[0];
    if (first !== undefined && this.#cursor !== null) this.#cursor = { ...this.#cursor, cluster: first.name };
  }

  /** The worst first, or by name again. */
  turn(): void {
    this.sort(this.#order === "name" ? "worst" : "name");
  }

  /** Moves in the grid; false: the key means nothing there. */
  move(key: string): boolean {
    const to = moved(this.rows, this.#cursor, key);
    if (to !== null) this.#cursor = to;
    return to !== null;
  }

  /** Selects the next or the previous row of what is listed. */
  step(by: number): void {
    const ids = this.#choices();
    if (ids.length === 0) return;
    const now = this.root;
    const at = now === null ? -1 : ids.findIndex((one) => same(one, now));
    // From nowhere: the first forward, the last back; Home and End lead where they say.
    const from = at >= 0 ? at : by > 0 || by < -ids.length ? -1 : ids.length;
    const next = Math.min(ids.length - 1, Math.max(0, from + by));
    const to = ids[next];
    if (to !== undefined && next !== at) this.select(to);
  }

  #choices(): Selected[] {
    switch (this.#tab) {
      case "fleet": return this.first.map(({ id }) => ({ kind: "weakness", id, cluster: null }));
      case "findings": return this.found.flatMap((row): Selected[] => (row.kind === "weakness" ? [{ kind: "weakness", id: row.id, cluster: null }] : row.kind === "finding" ? [{ kind: "finding", cluster: this.only, finding: row.id }] : []));
      case "changed": return (this.view?.drift ?? []).map(changed);
      case "exceptions": return this.exceptions.map(({ id }) => ({ kind: "exception", id }));
      case "who": return [];
    }
  }

  fold(id: string): void {
    const next = new Set(this.unfolded);
    if (!next.delete(id)) next.add(id);
    this.unfolded = next;
  }

  /** The finding in the pane, whole. */
  readonly detail = $derived(this.at === null ? null : this.finding.of(keyOf(this.at)));

  /** Forgets what belongs to whoever was signed in. */
  forget(): void {
    this.#list.forget();
    for (const look of [this.beside, this.listed, this.finding]) look.forget();
    [this.#tab, this.#trails, this.#cursor] = ["fleet", {}, null];
    [this.query, this.#order, this.filter, this.only, this.unfolded, this.runRead] = ["", "name", ALL, "", new Set(), 0];
  }
}

/** Whether two are the same row, whatever cluster of it is looked at. */
export function same(one: Selected, other: Selected): boolean {
  if (one.kind === "weakness" && other.kind === "weakness") return one.id === other.id;
  return JSON.stringify(one) === JSON.stringify(other);
}

export const posture = new Posture();
