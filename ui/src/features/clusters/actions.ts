import { attempt } from "../../desktop/notices.svelte";
import { place } from "../../desktop/place.svelte";
import type { Action } from "../../shared/actions";
import { selected } from "./detail.svelte";
import { inventory } from "./inventory.svelte";
import { click, VIEW } from "./opening";

/** What the list and the field over it are marked with: their keys count from inside. */
export const MARK = "data-clusters";

const HERE = { group: "Clusters", view: VIEW } as const;
const LIST = { ...HERE, within: `[${MARK}]` } as const;

const here = () => (place.view === VIEW ? inventory.current() : null);

/** What the pane beside says, or the open session. */
function openSelected(): void {
  const cluster = inventory.current();
  if (!cluster) return;
  const { kind } = inventory.way(cluster);
  // The pane says why; nothing is sent that will be refused.
  if (kind === "held") return;
  if (selected.asking && kind !== "open") void selected.asking.submit();
  else void click(cluster);
}

function asLast(): boolean {
  const cluster = here();
  return cluster !== null && inventory.way(cluster).kind !== "held" && !!selected.asking?.last;
}

export const actions: readonly Action[] = [
  {
    id: "open", title: () => `Open ${here()?.name ?? "the selected cluster"}`, does: "Open the selected cluster", palette: false,
    key: { ...LIST, press: "Enter", inField: true }, can: () => here() !== null, run: openSelected,
  },
  {
    id: "asLast", title: () => `Open ${here()?.name ?? "it"} as last time`, does: "Open it as last time",
    key: { ...LIST, press: "R" }, can: () => asLast(), run: () => void selected.asking?.submitLast(),
  },
  {
    id: "pin", title: () => `${here()?.pinned ? "Unpin" : "Pin"} ${here()?.name ?? "it"}`, does: "Pin or unpin it",
    key: { ...LIST, press: "P" }, can: () => here() !== null, run: () => { const cluster = here(); if (cluster) void attempt(inventory.pin(cluster)); },
  },
];
