import { go } from "../desktop/place.svelte";
import * as signin from "../features/signin";
import type { Action } from "../shared/actions";
import { first, last, quit } from "./frame/window";
import { VIEWS } from "./views";

const goes = VIEWS.map((view): Action => ({
  id: `go-${view.id}`, title: view.title, key: { press: `g ${view.key}`, group: "Everywhere" }, run: () => go({ view: view.id }),
}));

/** Everything a person can do here by key or palette. */
export const ACTIONS: readonly Action[] = [
  ...first,
  ...VIEWS.flatMap((view) => view.actions ?? []),
  ...goes,
  ...last,
  ...signin.actions,
  quit,
];
