import type { BeforeView, RequestsView } from "../../bindings/ipc";
import type { Handlers } from "./handlers";
import { ME } from "./requests";
import { failure } from "./sessions";
import type { World } from "./world";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Requests of the person's teams and their word on them. */
export function decisions(world: World) {
  const all = world.requests;
  const ready = async (id: string, said: object, isKept = false) => {
    all.said.push(said);
    await world.pause(120);
    if (world.hubAway && !isKept) throw failure("unreachable", "The hub did not answer within 10 s, so nothing was sent.", { hint: "It is tried again by itself; say it again then.", retry: true });
    const one = all.one(id);
    if (one.own) throw failure("forbidden", "nobody decides on their own request", { hint: "Somebody else who may approve under this profile has to; leave it to take it back." });
    return one;
  };
  return {
    requests_list: async (): Promise<RequestsView> => {
      await world.pause(40);
      if (world.scene === "requestsFail") throw failure("failed", "The requests could not be read: the hub's answer is not one.", { hint: "Tell your admin; the log has it whole.", retry: true });
      const asOf = ["requestsLoading", "requestsMissing"].includes(world.scene) ? null : world.scene === "hubDown" ? Date.now() - 95_000 : Date.now();
      const problems = world.scene === "partial" ? ["AccessRequest payments/ask-7f3k2q could not be read: spec.duration is missing."] : world.scene === "requestsMissing" ? ["payments: not known since 14:02; the hub does not answer for it."] : [];
      return { requests: all.read(), closed: all.closed, asOf, noneToRead: world.scene === "requestsNone", problems };
    },
    request_before: async ({ request: id }): Promise<BeforeView> => {
      await world.pause(90);
      if (all.beforeFails) throw failure("unreachable", "the hub did not answer within 10 s.", { retry: true });
      const { user } = all.list.find((r) => r.id === id) ?? { user: "" };
      if (user.includes("kim")) return { opened: 0, neverOpened: 0, lastAt: null, lastEnded: null, more: false };
      return { opened: 11, neverOpened: 2, lastAt: Date.now() - 9 * DAY, lastEnded: "the requester left", more: false };
    },
    request_approve: async ({ request: id, offer, limits }) => {
      const one = await ready(id, { kind: "approve", request: id, offer, limits });
      if (one.offer?.digest !== offer) throw failure("profileChanged", "the offer is another one by now, and nothing was approved", { hint: "Read what it allows now, then decide." });
      const fresh = Date.now() - (world.state.user?.mfaAt ?? 0) < 5 * MINUTE;
      if (one.cluster.startsWith("vault") && !fresh) throw failure("stepUpNeeded", "The hub wants a fresher second factor of whoever approves this profile.", { retry: true, stepUp: { acr: ["urn:sallyport:mfa"], amr: ["otp"], maxAgeSeconds: 300, message: "Approving on vault clusters wants a second factor within 5 min." } });
      all.approved(id, limits);
      world.log("approve", `Approved ${one.profile} on ${one.cluster} for ${one.user}`);
      return null;
    },
    request_deny: async ({ request: id, reason }) => {
      const one = await ready(id, { kind: "deny", request: id, reason });
      all.ended(id, `denied by ${ME}${reason ? `: ${reason}` : ""}`);
      world.log("deny", `Denied ${one.profile} on ${one.cluster} to ${one.user}`);
      return null;
    },
    request_revoke: async ({ request: id, reason }) => {
      const one = await ready(id, { kind: "revoke", request: id, reason }, true);
      if (!one.mayRevoke) throw failure("forbidden", "this profile may not be revoked by you.", { hint: "Nothing was changed. Ask an admin which group may decide on this profile." });
      if (world.hubAway) {
        all.untold(id, "it did not answer in time");
        return "notYet";
      }
      all.ended(id, `revoked by ${ME}: ${reason}`);
      world.log("revoke", `Ended the access of ${one.user} to ${one.cluster}`);
      return "told";
    },
    request_revoke_drop: async ({ request: id }) => {
      all.said.push({ kind: "drop", request: id });
      await world.pause(120);
      if (all.one(id).closing?.keptSince == null) throw failure("badInput", "there is no end of it that the hub has not heard", { hint: "Look at the request again: the hub has it by now, or it is over." });
      all.change(id, { closing: null });
      return null;
    },
  } satisfies Partial<Handlers>;
}
