import { untrack } from "svelte";
import type { RequestsView } from "../../bindings/ipc";
import { List } from "../../desktop/list.svelte";
import { mirror } from "../../desktop/mirror.svelte";
import { go, place } from "../../desktop/place.svelte";
import { host } from "../../host";
import { heldBack, stamped, type Stamps, type Why } from "./guard";
import { rowsOf, type Row } from "./rows";
import { counts, inTab, tabOf, type Tab } from "./tabs";

/** The id of the view of the requests. */
export const VIEW = "requests";

/** How many wait for this person's yes or no, as the desktop counts them. */
export function toDecide(): number {
  return mirror.state?.toDecide ?? 0;
}

/** What is asked for and open in the person's teams, the part of it that is looked at, and what is selected. */
class Inbox {
  readonly #list = new List<RequestsView>("requestsChanged", () => host.call("requests_list"));
  #tab = $state<Tab>("forMe");
  #rows = $state.raw<readonly Row[]>([]);
  #stamps = $state.raw<Stamps | null>(null);
  /** The offer that the selected one had when it was selected. */
  #came = $state.raw<{ id: string; offer: string | null } | null>(null);
  readonly #seen = new Set<string>();
  readonly #decided = new Set<string>();
  /** What was known when the person came: it may not know yet of what they came for. */
  #known: RequestsView | null = null;

  readonly view = $derived(this.#list.value);
  readonly error = $derived(this.#list.error);
  /** Nothing to show yet: no team of the person's was heard of, and none is known to be in trouble. */
  readonly waiting = $derived(this.error === null && (this.view === null || (this.view.asOf === null && this.view.requests.length === 0 && this.view.problems.length === 0 && !this.view.noneToRead)));
  /** All teams were heard of: what is not among the rows is not there. */
  readonly whole = $derived(this.view !== null && this.view.asOf !== null && this.view.problems.length === 0);
  readonly counts = $derived(counts(this.view?.requests ?? []));
  readonly selected = $derived(this.#rows.findIndex((row) => row.id === place.request));
  /** The selected row: what is on screen beside the list. */
  readonly current = $derived(this.#rows[this.selected] ?? null);
  /** The offer is another than when the person came to it. */
  readonly offerChanged = $derived.by(() => {
    const [came, offer] = [this.#came, this.current?.request.offer ?? null];
    return came !== null && came.id === this.current?.id && came.offer !== null && offer !== null && offer.digest !== came.offer;
  });

  get tab(): Tab {
    return this.#tab;
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** Shows another tab, which begins anew: what stayed only because it was looked at is shown no longer. */
  choose(tab: Tab): void {
    const { current } = this;
    this.#tab = tab;
    this.#begin();
    if (current === null || current.gone || !inTab(current.request, tab)) go({ request: null });
    this.#arrange();
  }

  /** Kept fresh for as long as the component that calls this is there. */
  follow(): void {
    this.#known = untrack(() => this.view);
    this.#begin();
    this.#list.follow();
    $effect(() => {
      void this.view;
      untrack(() => this.#arrange());
    });
    $effect(() => {
      void place.request;
      untrack(() => this.#settle());
    });
  }

  load(): Promise<void> {
    return this.#list.load();
  }

  /** Why the row takes no key at this moment, and for how many ms. */
  heldBack(id: string): { ms: number; why: Why } | null {
    return heldBack(this.#stamps ?? new Map(), id, performance.now());
  }

  select(id: string): void {
    this.#seen.add(id);
    this.#came = { id, offer: this.#rows.find((row) => row.id === id)?.request.offer?.digest ?? null };
    go({ request: id });
  }

  /** Selects the next or the previous one. */
  move(by: number): void {
    const at = this.selected;
    const next = at < 0 ? (by > 0 ? 0 : this.#rows.length - 1) : Math.min(this.#rows.length - 1, Math.max(0, at + by));
    const row = this.#rows[next];
    if (row !== undefined && next !== at) this.select(row.id);
  }

  /** This person decided on it: its row stays and tells what became of it. */
  decided(id: string): void {
    this.#decided.add(id);
    this.#seen.add(id);
  }

  /** Forgets what belongs to whoever was signed in. */
  forget(): void {
    this.#list.forget();
    this.#tab = "forMe";
    this.#begin();
  }

  #begin(): void {
    this.#seen.clear();
    this.#decided.clear();
    [this.#rows, this.#stamps] = [[], null];
  }

  #arrange(): void {
    const { view } = this;
    if (view === null) return;
    const held = new Set(this.#decided);
    if (place.request !== null) held.add(place.request);
    this.#rows = rowsOf(view.requests, this.#rows, this.#tab, { seen: this.#seen, held }, view.closed);
    this.#stamps = stamped(this.#stamps, this.#rows, performance.now());
    this.#settle();
  }

  // Something is always selected. Whoever comes for one request finds it, in the tab that shows it.
  #settle(): void {
    const { view } = this;
    if (view === null || this.current !== null) return;
    const wanted = [...view.requests, ...view.closed].find((r) => r.id === place.request);
    if (wanted) {
      this.#tab = inTab(wanted, this.#tab) ? this.#tab : tabOf(wanted);
      this.#begin();
      this.#arrange();
      this.select(wanted.id);
    } else if (place.request === null || view !== this.#known) {
      const first = this.#rows[0];
      if (first) this.select(first.id);
    }
  }
}

export const inbox = new Inbox();
