import type { HoldView } from "../../bindings/ipc";
import { ME } from "./requests";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A hold; nobody removes one on themselves. */
export function hold(over: Partial<HoldView> & Pick<HoldView, "id" | "on" | "since" | "until">): HoldView {
  const mine = over.on === "user" && over.name === ME;
  return { name: "", by: "oidc:lead@example.test", reason: "INC-4402", onMe: mine || over.on === "everything", mayRemove: !mine, ...over };
}

/** What a scene begins with. */
export function holdsOf(scene: string, now: number): HoldView[] {
  const lasts = (since: number, until: number) => ({ since: now - since, until: now + until });
  const person = hold({ id: "h-person", on: "user", name: "oidc:dana@example.test", reason: "Her laptop was stolen at the station", ...lasts(20 * MINUTE, 7 * HOUR) });
  const cluster = hold({ id: "h-cluster", on: "cluster", name: "checkout-eu-2", reason: "Change freeze while the database moves, see CHG-118", by: "oidc:dba@example.test", ...lasts(3 * HOUR, 50 * MINUTE) });
  const mine = hold({ id: "h-me", on: "user", name: ME, reason: "Your token was seen in a build log; call the security desk", by: "oidc:security@example.test", ...lasts(5 * MINUTE, 3 * HOUR) });
  const all = hold({ id: "h-all", on: "everything", reason: "Intrusion drill", by: "oidc:security@example.test", ...lasts(2 * MINUTE, 55 * MINUTE) });
  const long = hold({ id: "h-long", on: "user", name: "oidc:<b>somebody</b>\u202e.with.a.very.long.name.indeed.that.goes.on.and.on@departments.platform-engineering.example.test", reason: `Because ${"of one thing and of another, ".repeat(12)}and so on.`, by: "oidc:another.person.with.a.long.name@departments.platform-engineering.example.test", ...lasts(26 * HOUR, 5 * 24 * HOUR) });
  switch (scene) {
    case "holds": case "mayNotHold": case "holdFails": return [person, cluster, long].map((one) => ({ ...one, mayRemove: scene !== "mayNotHold" }));
    case "requestsEnded": return [person];
    case "heldMe": return [mine, cluster];
    case "heldAll": return [all, mine];
    case "holdsMany": return Array.from({ length: 400 }, (_, i) => hold({ id: `h-${i}`, on: i % 3 ? "user" : "cluster", name: i % 3 ? `oidc:person-${i}@example.test` : `payments-eu-${i}`, ...lasts(i * MINUTE, (400 - i) * MINUTE) }));
    default: return [];
  }
}
