import type { ClusterView } from "../../bindings/ipc";
import { fail } from "../../desktop/notices.svelte";
import { go } from "../../desktop/place.svelte";
import { open, show } from "../sessions";
import { inventory } from "./inventory.svelte";

/** The id of the view of the clusters. */
export const VIEW = "clusters";

/** One click on a cluster: shows its session, opens it, or shows what has to be asked for. */
export async function click(cluster: ClusterView): Promise<void> {
  const way = inventory.way(cluster);
  if (way.kind === "open") return show(way.session);
  go({ cluster: cluster.name });
  if (way.kind !== "oneClick") return go({ view: VIEW });
  const error = await open({ cluster: cluster.name });
  fail(error);
  if (error?.code === "profileChanged") void inventory.load();
}
