import Server from "@lucide/svelte/icons/server";
import type { ClusterView } from "../../bindings/ipc";
import type { Found } from "../../shared/found";
import { inventory } from "./inventory.svelte";
import { click } from "./opening";
import { wayText } from "./ways";

const MOST = 40;
const USUAL = 8;

function one(cluster: ClusterView): Found {
  return {
    id: `c:${cluster.name}`, group: "Clusters", icon: Server, title: cluster.name, note: wayText(inventory.way(cluster)),
    badge: { kind: cluster.environment, word: cluster.environmentWord }, facts: [cluster.provider, cluster.region].filter(Boolean).join(" · "),
    run: () => void click(cluster),
  };
}

/** The clusters that a query finds, as the list ranks them; without one, those that are pinned or were used. */
export function found(query: string): Found[] {
  if (query.trim() !== "") return inventory.search(query, MOST).map(one);
  const usual = inventory.clusters.filter((c) => c.pinned || c.lastUsed !== null);
  return usual.sort((a, b) => Number(b.pinned) - Number(a.pinned) || (b.lastUsed ?? 0) - (a.lastUsed ?? 0)).slice(0, USUAL).map(one);
}
