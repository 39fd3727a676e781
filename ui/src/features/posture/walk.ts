import { tick } from "svelte";
import { posture, type Tab } from "./posture.svelte";

/** The list of each tab, by its id; the fleet has two. */
const LISTS: Record<Exclude<Tab, "fleet">, string> = { findings: "findings", changed: "changed", exceptions: "exceptions", who: "who" };
export const PANE = "posture-pane";

/** Goes to the list that what is looked at is of; where it is empty, to its tab. */
export async function toList(): Promise<void> {
  // What was just emptied of a search comes first.
  await tick();
  const { tab, root } = posture;
  const id = tab !== "fleet" ? LISTS[tab] : root?.kind === "weakness" ? "first" : "posture";
  const list = document.getElementById(id) ?? document.getElementById("posture");
  const practice = tab === "fleet" && root?.kind === "practice" ? document.querySelector<HTMLElement>(`[data-practice="${root.number}"]`) : null;
  (practice ?? list ?? document.querySelector<HTMLElement>("#posture-tabs [aria-pressed=true]"))?.focus();
}

/** Shows the next list; whoever stands on the tabs with the keyboard stands in it then. */
export async function nextList(): Promise<void> {
  const onTabs = document.activeElement?.closest("#posture-tabs") ?? null;
  posture.next();
  await tick();
  if (onTabs !== null && onTabs.contains(document.activeElement)) await toList();
}

/** Goes to what is looked at, to read on in it. */
export function toPane(): void {
  document.getElementById(PANE)?.focus();
}

/** Enter in a list leads to what is looked at beside it; true: it did. */
export function enters(event: KeyboardEvent): boolean {
  if (event.key !== "Enter" || event.target !== event.currentTarget || event.ctrlKey || event.altKey || event.metaKey) return false;
  toPane();
  event.preventDefault();
  return true;
}
