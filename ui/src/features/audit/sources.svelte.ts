import type { ErrorView, SourceState, SourcesView, StoreDraft } from "../../bindings/ipc";
import { List } from "../../desktop/list.svelte";
import { asError, host } from "../../host";
import { count, number } from "../../shared/text";

/** Where the clusters' audit events come from. */
class Sources {
  #list = new List<SourcesView>("evidenceChanged", () => host.call("audit_sources"));
  refused = $state.raw<ErrorView | null>(null);
  busy = $state(false);

  get view(): SourcesView | null {
    return this.#list.value;
  }

  get error(): ErrorView | null {
    return this.#list.error;
  }

  /** Fetched now and whenever it is another, for as long as the component that calls this is there. */
  follow(): void {
    this.#list.follow();
  }

  load(): Promise<void> {
    return this.#list.load();
  }

  add(cluster: string, path: string): Promise<boolean> {
    return this.#do(() => host.call("audit_source_add", { cluster, path }));
  }

  addStore(store: StoreDraft): Promise<boolean> {
    return this.#do(() => host.call("audit_store_add", { store }));
  }

  remove(source: string): Promise<boolean> {
    return this.#do(() => host.call("audit_source_remove", { source }));
  }

  read(source: string | null): Promise<boolean> {
    return this.#do(() => host.call("audit_source_read", { source }));
  }

  stop(): Promise<boolean> {
    return this.#do(() => host.call("audit_source_stop"));
  }

  keep(days: number | null, bytes: number): Promise<boolean> {
    return this.#do(() => host.call("audit_keep", { days, bytes }));
  }

  async #do(what: () => Promise<unknown>): Promise<boolean> {
    this.busy = true;
    try {
      await what();
      this.refused = null;
    } catch (thrown) {
      this.refused = asError(thrown);
    }
    this.busy = false;
    await this.load();
    return this.refused === null;
  }

  forget(): void {
    this.#list.forget();
    this.refused = null;
  }
}

export const sources = new Sources();

/** What a source does, since when, in words, and how it is to be taken. */
export function stateWords(state: SourceState, isStore = false): { at: number | null; words: string; tone: "" | "wt" | "dg" | "ok" } {
  switch (state.kind) {
    case "idle":
      return { at: null, words: isStore ? "not asked since Sallyport started" : "not read since Sallyport started", tone: "" };
    case "reading":
      return { at: null, words: `reading, ${state.files} of ${count(state.of, "file")}`, tone: "ok" };
    case "failed":
      return { at: state.at, words: state.why, tone: "dg" };
    case "answered": {
      const parts = [`${count(state.records, "new record")} in ${number(state.tookMs)} ms`];
      if (state.bad > 0) parts.push(`${count(state.bad, "record")} could not be read`);
      if (state.foreign > 0) parts.push(`${count(state.foreign, "record")} of another kind or cluster, or twice`);
      return { at: state.at, words: parts.join(" · "), tone: state.bad > 0 ? "wt" : "" };
    }
    case "read": {
      const left = state.bad + state.leftCount;
      const parts = [state.events === 0 ? "nothing new" : `${count(state.events, "new event")}`];
      if (state.bad > 0) parts.push(`${count(state.bad, "line")} could not be read`);
      if (state.foreign > 0) parts.push(`${count(state.foreign, "record")} of another kind`);
      if (state.leftCount > 0) parts.push(`${count(state.leftCount, "thing")} left out`);
      return { at: state.at, words: parts.join(" · "), tone: left > 0 ? "wt" : "" };
    }
  }
}
