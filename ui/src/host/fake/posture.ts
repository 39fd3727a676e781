import type { CheckLine, ExceptionView, FixApplied, FixTrial, PostureArea, PostureCell, PostureCluster, PostureDetail, PostureDriftLine, PostureView, TrendPoint, Weakness } from "../../bindings/ipc";
import { dice } from "./fleet";
import type { Handlers } from "./handlers";
import { FakeScans } from "./scans";
import { failure } from "./sessions";
import { detail, exceptions, line, practices, shipped, weaknesses, WHO } from "./weak";
import { used } from "./used";
import type { World } from "./world";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const AREAS: readonly PostureArea[] = ["reach", "signIn", "credentials", "rights", "admission", "audit", "encryption", "version"];
/** Clusters that nothing is kept of. */
const NEVER = new Set(["legacy-eu-9"]);
/** Clusters of which nothing could be read. */
const DARK = new Set(["mail-eu-1"]);

/** Where the fleet is weak, by scans that never were. */
export function posture(world: World) {
  const scans = new FakeScans(world);
  const { scene } = world;
  const begun = Date.now();
  let kept = scene === "empty" || scene === "postureFirst" ? [] : grid(world, begun);
  let excepted: ExceptionView[] = exceptions(begun);
  const places = new Set(["/home/dev/taken.html"]);
  let [tried, trials]: [string | null, number] = [null, 0];
  Object.assign(window, { sallyportScans: scans });
  if (scene === "postureScanning" || scene === "postureCut") queueMicrotask(() => scans.start(world.clusters.map(({ name }) => name)));

  const clusters = (): PostureCluster[] => (kept.length > 0 ? kept : world.clusters.map((c) => none(c.name, c.environment, c.environmentWord))).map((one) => scans.over(one));
  const scanned = () => clusters().filter(({ scannedAt }) => scannedAt !== null);
  const weak = (): Weakness[] => (scanned().length === 0 ? [] : scene === "postureMany" ? many() : weaknesses(kept.map(({ name }) => name).filter((name) => /-\d\d+$/.test(name) && !NEVER.has(name)).slice(20)));

  return {
    posture_fleet: async (): Promise<PostureView> => {
      await world.pause(30);
      if (scene === "postureLoading") return new Promise(() => {});
      if (scene === "postureFail") throw failure("failed", "what scans kept could not be read: the vault is locked", { hint: "Unlock the keyring, then try again.", retry: true });
      const all = clusters();
      const cannotScan = scene === "postureNoProfile" ? "No profile lets you scan. Ask an admin of the hub for the profile posture, which reads and changes nothing." : null;
      return {
        profile: cannotScan === null ? "posture" : null,
        cannotScan,
        run: scans.run,
        clusters: all,
        practices: scanned().length === 0 ? [] : practices(scanned().length),
        weaknesses: weak(),
        drift: scanned().length === 0 ? [] : [...scans.found, ...drift(begun)],
        driftMore: scanned().length === 0 ? 0 : scene === "postureMany" ? 1200 : 0,
        exceptions: excepted,
        trend: scanned().length === 0 ? [] : trend(begun),
        notes: scene === "posturePartial" ? ["The scan of ledger-us-1 was kept by an older version: 12 checks are newer than it.", "What is kept of hostile-1\u202e could not be read: it was altered, and was put aside."] : [],
      };
    },
    posture_cluster: async ({ cluster }): Promise<PostureDetail> => {
      await world.pause(25);
      const found = clusters().find((one) => one.name === cluster);
      if (!found) throw failure("badInput", `nothing is known of ${cluster}`);
      if (scene === "postureDetailFails") throw failure("failed", `what is kept of ${cluster} could not be read: it was altered`, { hint: "Forget it, then scan the cluster again." });
      return detailOf(found, weak(), begun);
    },
    posture_finding: async ({ cluster, finding }) => {
      await world.pause(25);
      const found = detail(finding, cluster);
      if (found === null || scene === "postureDetailFails") throw failure("badInput", "this finding is there no more", { hint: "The cluster was scanned again meanwhile; look at the list." });
      const by = excepted.find(({ id, check, clusters }) => id.endsWith("-new") && check === found.line.check && clusters === cluster);
      return by === undefined ? found : { ...found, line: { ...found.line, excepted: `${by.owner}: ${by.reason}` } };
    },
    posture_scan: async ({ clusters: names }) => {
      if (scene === "postureScanFails") throw failure("unreachable", "The hub did not answer within 10 s, so nothing was begun.", { hint: "It is tried again by itself; scan once it answers.", retry: true });
      scans.start(names);
      return null;
    },
    posture_scan_stop: ({ cluster }) => {
      scans.stop(cluster);
      return null;
    },
    posture_forget: async ({ cluster }) => {
      await world.pause(20);
      if (scene === "postureForgetFails") throw failure("failed", "what is kept could not be deleted: the disk does not answer", { hint: "Try again.", retry: true });
      kept = (cluster === null ? [] : kept).map((one) => (one.name === cluster ? none(one.name, one.environment, one.environmentWord) : one));
      world.hear({ kind: "postureChanged" });
      return null;
    },
    posture_prove: async ({ finding }) => {
      await world.pause(900);
      if (scene === "postureProveFails") throw failure("unreachable", "The broker of payments-eu-1 did not answer within 10 s, so nothing was asked.", { hint: "Try again once it is back.", retry: true });
      if (detail(finding, "")?.reviews === 0) throw failure("badInput", "this finding has no path to show");
      const partly = scene === "postureProvePartly";
      const said = (question: string, allowed: boolean | null, reason: string) => ({ question, allowed, reason });
      return { at: Date.now(), allowed: partly ? 1 : 3, asked: 3, lines: [
        said("oidc:payments-dev create pods in ci", true, 'RBAC: allowed by RoleBinding "dev-edit/ci" of ClusterRole "edit"'),
        said("system:serviceaccount:ci:deployer bind clusterroles", partly ? false : true, partly ? "" : 'RBAC: allowed by ClusterRoleBinding "deployer" of ClusterRole "deployer"'),
        said("system:serviceaccount:ci:deployer create clusterrolebindings", partly ? null : true, partly ? "the session ended before it was asked" : 'RBAC: allowed by ClusterRoleBinding "deployer" of ClusterRole "deployer"'),
      ] };
    },
    posture_used: async ({ finding, cluster }) => {
      await world.pause(scene === "postureUsedLooking" ? 1e9 : 300);
      if (scene === "postureUsedFails") throw failure("failed", "The archive of the clusters' audit events is in use by process 4711.", { hint: "Let `sallyport audit` or the other window finish, then try again.", retry: true });
      const found = detail(finding, cluster);
      if (found === null) throw failure("badInput", "the last scan does not find this any more");
      return used(scene, cluster, found.subject);
    },
    posture_fix_try: async ({ finding }) => {
      await world.pause(scene === "postureFixTrying" ? 1e9 : 400);
      if (detail(finding, "")?.fix?.inSession !== true) throw failure("forbidden", "no session makes this change: Take the binding away", { hint: "Apply it with an admin's own credentials, or hand it over as a pull request." });
      if (scene === "postureFixNoAnswer") throw failure("unreachable", "it was not tried: it did not answer in time", { hint: "Nothing was changed. Try again.", retry: true });
      const said = (state: FixTrial["state"], text: string): FixTrial => ({ id: null, session: state === "noSession" ? null : "s-1", state, said: text, profiles: [] });
      if (scene === "postureFixNoSession") return { ...said("noSession", "None of your sessions is open on checkout-stage; it takes one that may patch deployments.apps in payments."), profiles: ["operate", "releases\u202e"] };
      if (scene === "postureFixRefused") return said("refused", "admission refuses it (ValidatingAdmissionPolicy 'tokens' denied request: the team's pods call the API)");
      tried = `t-${++trials}`;
      return { ...said("taken", "The API server would take it, and its admission with it."), id: tried };
    },
    posture_fix_apply: async ({ trial }) => {
      // Taken out before anything is waited for, so that a second one finds nothing.
      const known = trial === tried;
      tried = null;
      await world.pause(scene === "postureFixApplying" ? 1e9 : 400);
      if (!known) throw failure("badInput", "this is not what was tried last, or it was applied already", { hint: "Try it again: that changes nothing." });
      const said = (made: FixApplied["made"], text: string): FixApplied => ({ at: Date.now(), made, said: text });
      if (scene === "postureFixEnded") return said("unknown", "the session ended before the answer");
      if (scene === "postureFixChanged") return said("refused", "Deployment payments/checkout changed since it was read: scan again");
      return said("applied", "");
    },
    posture_except: async ({ exception }) => {
      await world.pause(30);
      if (exception.until > Date.now() + 366 * DAY) throw failure("badInput", "an exception ends within a year");
      excepted = [...excepted, { id: `e-${excepted.length}-new`, check: exception.check, title: "Developers can become cluster-admin in 3 steps", clusters: exception.clusters, about: exception.finding === null ? null : "group oidc:payments-dev", owner: exception.owner, reason: exception.reason, until: exception.until, isExpired: false, matches: 1 }];
      world.hear({ kind: "postureChanged" });
      return null;
    },
    posture_except_remove: async ({ exception }) => {
      await world.pause(30);
      if (scene === "postureRemoveFails") throw failure("failed", "the exceptions could not be written: the disk is full", { hint: "Make room, then try again.", retry: true });
      excepted = excepted.filter((one) => one.id !== exception);
      world.hear({ kind: "postureChanged" });
      return null;
    },
    posture_who: async ({ question: { verb, resource, namespace } }) => {
      await world.pause(40);
      if (!/^[a-z*]+$/.test(verb)) throw failure("badInput", `“${verb}” is no verb`, { hint: "A verb is one like get, list or create." });
      return { question: `${verb} ${resource} ${namespace ? `in ${namespace}` : "everywhere"}`, who: resource === "nothing" ? [] : [...WHO], more: 0, gaps: ["mail-eu-1: its roles were not read, so who can there is not known", "ledger-us-1: a webhook decides beside RBAC"] };
    },
    posture_crossings: async ({ from, into }) => {
      await world.pause(40);
      if (scene === "postureCrossingFails") throw failure("badInput", `no scan of ${into} is kept`, { hint: "Scan it first." });
      const step = (from: string, what: string, by: string, to: string, isCertain = true) => ({ from, what, by, to, isCertain, isCut: false });
      const sign = "have a client certificate of anybody signed, by a CA that the other cluster believes too";
      const there = step("user oidc:root", "do everything there", "ClusterRoleBinding root → ClusterRole cluster-admin", "everything");
      const builder = step("service account builder of ci", sign, "ClusterRoleBinding csr → ClusterRole approver", "user oidc:root", false);
      const devs = step("group oidc:<b>d\u2066evs</b>", "mint tokens of service accounts in ci", "RoleBinding ci/tokens → ClusterRole tokens", "every service account of ci");
      const none = from === "search-ap-1";
      return { ways: none ? [] : [{ subject: "ServiceAccount ci/builder", steps: [builder, there], across: 0 }, { subject: "group oidc:<b>d\u2066evs</b>", steps: [devs, builder, there], across: 1 }], more: 0, gaps: none ? ["In the first cluster: the right to list roles.rbac.authorization.k8s.io in all namespaces is missing"] : [] };
    },
    posture_report: async ({ place }) => {
      await world.pause(60);
      if (!place.endsWith(".html")) throw failure("badInput", "the place does not end in the name of an HTML file", { hint: "Let it end in a name like posture.html." });
      if (places.has(place)) throw failure("badInput", `there is something at ${place} already`, { hint: "Name another file; nothing is written over." });
      places.add(place);
      return place;
    },
  } satisfies Partial<Handlers>;
}

function none(name: string, environment: PostureCluster["environment"], environmentWord: string): PostureCluster {
  return { name, environment, environmentWord, scan: { kind: "none" }, scannedAt: null, version: null, coverage: 0, cells: [] };
}

const cell = (over: Partial<PostureCell> = {}): PostureCell => ({ verdict: "pass", worst: null, count: 0, unknown: 0, excepted: 0, ...over });

function grid(world: World, now: number): PostureCluster[] {
  const roll = dice(11);
  const all = world.clusters.map((c): PostureCluster => {
    const base = none(c.name, c.environment, c.environmentWord);
    if (NEVER.has(c.name) || roll() < 0.03) return base;
    const kept = { ...base, scannedAt: now - Math.floor(roll() * 10) * DAY - 2 * HOUR, version: c.version, coverage: 90 + Math.floor(roll() * 11) };
    if (DARK.has(c.name)) return { ...kept, coverage: 0, cells: AREAS.map(() => cell({ verdict: "unknown", unknown: 6 })) };
    const invented = /-\d\d+$/.test(c.name) && !["sandbox-12"].includes(c.name);
    return { ...kept, cells: AREAS.map((area) => {
      if (!invented) return cell();
      const dies = roll();
      if (area === "version" && ["EKS", "GKE", "AKS"].includes(c.provider) && dies < 0.3) return cell({ verdict: "provider" });
      return dies < 0.7 ? cell() : dies < 0.76 ? cell({ verdict: "unknown", unknown: 2 }) : dies < 0.9 ? cell({ verdict: "fail", worst: "medium", count: 1 + Math.floor(roll() * 6) }) : dies < 0.97 ? cell({ verdict: "fail", worst: "high", count: 1 + Math.floor(roll() * 4), unknown: roll() < 0.3 ? 2 : 0 }) : cell({ verdict: "fail", worst: "low", count: 2 });
    }) };
  });
  const put = (name: string, area: PostureArea, over: Partial<PostureCell>) => {
    const found = all.find((one) => one.name === name);
    if (found && found.cells.length > 0) found.cells[AREAS.indexOf(area)] = cell(over);
  };
  const fail = (worst: NonNullable<PostureCell["worst"]>, count: number, over: Partial<PostureCell> = {}) => ({ verdict: "fail" as const, worst, count, ...over });
  for (const [name, area, over] of [
    ["payments-eu-1", "credentials", fail("high", 4)], ["payments-eu-1", "rights", fail("critical", 1)], ["payments-eu-1", "audit", fail("high", 3)],
    ["checkout-eu-2", "admission", fail("high", 2)], ["checkout-eu-2", "rights", { excepted: 2 }],
    ["ledger-us-1", "version", { verdict: "provider" }], ["ledger-us-1", "audit", { verdict: "provider" }], ["ledger-us-1", "rights", { excepted: 1 }],
    ["search-ap-1", "reach", fail("high", 4)], ["search-ap-1", "credentials", fail("high", 2)], ["search-ap-1", "rights", fail("critical", 1, { unknown: 3 })], ["search-ap-1", "admission", { verdict: "unknown", unknown: 4 }], ["search-ap-1", "version", fail("high", 3)], ["search-ap-1", "signIn", fail("critical", 1)],
    ["checkout-stage", "credentials", fail("high", 1)], ["checkout-stage", "rights", fail("high", 2)],
    ["sandbox-12", "reach", fail("high", 3)], ["sandbox-12", "signIn", fail("critical", 1)], ["sandbox-12", "credentials", fail("high", 1)], ["sandbox-12", "rights", fail("high", 2)], ["sandbox-12", "admission", fail("critical", 12)], ["sandbox-12", "encryption", fail("medium", 1)], ["sandbox-12", "version", { verdict: "notApplicable" }],
    ["hostile-1", "rights", fail("medium", 1)], ["vault-eu-1", "audit", fail("high", 2)],
  ] as const) put(name, area, over);
  return all;
}

const DRIFT: readonly [string, PostureDriftLine["way"], string][] = [
  ["payments-eu-1", "wider", "group oidc:payments-dev may exec in payments"],
  ["search-ap-1", "wider", "ServiceAccount ci/deployer may bind clusterroles"],
  ["sandbox-12", "wider", `user oidc:${"someone.with.a.long.name.".repeat(5)}@example.test may do everything, by ClusterRoleBinding ${"tmp-".repeat(12)}\u202e`],
  ["checkout-eu-2", "other", "who decides beside RBAC is known now: nobody"],
  ["ledger-us-1", "narrower", "user oidc:ana@example.test may no longer read secrets in ledger"],
];

function drift(now: number): PostureDriftLine[] {
  return DRIFT.map(([cluster, way, text]) => ({ cluster, since: now - 6 * DAY, way, text }));
}

function trend(now: number): TrendPoint[] {
  return Array.from({ length: 12 }, (_, i): TrendPoint => ({ at: now - (11 - i) * 7 * DAY, clusters: 60 + i * 2, coverage: 71 + i * 2, critical: Math.max(2, 9 - i), high: 88 - i * 4, medium: 140 - i * 3, low: 60 }));
}

/** 3,000 weaknesses. */
function many(): Weakness[] {
  const severities = ["critical", "high", "high", "medium", "medium", "low"] as const;
  return Array.from({ length: 3000 }, (_, i): Weakness => ({ id: `w-many-${i}`, check: `RB-${10 + (i % 30)}`, area: AREAS[i % 8] ?? "rights", title: `Somebody can do more than they should, number ${i}`, verdict: "fail", severity: severities[Math.floor(i / 500)] ?? "low", about: `group oidc:team-${i}`, places: [{ cluster: "payments-eu-1", finding: "f-0-payments-eu-1" }], more: i % 40, isExcepted: false }));
}

function detailOf(cluster: PostureCluster, weak: readonly Weakness[], now: number): PostureDetail {
  if (cluster.scannedAt === null) return { cluster, practices: [], findings: [], findingsMore: 0, checks: [], gaps: [], notes: [], drift: null, trend: [] };
  const mine = weak.flatMap((one, at) => (one.verdict === "fail" && one.places.some((place) => place.cluster === cluster.name) && at < 12 ? [line(at, cluster.name)] : []));
  const dark = cluster.coverage === 0;
  const check = (id: string, area: PostureArea, title: string, verdict: CheckLine["verdict"], why: string | null = null, findings = 0): CheckLine => ({ id, title, area, verdict, why, findings });
  const found = (id: string) => mine.filter((one) => one.check === id).length;
  const fails = (id: string, area: PostureArea, title: string) => check(id, area, title, dark ? "unknown" : found(id) > 0 ? "fail" : "pass", dark ? "clusterroles were not read" : null, found(id));
  return {
    cluster,
    practices: practices(1).map((one) => ({ ...one, verdict: dark ? "unknown" : one.verdict, kept: one.verdict === "pass" && !dark ? 1 : 0, broken: one.verdict === "fail" && !dark ? 1 : 0, unknown: dark || one.verdict === "unknown" || one.verdict === "provider" ? 1 : 0 })),
    findings: [...mine, ...shipped()],
    findingsMore: 0,
    checks: [
      fails("RB-07", "rights", "Somebody can become cluster-admin"), fails("RB-12", "rights", "Pods may be created as another ServiceAccount"), fails("RB-35", "rights", "People hold standing rights"),
      check("SA-01", "credentials", "Tokens in Secrets that never end", "unknown", "no right to read secrets, and none is asked for: RBAC has no “names only”"), fails("SA-03", "credentials", "Legacy tokens are in use"),
      fails("AP-03", "reach", "Who did not sign in is answered"), check("AP-01", "reach", "The endpoint answers from anywhere", cluster.name.startsWith("ledger") ? "provider" : "pass", cluster.name.startsWith("ledger") ? "AKS: Networking, API server authorised ranges" : null),
      fails("AD-04", "admission", "No Pod Security level is enforced"), check("AU-01", "audit", "What is recorded", "unknown", "/flagz answered 403: the right to get /flagz is missing"), check("VR-02", "version", "Nodes are newer than the API server", "notApplicable", "no nodes"),
    ],
    gaps: dark ? ["clusterroles, clusterrolebindings: the list ended in the middle (410), twice", "pods: forbidden; the ClusterRole sallyport:posture gives list pods"] : ["get /flagz: forbidden; the ClusterRole sallyport:posture gives it"],
    notes: cluster.name.startsWith("ledger") ? ["A webhook decides beside RBAC here: that nobody can is not known."] : [],
    drift: { since: now - 6 * DAY, lines: drift(now).filter((one) => one.cluster === cluster.name), more: 0, notComparable: dark ? ["rolebindings"] : [] },
    trend: trend(now).slice(4),
  };
}
