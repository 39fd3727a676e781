import type { HoldView } from "../bindings/ipc";
import { mirror } from "./mirror.svelte";

/** The holds that stand at `now`, the newest first: an end that has come need not be told to be one. */
export function standing(now: number): readonly HoldView[] {
  return (mirror.state?.holds ?? []).filter((hold) => hold.until > now);
}

/** What holds this person, by name or with everything, the one that ends last first. */
export function onMe(now: number): readonly HoldView[] {
  return lastFirst(standing(now).filter((hold) => hold.onMe));
}

/** What keeps this person from a cluster for longest; none: nothing does. */
export function keepsFrom(cluster: string, now: number): HoldView | null {
  return lastFirst(standing(now).filter((hold) => hold.onMe || (hold.on === "cluster" && hold.name === cluster)))[0] ?? null;
}

function lastFirst(holds: HoldView[]): HoldView[] {
  return holds.sort((a, b) => b.until - a.until);
}
