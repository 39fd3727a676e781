import type { AboutView, CallDetail, ErrorView, SessionEvidence, TimelineFilter, TimelineRow } from "../../bindings/ipc";
import { asError, host } from "../../host";
import { changed } from "./filter";
import { timeline } from "./timeline.svelte";

/** What the pane beside the timeline shows. */
export type Pane =
  | { kind: "row" }
  | { kind: "session"; request: string }
  | { kind: "person" | "cluster"; name: string };

/** How much of what led to a call stands below it, microseconds. */
const BEFORE_US = 60_000_000;

/** How often the page of a session that goes on is put together anew at most. */
const RENEW_MS = 5000;

/** What is looked at: a row of the timeline, or a page about a session, a person or a cluster. */
class Look {
  #chosen = $state<string | null>(null);
  /** It is looked at as the command that it is a call of. */
  isCommand = $state(false);
  #panes = $state.raw<readonly Pane[]>([]);
  /** The answer for what is looked at, by what was asked. */
  call = $state.raw<CallDetail | null>(null);
  session = $state.raw<SessionEvidence | null>(null);
  about = $state.raw<AboutView | null>(null);
  raw = $state.raw<{ id: string; lines: readonly string[] } | null>(null);
  error = $state.raw<ErrorView | null>(null);
  loading = $state(false);
  #asked = 0;

  readonly pane = $derived<Pane>(this.#panes.at(-1) ?? { kind: "row" });
  readonly canGoBack = $derived(this.#panes.length > 0);
  readonly at = $derived(timeline.rows.findIndex((row) => row.id === this.#chosen));
  readonly row = $derived(timeline.rows[this.at] ?? null);
  /** Whose it is: the request and the session it says itself, or what its tie says. */
  readonly request = $derived(this.row?.entry?.ids.request ?? this.row?.tie?.request ?? null);
  readonly ofSession = $derived(this.row?.entry?.ids.session ?? this.row?.tie?.session ?? null);

  get chosen(): string | null {
    return this.#chosen;
  }

  choose(id: string | null, asCommand = false): void {
    const isSame = id === this.#chosen && this.pane.kind === "row";
    this.isCommand = asCommand;
    if (isSame) return;
    [this.#chosen, this.#panes, this.raw, this.call, this.error] = [id, [], null, null, null];
    timeline.chosen = id;
    const row = timeline.rows.find((one) => one.id === id);
    const call = row?.side === "cluster" ? row.id : row?.tie?.call;
    if (call) void this.#ask(host.call("audit_call", { id: call }), (answer) => (this.call = answer));
    else this.#asked += 1;
  }

  /** Shows a row that was found elsewhere, above what led to it: among those of its cluster, or as `by` says. */
  async find({ id, atUs, cluster, sentence, who }: Pick<TimelineRow, "id" | "atUs" | "cluster" | "sentence" | "who">, by: TimelineFilter = { side: "cluster", cluster }): Promise<void> {
    // It is the first row, however much a busy cluster tells of the next second.
    const filter = changed(by, { fromUs: atUs - BEFORE_US, toUs: atUs + 1 });
    await (timeline.choose(filter) ?? timeline.load());
    // What was seen in a log store has another id in each look.
    const same = timeline.rows.find((row) => row.id === id) ?? timeline.rows.find((row) => row.atUs === atUs && row.sentence === sentence && row.who === who);
    this.choose(same?.id ?? id);
  }

  open(pane: Pane): void {
    this.#panes = [...this.#panes, pane].slice(-20);
    this.#show();
  }

  /** Back to the list, from whatever page. */
  toList(): void {
    this.#panes = [];
    this.#show();
  }

  #renewed = -Infinity;
  /** A session that is not over is put together anew as it goes on, now and then. */
  goesOn(): void {
    const now = performance.now();
    if (this.pane.kind !== "session" || this.session === null || this.session.isOver || this.loading || now - this.#renewed < RENEW_MS) return;
    this.#renewed = now;
    this.#show(true);
  }

  back(): void {
    this.#panes = this.#panes.slice(0, -1);
    this.#show();
  }

  /** What is on screen stays until the answer is there, where it is another answer to the same question. */
  #show(isSame = false): void {
    const pane = this.pane;
    [this.error, this.raw] = [null, null];
    if (pane.kind === "session") {
      if (this.session?.request !== pane.request) this.session = null;
      void this.#ask(host.call("audit_session", { request: pane.request }), (answer) => (this.session = answer));
    } else if (pane.kind === "person" || pane.kind === "cluster") {
      if (!isSame) this.about = null;
      const { fromUs, toUs } = timeline.filter;
      void this.#ask(host.call("audit_about", { filter: changed({}, { [pane.kind]: pane.name, fromUs, toUs }) }), (answer) => (this.about = answer));
    }
  }

  readonly #page = $derived(this.pane.kind === "row" ? null : this.pane.kind === "session" ? this.session : this.about);
  /** A log store could not be asked for the page: it may be back. */
  readonly isAway = $derived(this.#page?.lacks.stores.some((store) => store.hasFailed) ?? false);

  /** What a page waits for of a log store may be there now. */
  grew(): void {
    if (this.#page?.lacks.stores.some((store) => store.isPending) && !this.loading) this.#show(true);
  }

  /** Asks once more for a page that lacks what a store had that was away. */
  ifBack(): void {
    if (this.isAway && !this.loading) this.#show(true);
  }

  /** Once more, with what is kept by now. */
  again(): void {
    if (this.pane.kind === "row") {
      const id = this.#chosen;
      this.#chosen = null;
      this.choose(id, this.isCommand);
    } else this.#show();
  }

  /** The raw JSON of the row that is looked at, or away again. */
  async toggleRaw(): Promise<void> {
    const row = this.row;
    if (row === null) return;
    const id = row.side === "own" && row.tie?.call ? row.tie.call : row.id;
    if (this.raw?.id === id) {
      this.raw = null;
      return;
    }
    await this.#ask(host.call("audit_raw", { id }), (lines) => (this.raw = { id, lines }));
  }

  async #ask<T>(question: Promise<T>, take: (answer: T) => void): Promise<void> {
    const mine = ++this.#asked;
    this.loading = true;
    try {
      const answer = await question;
      if (mine === this.#asked) take(answer);
    } catch (thrown) {
      const error = asError(thrown);
      if (mine === this.#asked && error.code !== "cancelled") this.error = error;
    }
    if (mine === this.#asked) this.loading = false;
  }

  forget(): void {
    this.#asked += 1;
    timeline.chosen = null;
    [this.#chosen, this.isCommand, this.#panes, this.call, this.session, this.about, this.raw, this.error, this.loading] = [null, false, [], null, null, null, null, null, false];
  }
}

export const look = new Look();
