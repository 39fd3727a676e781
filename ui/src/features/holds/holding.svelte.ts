import type { RequestView, RequestsView } from "../../bindings/ipc";
import { openDialog } from "../../desktop/dialogs.svelte";
import { List } from "../../desktop/list.svelte";
import { mirror } from "../../desktop/mirror.svelte";
import { host } from "../../host";

/** What a hold is begun from; empty: from nothing. */
export interface Subject {
  readonly user: string;
  readonly cluster: string;
}

const NOBODY: Subject = { user: "", cluster: "" };

/** What the dialog of a new hold begins with, and what it would end. */
class Holding {
  #subject = $state.raw<Subject>(NOBODY);
  // Its own: whoever holds in a hurry may not have looked at the requests yet.
  readonly #requests = new List<RequestsView>("requestsChanged", () => host.call("requests_list"));

  /** None: not known yet. */
  readonly requests = $derived<readonly RequestView[] | null>(this.#requests.value?.requests ?? null);
  /** All teams were heard of. */
  readonly whole = $derived((this.#requests.value?.asOf ?? null) !== null && this.#requests.value?.problems.length === 0);
  readonly may = $derived(mirror.state?.mayHold ?? false);

  get subject(): Subject {
    return this.#subject;
  }

  /** Kept fresh for as long as the component that calls this is there. */
  follow(): void {
    this.#requests.follow();
  }

  /** Asks what to hold. */
  begin(subject: Subject = NOBODY): void {
    this.#subject = subject;
    openDialog("hold");
  }

  /** Forgets what belongs to whoever was signed in. */
  forget(): void {
    this.#subject = NOBODY;
    this.#requests.forget();
  }
}

export const holding = new Holding();
