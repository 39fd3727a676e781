/** Where the person is: the view, and what is selected in each. */
export interface Where {
  /** The id of a view in `views/views.ts`. */
  readonly view: string;
  readonly cluster: string | null;
  /** The request looked at, by its UID. */
  readonly request: string | null;
  /** What is looked at of who can ask for what. */
  readonly reach: string | null;
  /** The session shown, and its terminal; without one, its first or the one that is being started. */
  readonly session: string | null;
  readonly terminal: string | null;
  /** The session whose entries alone are shown. */
  readonly entriesOf: string | null;
  /** The hub wants a reason for opening the selected cluster: the field for it waits for words. */
  readonly reasonWanted: boolean;
}

export const START: Where = { view: "clusters", cluster: null, request: null, reach: null, session: null, terminal: null, entriesOf: null, reasonWanted: false };

/** Where one is after going somewhere: what is not named stays, but for what belonged to what was selected before. */
export function moved(from: Where, to: Partial<Where>): Where {
  const elsewhere = to.cluster !== undefined && to.cluster !== from.cluster;
  const session = to.session !== undefined && to.session !== from.session;
  return {
    ...from,
    ...(elsewhere ? { reasonWanted: false } : {}),
    ...(session ? { terminal: null } : {}),
    ...to,
  };
}

class Place implements Where {
  #at = $state.raw<Where>(START);
  readonly view = $derived(this.#at.view);
  readonly cluster = $derived(this.#at.cluster);
  readonly request = $derived(this.#at.request);
  readonly reach = $derived(this.#at.reach);
  readonly session = $derived(this.#at.session);
  readonly terminal = $derived(this.#at.terminal);
  readonly entriesOf = $derived(this.#at.entriesOf);
  readonly reasonWanted = $derived(this.#at.reasonWanted);

  static go(place: Place, to: Partial<Where>): void {
    place.#at = moved(place.#at, to);
  }
}

const here = new Place();
export const place: Where = here;

/** Goes to a view or selects something: the only way to be elsewhere. */
export function go(to: Partial<Where>): void {
  Place.go(here, to);
}
