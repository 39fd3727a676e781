import type { DriftLine, ProfileDifference, ProfileDraft, ProfileLook, ProfileProblem, RulesDifference } from "../../bindings/ipc";
import { DEBUG, OPERATE } from "./fleet";
import type { Handlers } from "./handlers";
import { failure } from "./sessions";
import type { World } from "./world";

const OPERATE_TEXT = `apiVersion: access.sallyport.dev/v1alpha1
kind: AccessProfile
metadata:
  name: operate
spec:
  approvals: 2
  clusters:
  - "*"
  maxDuration: 1h
  mfa:
    acr:
    - urn:sallyport:mfa
    maxAge: 1h
  namespaces:
  - payments
  - checkout
  roles:
  - sallyport:operate`;
const LONG = "a-profile-with-a-name-that-nobody-would-want-to-read-twice-in-a-row";

/** Profiles as text: read, looked at as a change, and applied. */
export function profiles(world: World) {
  let base = "";
  let name = "operate";
  let isNew = false;
  let read = 0;
  return {
    profile_names: async () => {
      await world.pause(60);
      if (world.scene === "profileNoNames") throw failure("forbidden", "the hub: accessprofiles.access.sallyport.dev is forbidden: User \"oidc:dev@example.test\" cannot list resource \"accessprofiles\"", { hint: "Your groups do not allow this; ask your admin." });
      return ["break-glass", "debug", "operate", "view", LONG, ...(world.scene === "profileMany" ? Array.from({ length: 300 }, (_, i) => `profile-${i}`) : [])].sort();
    },
    profile_text: async ({ name: wanted, new: fresh }): Promise<ProfileDraft> => {
      await world.pause(80);
      if (world.scene === "profileLoading") return new Promise(() => {});
      if (world.scene === "profileUnreadable") throw failure("forbidden", "the hub: accessprofiles.access.sallyport.dev \"operate\" is forbidden", { hint: "Your groups do not allow this; ask your admin." });
      if (wanted === "view") throw failure("badInput", "there is no profile view on this hub any more", { hint: "Look again who can ask for what, or make a new one." });
      read += 1;
      [name, isNew] = [wanted ?? "new-profile", fresh];
      base = fresh && wanted === null ? OPERATE_TEXT.replace("name: operate", "# Who may ask is RBAC on this name.\n  name: new-profile") : OPERATE_TEXT.replace("name: operate", `name: ${fresh ? `${name}-copy` : name}`);
      const lacks = world.scene === "profileNoRights" ? { what: `update accessprofiles.access.sallyport.dev/${name}`, givenBy: "sallyport:profile-editor" } : null;
      const remarks = world.scene === "profileKept" ? ["You may ask for this profile yourself, and the hub takes no change of a profile from whoever may: somebody else has to apply it.", "It is kept by Argo CD (argocd.argoproj.io/tracking-id: hub:access/profiles): its next sync may undo what is changed here. Copy the text into a pull request instead."] : [];
      return { name: fresh ? null : name, lines: base.split("\n"), lacks, remarks };
    },
    profile_look: async ({ text, again }): Promise<ProfileLook> => {
      await world.pause(120);
      if (world.scene === "profileTimesOut" || world.scene === "profileLooking") {
        if (world.scene === "profileLooking") return new Promise(() => {});
        throw failure("unreachable", "the hub did not say whether it would take this: it did not answer in time", { hint: "Nothing was changed, and the text is as you wrote it. Look at the change again.", retry: true });
      }
      const look: ProfileLook = { digest: "", name, isNew, verdict: { kind: "taken" }, problems: [], difference: null };
      const problems = wrong(text);
      if (problems.length > 0) return { ...look, verdict: { kind: "wrong" }, problems };
      if (!again && world.scene === "profileConflict") return { ...look, verdict: { kind: "changed" } };
      if (world.scene === "profileGone") return { ...look, verdict: { kind: "gone" } };
      if (text.trim() === base.trim()) return { ...look, verdict: { kind: "same" } };
      const difference = differs(world.scene, isNew);
      if (world.scene === "profileNoRights") return { ...look, difference, verdict: { kind: "refused", why: `accessprofiles.access.sallyport.dev "${name}" is forbidden: User "oidc:dev@example.test" cannot update resource "accessprofiles" in API group "access.sallyport.dev" at the cluster scope` } };
      if (world.scene === "profileKept") return { ...look, difference, verdict: { kind: "refused", why: `oidc:dev@example.test may ask under profile ${name} and so may not edit it` } };
      return { ...look, difference, digest: `look-${read}-${text.length}` };
    },
    profile_apply: async ({ digest }) => {
      await world.pause(100);
      if (!digest.startsWith("look-")) throw failure("badInput", "this is not the change that was looked at last; nothing was applied", { hint: "Look at the change again, then apply what you see." });
      if (world.scene === "profileRace") throw failure("profileChanged", `somebody else changed profile ${name} since you looked, so nothing was applied`, { hint: "Look again: your text is compared with the profile as it is now." });
      world.log("profile_changed", `Changed profile ${name}: wants 1 approval instead of 2`);
      return null;
    },
  } satisfies Partial<Handlers>;
}

/** As far as a fake says it: the hub and the desktop know more. */
function wrong(text: string): ProfileProblem[] {
  const lines = text.split("\n");
  const at = (part: string, why: string): ProfileProblem[] => lines.flatMap((line, i) => (line.includes(part) ? [{ line: i + 1, text: why }] : []));
  return [
    ...at("kind: Secret", "kind is \"Secret\", and a profile has AccessProfile"),
    ...at("approvals: many", "spec.approvals: Invalid value: \"string\": spec.approvals in body must be of type integer: \"string\""),
    ...at("approvalz", "spec.approvalz: the hub knows no field spec.approvalz"),
    ...at("\u202e", "there is a character here that nobody sees, U+202E; take it out"),
  ];
}

const line = (way: DriftLine["way"], about: string, text: string): DriftLine => ({ way, about, text });

function differs(scene: string, isNew: boolean): ProfileDifference {
  const rules = (over: Partial<RulesDifference>): RulesDifference => ({ way: "wider", clusters: ["payments-eu-1"], covered: true, wasCovered: true, dangers: [], warnings: [], gained: [], lost: [], unknown: null, ...over });
  const inNs = (list: typeof OPERATE, namespaces: string[]) => list.map((right) => ({ ...right, namespaces }));
  const many = Array.from({ length: 90 }, (_, i) => `cluster-prod-${i}`);
  const base: ProfileDifference = {
    conditions: [line("wider", "profile operate", "wants 1 approval instead of 2"), line("wider", "profile operate", "holds in payments, checkout, mail instead of in payments, checkout"), line("narrower", "profile operate", "wants of a sign-in: acr urn:sallyport:mfa, at most 15 min old; before: acr urn:sallyport:mfa, at most 60 min old")],
    peopleKnown: true,
    rulesKnown: true,
    people: [line("wider", "group oidc:payments-dev", "may now ask for it on mail-eu-1"), line("wider", "group oidc:on-call", "is let in at once by on-call (groups oidc:on-call), if they may ask"), line("narrower", "group oidc:checkout-dev", "may no longer ask for it on checkout-stage")],
    rules: [
      rules({ clusters: ["checkout-eu-2", "payments-eu-1"], gained: inNs(OPERATE, ["mail"]), warnings: ["Workloads can be changed, their images included: what was changed goes on to run on after the session, with the rights, Secrets and data that the workload has."] }),
      rules({ way: "other", clusters: ["legacy-eu-9"], unknown: "what ClusterRole sallyport:operate allows: its broker has not reported what profiles allow there" }),
      rules({ way: "narrower", clusters: ["checkout-stage"], covered: false, lost: inNs(DEBUG, ["payments", "checkout"]) }),
    ],
    standing: ["3 requests that are not open yet are closed by their brokers, and have to be made again: oidc:dana@example.test on payments-eu-1, oidc:kim@example.test on checkout-eu-2, oidc:lin@example.test on payments-eu-1.", "1 session is open under it: oidc:lee@example.test on payments-eu-1. What is open goes on until its end with what it was given; more time is asked for under the changed profile. Who may end it does that in Requests.", "You may not read the requests of team-platform: what waits and is open there is not counted, and the same becomes of it."],
    unknown: [],
  };
  if (isNew) return { ...base, standing: [], unknown: ["Nobody but system:masters may ask for it: bind the verb request on accessprofiles, for the name new-profile, to a group."], people: [], conditions: [line("wider", "profile new-profile", "is new, for clusters *"), line("wider", "profile new-profile", "binds sallyport:operate in payments, checkout"), line("wider", "profile new-profile", "wants 2 approvals")], rules: [rules({ clusters: many.slice(0, 12), wasCovered: false, gained: inNs(OPERATE, ["payments", "checkout"]) })] };
  if (scene === "profileDanger") return { ...base, rules: [rules({ dangers: ["role cluster-admin allows `*` on `*`: writing roles with more rights than one holds", "role cluster-admin allows `*` on `*`: minting tokens that outlive the session"], gained: inNs(OPERATE, []), clusters: many }), ...base.rules] };
  if (scene === "profileMany") return { ...base, rules: [rules({ clusters: many, gained: inNs(OPERATE, ["mail"]) })], people: Array.from({ length: 120 }, (_, i) => line("wider", `group oidc:some-group-of-people-${i}`, "may now ask for it on cluster-prod-0, cluster-prod-1, cluster-prod-2, cluster-prod-3 and 86 more")) };
  if (scene === "profileUnknown") return { ...base, people: [], rules: [], peopleKnown: false, rulesKnown: false, unknown: ["On which clusters it allows what is not known: accessclusters.access.sallyport.dev is forbidden.", "Whom it reaches is not known: you may not list clusterroles.rbac.authorization.k8s.io, clusterrolebindings.rbac.authorization.k8s.io. The ClusterRole sallyport:hub-auditor gives that."] };
  return base;
}
