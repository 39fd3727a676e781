import { place } from "../../desktop/place.svelte";
import type { Action } from "../../shared/actions";
import { held, holding } from "../holds";
import type { Kind } from "./can";
import { deciding } from "./deciding.svelte";
import { inbox, VIEW } from "./requests.svelte";

const HERE = { group: "Requests", view: VIEW } as const;
const here = () => place.view === VIEW;
// While less is being chosen no other key says anything: all of it is not what was meant.
const choosing = () => deciding.ask !== null && deciding.ask.less !== null;
const can = (kind: Kind) => () => here() && deciding.may[kind] && deciding.ask?.kind !== kind && !choosing();

const move = (by: number) => (inbox.tab === "held" ? held.move(by) : inbox.move(by));

/** From the request that is looked at, where one is. On their own request it is rather the cluster that somebody means. */
export function hold(): void {
  const request = here() ? inbox.current?.request : undefined;
  if (request === undefined) holding.begin();
  else holding.begin({ user: request.own ? "" : request.user, cluster: request.cluster });
}

// Decisions by key or button alone: whoever decides has the offer before their eyes, and no palette over it.
export const actions: readonly Action[] = [
  { id: "nextRequest", title: "Next request", palette: false, key: { ...HERE, press: "J" }, can: here, run: () => move(1) },
  { id: "previousRequest", title: "Previous request", palette: false, key: { ...HERE, press: "K" }, can: here, run: () => move(-1) },
  { id: "approve", title: "Approve the offer on screen", does: "Approve the offer on screen; production asks for Enter", palette: false, key: { ...HERE, press: "A" }, can: can("approve"), run: () => deciding.begin("approve") },
  { id: "less", title: "Approve less of it", does: "Approve less: for a shorter time, in fewer namespaces", palette: false, key: { ...HERE, press: "L" }, can: () => here() && deciding.may.approve && !choosing(), run: () => deciding.beginLess() },
  { id: "deny", title: "Deny it", palette: false, key: { ...HERE, press: "D" }, can: can("deny"), run: () => deciding.begin("deny") },
  { id: "revoke", title: "End what is open", palette: false, key: { ...HERE, press: "R" }, can: can("revoke"), run: () => deciding.begin("revoke") },
  { id: "dropEnd", title: "Drop an end that the hub has not heard", palette: false, key: { ...HERE, press: "U" }, can: () => here() && deciding.may.drop && deciding.ask === null, run: () => deciding.drop() },
  { id: "unsaid", title: "Go back without deciding", palette: false, key: { ...HERE, press: "Esc", inField: true }, can: () => here() && (deciding.ask !== null || held.asks), run: () => (deciding.back(), held.back()) },
  { id: "hold", title: "Hold a person, a cluster or everything", does: "Hold who asks, the cluster, or everything", key: { ...HERE, press: "H" }, can: () => holding.may, run: hold },
];
