import type { EndTold, ErrorView, LimitsInput } from "../../bindings/ipc";
import { fail } from "../../desktop/notices.svelte";
import { place } from "../../desktop/place.svelte";
import { asError, host } from "../../host";
import { stepsUp } from "../signin";
import { shortName } from "../../desktop/words";
import { mayOf, wantsEnter, type Done, type Kind, type May, type Sent } from "./can";
import { Editing } from "./editing.svelte";
import { HOLD_MS, type Why } from "./guard";
import { inbox, VIEW } from "./requests.svelte";
import type { Row } from "./rows";
import { whatText } from "./words";

/** What is about to be said, and to what: never to anything that took its place. */
interface Saying {
  readonly kind: Sent;
  readonly id: string;
  /** The digest on screen. */
  readonly offer: string | null;
  readonly limits: LimitsInput | null;
}

/** What is asked before it is said. */
interface Ask extends Saying {
  readonly kind: Kind;
  /** When it was asked, on `performance.now()`'s clock. */
  readonly at: number;
  /** What a yes takes off; none: it is to all of the offer. */
  readonly less: Editing | null;
}

/** What did not get through, and why. */
export interface Failed {
  readonly kind: Sent;
  readonly error: ErrorView;
}

const SAID_MS = 2500;

/** A yes, a no, and the end of what somebody has open: what is asked before it is sent, on its way, and what became of it. */
class Deciding {
  #ask = $state.raw<Ask | null>(null);
  #busy = $state.raw<ReadonlyMap<string, Sent>>(new Map());
  #failed = $state.raw<ReadonlyMap<string, Failed>>(new Map());
  #done = $state.raw<ReadonlyMap<string, Done>>(new Map());
  #tooSoon = $state.raw<{ id: string; why: Why } | null>(null);
  #quiet: ReturnType<typeof setTimeout> | undefined;
  /** Another one for each person: what is answered to the last one is nothing to the next. */
  #person = {};

  /** What can be said to the selected one. */
  readonly may: May = $derived(this.#mayOf(inbox.current));
  /** What is asked before it is sent; only while it is about what is on screen. */
  readonly ask = $derived.by(() => {
    const [ask, row] = [this.#ask, inbox.current];
    return ask !== null && row !== null && row.id === ask.id && this.#stands(ask, row) ? ask : null;
  });

  busy(id: string): Sent | null {
    return this.#busy.get(id) ?? null;
  }

  failed(id: string): Failed | null {
    return this.#failed.get(id) ?? null;
  }

  done(id: string): Done | null {
    return this.#done.get(id) ?? null;
  }

  /** Why the last key on it was not taken, for a moment. */
  tooSoon(id: string): Why | null {
    return this.#tooSoon?.id === id ? this.#tooSoon.why : null;
  }

  /** A question that is not on screen any more is over, for as long as the calling component is there and after it. */
  follow(): void {
    $effect(() => {
      if (this.ask === null) this.#ask = null;
    });
    $effect(() => () => void (this.#ask = null));
  }

  /** Begins to say something to the selected one: asks where something is still wanted, else sends it. */
  begin(kind: Kind): void {
    const row = inbox.current;
    if (row === null || !this.may[kind] || !this.#takes(row.id)) return;
    const saying = { kind, id: row.id, offer: row.request.offer?.digest ?? null, limits: null };
    if (kind === "approve" && !wantsEnter(row.request)) void this.#send(saying, row, null);
    else this.#asks(saying, null);
  }

  /** Drops the end of the selected one that the hub has not heard. */
  drop(): void {
    const row = inbox.current;
    if (row === null || !this.may.drop || !this.#takes(row.id)) return;
    void this.#send({ kind: "drop", id: row.id, offer: null, limits: null }, row, null);
  }

  /** Begins a yes to less. */
  beginLess(): void {
    const row = inbox.current;
    if (row === null || !this.may.approve || !this.#takes(row.id)) return;
    this.#asks({ kind: "approve", id: row.id, offer: row.request.offer?.digest ?? null, limits: null }, new Editing());
  }

  /** What is chosen is what the yes takes off: asks where Enter is still wanted, else sends it. False: nothing can be sent. */
  chose(): boolean {
    const [ask, row] = [this.ask, inbox.current];
    if (ask === null || ask.less === null || row === null) return false;
    const less = ask.less.of(row.request);
    if (!("limits" in less)) return false;
    if (!this.#takes(row.id, ask.at)) return true;
    const saying = { kind: ask.kind, id: ask.id, offer: ask.offer, limits: less.limits };
    if (wantsEnter(row.request)) this.#asks(saying, ask.less);
    else {
      this.#ask = null;
      void this.#send(saying, row, null);
    }
    return true;
  }

  /** Sends what was asked about. */
  confirm(reason: string | null): void {
    const [ask, row] = [this.ask, inbox.current];
    if (ask === null || row === null || !this.#takes(row.id, ask.at)) return;
    this.#ask = null;
    void this.#send(ask, row, reason);
  }

  /** Nothing is said. From the question about a yes to less it goes back to what was chosen. */
  back(): void {
    const { ask } = this;
    if (ask !== null && ask.less !== null && ask.limits !== null) this.#asks({ ...ask, limits: null }, ask.less);
    else this.#ask = null;
  }

  forget(): void {
    this.#person = {};
    this.#ask = this.#tooSoon = null;
    this.#busy = this.#failed = this.#done = new Map();
  }

  #asks({ kind, id, offer, limits }: Saying & { readonly kind: Kind }, less: Editing | null): void {
    this.#ask = { kind, id, offer, limits, less, at: performance.now() };
  }

  #mayOf(row: Row | null): May {
    return mayOf(row, row && this.done(row.id), row !== null && this.#busy.has(row.id));
  }

  /** Whether it can still be said, and a yes to the offer that was on screen. */
  #stands({ kind, offer }: Saying, row: Row): boolean {
    return this.#mayOf(row)[kind] && (kind !== "approve" || row.request.offer?.digest === offer);
  }

  // A key that was meant for what stood there a moment ago hits nothing, and it is said. The same of the key that asked, held
  // or pressed twice: it is no answer.
  #takes(id: string, askedAt = -Infinity): boolean {
    const why = inbox.heldBack(id)?.why ?? (performance.now() - askedAt < HOLD_MS ? "asked" : null);
    this.#tooSoon = why && { id, why };
    clearTimeout(this.#quiet);
    if (why !== null) this.#quiet = setTimeout(() => (this.#tooSoon = null), SAID_MS);
    return why === null;
  }

  async #send(ask: Saying, row: Row, reason: string | null, again = true): Promise<void> {
    const { kind, id } = ask;
    const person = this.#person;
    const over = () => person !== this.#person;
    if (this.#busy.has(id)) return;
    this.#busy = new Map(this.#busy).set(id, kind);
    this.#failed = without(this.#failed, id);
    try {
      const answer = await call(ask, reason);
      if (over()) return;
      // What the hub has not heard is nothing that was done; the row says so.
      if (kind !== "drop" && answer !== "notYet") this.#done = new Map(this.#done).set(id, { kind, offer: ask.offer, limits: ask.limits, at: Date.now() });
      inbox.decided(id);
      await inbox.load();
    } catch (thrown) {
      if (over()) return;
      const error = asError(thrown);
      this.#fail(id, kind, error);
      const asked = again && stepsUp(error, sentence(kind, row), () => !over() && this.#sendAgain(ask, reason));
      // The pane says it, to whoever looks at it.
      if (!asked && (place.view !== VIEW || place.request !== id)) fail(error);
      if (error.code === "profileChanged") await inbox.load();
    }
    if (!over()) this.#busy = without(this.#busy, id);
  }

  // It may have become another while the second factor was looked for: then nothing is sent, and it is said.
  #sendAgain(ask: Saying, reason: string | null): void {
    const row = inbox.rows.find((one) => one.id === ask.id);
    if (row !== undefined && this.#stands(ask, row)) void this.#send(ask, row, reason, false);
    else this.#fail(ask.id, ask.kind, CHANGED);
  }

  #fail(id: string, kind: Sent, error: ErrorView): void {
    this.#failed = new Map(this.#failed).set(id, { kind, error });
  }
}

const CHANGED: ErrorView = { code: "failed", message: "It changed while you confirmed, and nothing was sent.", hint: "Read what it is now, then decide.", retry: false, stepUp: null };

function call({ kind, id, offer, limits }: Saying, reason: string | null): Promise<EndTold | null> {
  if (kind === "drop") return host.call("request_revoke_drop", { request: id });
  if (kind === "approve") return host.call("request_approve", { request: id, offer: offer ?? "", limits });
  return kind === "deny" ? host.call("request_deny", { request: id, reason }) : host.call("request_revoke", { request: id, reason: reason ?? "" });
}

function sentence(kind: Sent, { request }: Row): string {
  return `Your ${kind === "approve" ? "yes" : kind === "deny" ? "no" : "end"} to ${whatText(request)} for ${shortName(request.user)} is sent`;
}

function without<V>(map: ReadonlyMap<string, V>, id: string): ReadonlyMap<string, V> {
  const rest = new Map(map);
  rest.delete(id);
  return rest;
}

export const deciding = new Deciding();
