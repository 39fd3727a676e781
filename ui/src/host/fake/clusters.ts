import { detail } from "./fleet";
import type { Handlers } from "./handlers";
import type { World } from "./world";

export function clusters(world: World) {
  return {
    clusters_list: async () => {
      await world.pause(40);
      if (world.scene === "loading") return { clusters: [], asOf: null, problems: [] };
      return { clusters: world.clusters, asOf: Date.now(), problems: world.scene === "partial" ? ["AccessCluster orders-eu-3 could not be read: spec.endpoints is missing."] : [] };
    },
    cluster_detail: async ({ name }) => {
      await world.pause(30);
      return detail(world.cluster(name), world.reason, Date.now());
    },
    cluster_pin: ({ name, on }) => {
      world.clusters = world.clusters.map((c) => (c.name === name ? { ...c, pinned: on } : c));
      world.hear({ kind: "clustersChanged" });
      return null;
    },
  } satisfies Partial<Handlers>;
}
