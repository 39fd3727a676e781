import type { Handlers } from "./handlers";
import { hold } from "./held";
import { ME } from "./requests";
import { failure } from "./sessions";
import type { World } from "./world";

const MINUTE = 60_000;

/** Making and removing holds, and what they end. */
export function holds(world: World) {
  const ready = async (sofar: string) => {
    await world.pause(120);
    if (world.scene === "holdFails") throw failure("unreachable", `The hub did not answer within 10 s, ${sofar}.`, { hint: "Try again; nothing was changed.", retry: true });
    if (!world.state.mayHold) throw failure("forbidden", "you may not hold.", { hint: "Nothing was changed. Ask an admin of the hub." });
  };
  return {
    hold_create: async ({ hold: { on, name, minutes, reason } }) => {
      world.held.push({ on, name, minutes, reason });
      await ready("so nothing was held");
      const now = Date.now();
      const made = hold({ id: `h-${world.held.length}`, on, name, reason, by: ME, since: now, until: now + minutes * MINUTE });
      world.change({ holds: [made, ...world.state.holds] });
      const { requests } = world;
      for (const { id } of requests.list.filter((r) => on === "everything" || (on === "user" ? r.user === name : r.cluster === name))) requests.ended(id, `held by ${ME}: ${reason}`);
      world.log("hold", `Held ${name || "everything"}`);
      return null;
    },
    hold_remove: async ({ hold: id }) => {
      world.held.push({ remove: id });
      await ready("so the hold stands");
      const found = world.state.holds.find((one) => one.id === id);
      if (!found) throw failure("badInput", "this hold is over already");
      if (!found.mayRemove) throw failure("forbidden", "nobody removes a hold on themselves");
      world.change({ holds: world.state.holds.filter((one) => one.id !== id) });
      world.log("hold_removed", `Removed the hold on ${found.name || "everything"}`);
      return null;
    },
  } satisfies Partial<Handlers>;
}
