import { untrack } from "svelte";
import type { DriftLine, ErrorView, WhoCanView, WhoCluster, WhoSubject } from "../../bindings/ipc";
import { fail } from "../../desktop/notices.svelte";
import { go, place } from "../../desktop/place.svelte";
import { asError, host } from "../../host";
import { editing } from "../profiles";
import { clustersFound, subjectsFound, wordsOf } from "./find";
import { clusterId, HUB, modelOf, subjectId, type Model } from "./model";

/** The id of the view of who can ask for what. */
export const VIEW = "whoCan";
/** What was read is shown so long to whoever comes back, before it is read again. */
const FRESH_MS = 60_000;

export type Tab = "who" | "where" | "changed";
export const TABS: readonly { id: Tab; title: string }[] = [
  { id: "who", title: "Who" },
  { id: "where", title: "Where" },
  { id: "changed", title: "Changed" },
];

export type Row =
  | { readonly id: string; readonly kind: "subject"; readonly subject: WhoSubject; readonly focus: ReadonlySet<number> }
  | { readonly id: string; readonly kind: "cluster"; readonly cluster: WhoCluster; readonly focus: ReadonlySet<number> }
  | { readonly id: string; readonly kind: "hub" }
  | { readonly id: string; readonly kind: "change"; readonly line: DriftLine };

/** Who can ask for what: what was read, what of it is looked for, and what is selected. Read when somebody looks, and never by itself. */
class Reach {
  #view = $state.raw<WhoCanView | null>(null);
  #error = $state.raw<ErrorView | null>(null);
  #busy = $state(false);
  #marking = $state(false);
  #asked = 0;
  #tab = $state<Tab>("who");
  query = $state("");

  readonly model: Model | null = $derived(this.#view === null ? null : modelOf(this.#view));
  readonly rows: readonly Row[] = $derived(this.model === null ? [] : rowsOf(this.model, this.#tab, this.query));
  readonly selected = $derived(this.rows.findIndex((row) => row.id === place.reach));
  /** What is on screen beside the list. */
  readonly current = $derived(this.rows[this.selected] ?? null);

  get view(): WhoCanView | null {
    return this.#view;
  }

  get error(): ErrorView | null {
    return this.#error;
  }

  /** It is being read. */
  get busy(): boolean {
    return this.#busy;
  }

  get tab(): Tab {
    return this.#tab;
  }

  /** This person lacks rights to see it. */
  readonly lacks = $derived((this.#view?.missing.length ?? 0) > 0);
  /** How many things are others since the last look. */
  readonly changes = $derived((this.#view?.drift?.lines.length ?? 0) + (this.#view?.drift?.more ?? 0));
  /** What is shown can be marked as seen: it is not what was seen already. */
  readonly mayMark = $derived(!this.#marking && this.#view !== null && !this.lacks && (this.#view.drift === null || this.changes > 0));

  choose(tab: Tab): void {
    this.#tab = tab;
    this.#settle();
  }

  /** The tabs in turn. */
  next(): void {
    const at = TABS.findIndex(({ id }) => id === this.#tab);
    this.choose(TABS[(at + 1) % TABS.length]?.id ?? "who");
  }

  /** Read when the component that calls this comes, unless it was a moment ago; and something is always selected. */
  follow(): void {
    $effect(() => untrack(() => {
      if (this.#view === null || Date.now() - this.#view.asOf > FRESH_MS) void this.load();
    }));
    let applied = editing.applied;
    $effect(() => {
      if (editing.applied === applied) return;
      applied = editing.applied;
      untrack(() => void this.load());
    });
    $effect(() => {
      void this.rows;
      untrack(() => this.#settle());
    });
  }

  /** Reads it. An answer that was overtaken by a later one does not count. */
  async load(): Promise<void> {
    const mine = ++this.#asked;
    this.#busy = true;
    try {
      const fresh = await host.call("who_can");
      if (mine === this.#asked) [this.#view, this.#error] = [fresh, null];
    } catch (thrown) {
      if (mine === this.#asked) this.#error = asError(thrown);
    }
    if (mine === this.#asked) this.#busy = false;
  }

  /** Says that what is on screen was seen: the next look tells what is another. */
  async mark(): Promise<void> {
    const view = this.#view;
    if (view === null || !this.mayMark) return;
    this.#marking = true;
    try {
      await host.call("who_can_seen", { digest: view.digest });
      if (this.#view === view) this.#view = { ...view, drift: { since: Date.now(), lines: [], more: 0 } };
    } catch (thrown) {
      fail(asError(thrown));
    }
    this.#marking = false;
  }

  select(id: string): void {
    go({ reach: id });
  }

  /** Shows a subject or a cluster, whatever was looked for before. */
  show(id: string): void {
    this.#tab = id.startsWith("s:") ? "who" : "where";
    this.query = "";
    go({ reach: id });
  }

  /** Selects the next or the previous one. */
  move(by: number): void {
    const at = this.selected;
    const next = at < 0 ? (by > 0 ? 0 : this.rows.length - 1) : Math.min(this.rows.length - 1, Math.max(0, at + by));
    const row = this.rows[next];
    if (row !== undefined && next !== at) this.select(row.id);
  }

  /** Forgets what belongs to whoever was signed in. */
  forget(): void {
    this.#asked += 1;
    [this.#view, this.#error, this.#busy, this.#marking] = [null, null, false, false];
    this.#tab = "who";
    this.query = "";
    editing.forget();
  }

  #settle(): void {
    if (this.current !== null) return;
    const first = this.rows[0];
    if (first) this.select(first.id);
  }
}

function rowsOf(model: Model, tab: Tab, query: string): Row[] {
  const { view } = model;
  if (view.missing.length > 0) return [];
  if (tab === "who") {
    return subjectsFound(model, query).map(({ at, focus }): Row => {
      const subject = view.subjects[at] as WhoSubject;
      return { id: subjectId(subject), kind: "subject", subject, focus };
    });
  }
  if (tab === "where") {
    const found = clustersFound(model, query).map(({ at, focus }): Row => {
      const cluster = view.clusters[at] as WhoCluster;
      return { id: clusterId(cluster), kind: "cluster", cluster, focus };
    });
    return query.trim() === "" ? [{ id: HUB, kind: "hub" }, ...found] : found;
  }
  const words = wordsOf(query);
  const matches = ({ about, text }: DriftLine) => words.every((word) => `${about} ${text}`.toLowerCase().includes(word));
  return (view.drift?.lines ?? []).flatMap((line, at): Row[] => (matches(line) ? [{ id: `d:${at}`, kind: "change", line }] : []));
}

export const reach = new Reach();
