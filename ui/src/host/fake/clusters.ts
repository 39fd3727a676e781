import { detail, POSTURE } from "./fleet";
import type { Handlers } from "./handlers";
import { failure } from "./sessions";
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
      const shown = detail(world.cluster(name), world.reason, Date.now(), world.state.defaultSeconds);
      return world.scene.startsWith("posture") ? { ...shown, profiles: [...shown.profiles, POSTURE] } : shown;
    },
    cluster_outlook: async ({ input }) => {
      const now = Date.now();
      const profile = detail(world.cluster(input.cluster), world.reason, now).profiles.find((one) => one.name === input.profile);
      if (!profile) throw failure("forbidden", "you have no such profile");
      const short = (input.durationSeconds ?? 3600) <= 3600;
      const atOnce = profile.opensAtOnce || (profile.autoApprovals.length > 0 && short);
      return {
        atOnce,
        by: atOnce && !profile.opensAtOnce ? "office" : null,
        approvals: profile.approvals,
        changesAt: atOnce && !profile.opensAtOnce ? new Date(now).setHours(23, 59, 0, 0) : null,
        unmet: profile.autoApprovals.length > 0 && !short ? ["office: 2h is longer than 1h"] : [],
        day: profile.maxPerDaySeconds === null ? null : { mostSeconds: profile.maxPerDaySeconds, leftSeconds: 5400, fits: (input.durationSeconds ?? 3600) <= 5400 },
      };
    },
    cluster_pin: ({ name, on }) => {
      world.clusters = world.clusters.map((c) => (c.name === name ? { ...c, pinned: on } : c));
      world.hear({ kind: "clustersChanged" });
      return null;
    },
  } satisfies Partial<Handlers>;
}
