import type { Handlers } from "./handlers";
import type { World } from "./world";

export function audit(world: World) {
  return {
    audit_page: async ({ filter, before, limit }) => {
      await world.pause(30);
      return world.history.page(filter, before, limit);
    },
    audit_verify: async () => {
      await world.pause(400);
      const entries = world.history.entries.length;
      if (world.scene === "tampered") return { verdict: "broken", entries: 812, gaps: 58, firstBad: 813, why: "Entry 813 was edited after it was written: its link does not match.", ms: 41, at: Date.now() };
      return { verdict: "verified", entries, gaps: world.history.entries.filter((e) => e.gap).length, firstBad: null, why: null, ms: 41, at: Date.now() };
    },
  } satisfies Partial<Handlers>;
}
