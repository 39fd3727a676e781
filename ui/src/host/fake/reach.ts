import type { DriftLine, EnvironmentKind, GuardrailProof, Right, WhoCanView, WhoCluster, WhoMay, WhoProfile, WhoRights, WhoSubject } from "../../bindings/ipc";
import { DEBUG, dice, OPERATE } from "./fleet";
import type { Handlers } from "./handlers";
import { failure } from "./sessions";
import type { World } from "./world";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const TEAMS = ["team-checkout", "team-payments", "team-platform"];

/** Who can ask for what, and what was marked as seen. */
export function reach(world: World) {
  let seen: string | null = null;
  let looks = 0;
  return {
    who_can: async (): Promise<WhoCanView> => {
      await world.pause(120);
      looks += 1;
      const { scene } = world;
      const now = Date.now();
      if (scene === "reachLoading") return new Promise(() => {});
      if (scene === "reachFail") throw failure("unreachable", "the hub: it did not answer in time", { hint: "The hub is slow or does not answer; try again.", retry: true });
      if (scene === "reachNoRights") return { ...nothing(now), missing: ["clusterroles", "clusterrolebindings", "roles", "rolebindings"].map((what) => ({ what: `list ${what}.rbac.authorization.k8s.io`, givenBy: "sallyport:hub-auditor" })) };
      if (scene === "reachEmpty") return { ...nothing(now), notes: NOTES, hub: asShipped(now), drift: null };
      const view = scene === "reachMany" ? many(now) : some(now, scene === "reachPartial");
      const digest = `${scene}-1`;
      const lines = scene === "reachSeen" || seen === digest ? [] : scene === "reachMany" ? Array.from({ length: 300 }, (_, i): DriftLine => ({ way: "wider", about: `group oidc:some-group-of-people-${i}`, text: "may now ask for profile-7" })) : DRIFT;
      const drift = scene === "reachFirst" && seen === null ? null : { since: seen === digest ? now : now - 4 * DAY, lines, more: scene === "reachMany" && lines.length > 0 ? 700 : 0 };
      return { ...view, digest, drift };
    },
    who_can_seen: async ({ digest }) => {
      await world.pause(40);
      if (world.scene === "reachStale" || looks === 0) throw failure("badInput", "this is not what was read last, so it was not marked as seen", { hint: "Look again, then mark what you see." });
      seen = digest;
      return null;
    },
  } satisfies Partial<Handlers>;
}

const NOTES = [
  "Whoever is in the group system:masters passes everything on the hub, whatever is bound: its API server asks nobody about them.",
  "Somebody in several groups may do what all of them may: one may bring the profile, and another the team.",
  "2 of the hub's bindings name a role that does not exist, and give nothing until somebody makes one of that name: old-oncall (of sallyport:oncall), legacy (of legacy-view)",
];

const DRIFT: DriftLine[] = [
  { way: "wider", about: "group oidc:payments-dev", text: "may now approve operate" },
  { way: "wider", about: "profile operate", text: "wants 1 approval instead of 2" },
  { way: "wider", about: "debug on checkout-stage, sandbox-12 and 3 more", text: "allows more: Run commands in pods: create, get pods/exec" },
  { way: "other", about: "view on mail-eu-1", text: "what it allows is known now" },
  { way: "narrower", about: "group oidc:on-call", text: "may no longer ask for break-glass" },
  { way: "narrower", about: "cluster ledger-eu-0", text: "is gone" },
];

function nothing(asOf: number): WhoCanView {
  return { asOf, digest: "nothing", missing: [], profiles: [], clusters: [], rights: [], teams: [], bindings: [], subjects: [], hub: { kind: "unknown", why: "it was not read" }, notes: [], problems: [], drift: null };
}

const asShipped = (at: number): GuardrailProof => ({ kind: "asShipped", at, detail: "14 policies compared from this desktop with what this version ships; nobody has seen them refuse" });
const inForce = (now: number): GuardrailProof => ({ kind: "inForce", at: now - 9 * DAY, detail: "21 policies as shipped, 3 probes refused, by kube-apiserver at 10.4.0.1:6443" });

const profile = (name: string, approvals: number, namespaces: string[], over: Partial<WhoProfile> = {}): WhoProfile => ({ name, approvals, autoApprovals: [], maxPerDaySeconds: null, maxDurationSeconds: 3600, namespaces, mfa: ["acr urn:sallyport:mfa", "at most 15 min old"], reasonRequired: true, ...over });
const rights = (list: readonly Right[], namespaces: string[], over: Partial<WhoRights> = {}): WhoRights => ({ dangers: [], warnings: [], rights: list.map((r) => ({ ...r, namespaces })).sort((a, b) => Number(b.writes) - Number(a.writes)), rules: list.length * 3, ...over });

const LONG = "a-profile-with-a-name-that-nobody-would-want-to-read-twice-in-a-row";
const PROFILES = [
  profile("break-glass", 2, [], { maxDurationSeconds: 1800 }),
  profile("debug", 0, ["payments", "checkout"], { mfa: ["at most 8 h old"] }),
  profile("operate", 1, ["payments", "checkout"]),
  profile("view", 0, [], { maxDurationSeconds: 28_800, mfa: [], reasonRequired: false }),
  profile(LONG, 3, Array.from({ length: 40 }, (_, i) => `namespace-number-${i}`)),
];
const WARNED = "Workloads can be changed, their images included: what was changed goes on to run on after the session, with the rights, Secrets and data that the workload has.";
const RIGHTS = [
  rights(OPERATE, ["payments", "checkout"], { warnings: [WARNED] }),
  rights(DEBUG, ["payments", "checkout"]),
  rights(DEBUG.slice(0, 2), []),
  rights(OPERATE, [], { dangers: ["role cluster-admin allows `*` on `*`: writing roles with more rights than one holds", "role cluster-admin allows `*` on `*`: minting tokens that outlive the session"], warnings: [WARNED] }),
];
/** Which rights a profile has. */
const SET = [3, 1, 0, 2, 0];

function some(now: number, partial: boolean): WhoCanView {
  const cluster = (name: string, word: string, profiles: number[], over: Partial<WhoCluster> = {}): WhoCluster => ({
    name, environment: word === "prod" || word === "stage" || word === "dev" ? word : "other", environmentWord: word, silent: false, guardrails: inForce(now),
    profiles: profiles.map((at) => (partial ? { profile: at, rights: null, unknown: "what profiles allow could not be read: accesspreviews.access.sallyport.dev is forbidden", refused: null } : { profile: at, rights: SET[at] ?? 0, unknown: null, refused: at === 0 ? "role cluster-admin allows `*` on `*`: writing roles with more rights than one holds" : null })),
    ...over,
  });
  const clusters = [
    cluster("a-cluster-with-a-name-that-is-as-long-as-a-name-may-ever-get-0", "acceptance", [2, 4]),
    cluster("checkout-eu-2", "prod", [0, 2, 3]),
    cluster("checkout-stage", "stage", [1, 2, 3]),
    cluster("hostile-1\u202e", "dev", [1, 3], { guardrails: { kind: "notInForce", at: now - 40 * MINUTE, detail: "ValidatingAdmissionPolicy sessions-reach.sallyport.dev differs from what was shipped at spec.validations[3]; <img src=x onerror=alert(1)>" } }),
    cluster("legacy-eu-9", "prod", [3], { silent: true, guardrails: { kind: "unknown", why: "its broker has not reported on them" }, profiles: [{ profile: 3, rights: null, unknown: "its broker has not reported what profiles allow here", refused: null }] }),
    cluster("mail-eu-1", "prod", [2, 3], { silent: true, guardrails: { kind: "unknown", why: "its broker has been silent for 47 min; it last said in force" } }),
    cluster("payments-eu-1", "prod", [0, 2, 3]),
    cluster("sandbox-12", "dev", [1, 3]),
    cluster("unused-eu-1", "other", []),
  ];
  const bindings = ["ClusterRoleBinding sallyport:ask of ClusterRole sallyport:ask", "ClusterRoleBinding sallyport:approve of ClusterRole sallyport:approve", "ClusterRoleBinding cluster-admin of ClusterRole cluster-admin", `ClusterRoleBinding ${"on-and-on-".repeat(8)} of ClusterRole everything`];
  const may = (at: number, verbs: string, by = verbs.includes("a") && !verbs.includes("r") ? [1] : [0]): WhoMay => ({ profile: at, request: verbs.includes("r"), approve: verbs.includes("a"), revoke: verbs.includes("e"), by });
  const group = (name: string, may: WhoMay[], asksIn: number[], decidesIn = asksIn): WhoSubject => ({ kind: "group", name, may, asksIn, decidesIn });
  const subjects = [
    group("oidc:<b>a\u2066b</b>", [may(3, "r")], []),
    group("oidc:checkout-dev", [may(1, "r"), may(2, "r"), may(3, "r")], [0]),
    group("oidc:on-call", [may(0, "r"), may(2, "r"), may(3, "r")], []),
    group("oidc:payments-dev", [may(1, "r"), may(2, "ra", [0, 1]), may(3, "r")], [1]),
    group("oidc:payments-leads", [may(0, "a"), may(1, "re"), may(2, "rae", [0, 1]), may(3, "r")], [1]),
    group("oidc:somebody.with.a.very.long.group.name.indeed.that.goes.on.and.on.at.departments.platform-engineering", [may(4, "rae", [3])], [2]),
    group("system:masters", PROFILES.map((_, at) => may(at, "rae", [2])), [0, 1, 2]),
    { ...group("oidc:ana@example.test", [may(0, "a")], [1]), kind: "user" as const },
    { ...group("ci/deployer", [may(1, "r")], [1]), kind: "serviceAccount" as const },
  ];
  const problems = partial ? ["what profiles allow on clusters could not be read: accesspreviews.access.sallyport.dev is forbidden: User \"oidc:dev@example.test\" cannot list resource \"accesspreviews\"", "AccessProfile `odd`: spec.maxDuration is no duration"] : [];
  const hub: GuardrailProof = partial ? { kind: "unknown", why: "its policies could not be read: forbidden; the ClusterRole sallyport:hub-auditor gives the right to" } : asShipped(now);
  return { ...nothing(now), profiles: PROFILES, clusters, rights: partial ? [] : RIGHTS, teams: TEAMS, bindings, subjects, hub, notes: NOTES, problems };
}

/** 400 groups, 50 profiles, 90 clusters. */
function many(now: number): WhoCanView {
  const roll = dice(5);
  const profiles = Array.from({ length: 50 }, (_, i) => profile(`profile-${i}`, i % 3, ["payments"]));
  const clusters = Array.from({ length: 90 }, (_, i): WhoCluster => {
    const word = (["prod", "stage", "dev"] as const)[i % 3] as EnvironmentKind;
    return { name: `cluster-${word}-${i}`, environment: word, environmentWord: word, silent: i % 17 === 0, guardrails: i % 17 === 0 ? { kind: "unknown", why: "its broker gives no sign of life; it last said in force" } : inForce(now), profiles: profiles.map((_, at) => ({ profile: at, rights: at % 2, unknown: null, refused: null })) };
  });
  const subjects = Array.from({ length: 400 }, (_, i): WhoSubject => ({
    kind: "group", name: `oidc:some-group-of-people-${i}`, asksIn: [i % 3], decidesIn: [i % 3],
    may: [...new Set(Array.from({ length: 8 }, () => Math.floor(roll() * 50)))].sort((a, b) => a - b).map((at) => ({ profile: at, request: true, approve: roll() < 0.2, revoke: false, by: [i % 40] })),
  }));
  return { ...nothing(now), profiles, clusters, rights: RIGHTS.slice(0, 2), teams: TEAMS, bindings: Array.from({ length: 40 }, (_, i) => `ClusterRoleBinding binding-${i} of ClusterRole role-${i}`), subjects, hub: asShipped(now), notes: NOTES };
}
