import type { ClusterDetail, ClusterView, EnvironmentKind, ProfileView, Right } from "../../bindings/ipc";

/** Numbers that are the same in every run. */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Known {
  name: string;
  word: string;
  facts: [string, string, string];
  way: "once" | "ask" | "ask2" | "no" | "unknown";
  used?: number;
  pinned?: boolean;
  broker?: "live" | "silent" | "never";
  displayName?: string;
}

// The clusters that tests and pictures name. What opening one does is scripted in `sessions.ts`.
const KNOWN: readonly Known[] = [
  { name: "payments-eu-1", word: "prod", facts: ["EKS", "eu-west-1", "v1.36.4"], way: "once", used: 40 * MINUTE, pinned: true },
  { name: "checkout-eu-2", word: "prod", facts: ["GKE", "europe-west4", "v1.37.2"], way: "once", used: 2 * HOUR, pinned: true },
  { name: "ledger-us-1", word: "prod", facts: ["AKS", "eastus2", "v1.36.1"], way: "ask", used: 3 * DAY, pinned: true },
  { name: "checkout-stage", word: "stage", facts: ["kubeadm", "fra-2", "v1.37.2"], way: "once", used: DAY, pinned: true },
  { name: "search-ap-1", word: "prod", facts: ["EKS", "ap-south-1", "v1.35.9"], way: "once", used: 5 * DAY },
  { name: "sandbox-12", word: "dev", facts: ["k3s", "lab", "v1.37.0"], way: "once", used: 6 * DAY },
  { name: "vault-eu-1", word: "prod", facts: ["RKE2", "fra-1", "v1.35.2"], way: "once", used: 8 * DAY },
  { name: "mail-eu-1", word: "prod", facts: ["OpenShift", "ams-1", "v1.33.5"], way: "ask2", used: 12 * DAY, broker: "silent" },
  { name: "legacy-eu-9", word: "prod", facts: ["kubeadm", "fra-1", "v1.33.0"], way: "no", broker: "never" },
  { name: "hostile-1", word: "dev", facts: ["<img src=x onerror=alert(1)>", "eu\u202etsew", "v1.37.2"], way: "once", used: 20 * DAY, displayName: "prod\u202Egnigats <b>bold</b>\u200b" },
  { name: "a-cluster-with-a-name-that-is-as-long-as-a-name-may-ever-get-0", word: "acceptance", facts: ["Some provider with a very long name indeed", "somewhere-far-away-region-1", "v1.37.2"], way: "unknown", displayName: "A cluster whose display name goes on and on, as people's names for things sometimes do when nobody stops them" },
];

const TEAMS = ["payments", "checkout", "ledger", "search", "mail", "catalog", "media", "risk", "identity", "billing", "fraud", "maps", "ads", "chat", "core", "data", "edge", "infra", "loyalty", "orders"];
const WHERE: readonly [string, string][] = [["EKS", "eu-west-1"], ["EKS", "us-east-1"], ["EKS", "ap-south-1"], ["GKE", "europe-west4"], ["GKE", "us-central1"], ["AKS", "westeurope"], ["AKS", "eastus2"], ["kubeadm", "fra-2"], ["OpenShift", "ams-1"], ["RKE2", "fra-1"], ["k3s", "lab"]];

function environment(word: string): EnvironmentKind {
  return word === "prod" || word === "stage" || word === "dev" ? word : "other";
}

function cluster(k: Known, now: number): ClusterView {
  const profile = k.name.startsWith("ledger") ? "operate" : "debug";
  const broker = k.broker ?? "live";
  return {
    name: k.name,
    displayName: k.displayName ?? k.name,
    environment: environment(k.word),
    environmentWord: k.word,
    provider: k.facts[0],
    region: k.facts[1],
    version: broker === "never" ? "" : k.facts[2],
    pinned: k.pinned ?? false,
    lastUsed: k.used === undefined ? null : now - k.used,
    broker: { seenAt: broker === "never" ? null : now - (broker === "silent" ? 47 * MINUTE : 4000), version: broker === "never" ? null : "0.1.0", silent: broker === "silent" },
    way:
      k.way === "once" ? { kind: "oneClick", profile }
      : k.way === "no" ? { kind: "notYours" }
      : k.way === "unknown" ? { kind: "unknown" }
      : { kind: "ask", profile, approvals: k.way === "ask2" ? 2 : 1 },
  };
}

/** `size` clusters: those above, then invented ones. */
export function fleet(size: number, now: number): ClusterView[] {
  const roll = dice(7);
  const pick = <T>(from: readonly T[]) => from[Math.floor(roll() * from.length)] as T;
  const made: Known[] = [];
  for (let i = 0; made.length < size - KNOWN.length; i++) {
    const word = pick(["prod", "prod", "stage", "dev", "dev"]);
    const [provider, region] = pick(WHERE);
    const way = pick(["once", "once", "once", "ask", "no"] as const);
    made.push({ name: `${pick(TEAMS)}-${word === "prod" ? pick(["eu", "us", "ap"]) : word}-${i + 10}`, word, facts: [provider, region, `v1.${pick([35, 36, 37])}.${Math.floor(roll() * 6)}`], way, broker: roll() < 0.03 ? "silent" : "live" });
  }
  return [...KNOWN, ...made].slice(0, size).map((k) => cluster(k, now)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

const READ: Right = { title: "Read workloads and their events", detail: "get list watch pods, deployments, events, …", namespaces: ["ns"], writes: false };
const right = (title: string, detail: string, writes = false): Right => ({ title, detail, namespaces: ["ns"], writes });
export const DEBUG: readonly Right[] = [READ, right("Read logs", "get pods/log"), right("Run commands in pods", "create pods/exec", true), right("Forward ports", "create pods/portforward", true), right("Add ephemeral containers", "patch pods/ephemeralcontainers", true)];
const HELM = "helm keeps its releases in Secrets, which this profile does not allow, so its commands are refused. With HELM_DRIVER=configmap it keeps them in ConfigMaps; for releases that are in Secrets already, ask for a profile for releases.";
export const OPERATE: readonly Right[] = [...DEBUG, right("Scale", "patch deployments/scale, statefulsets/scale", true), right("Restart, roll back and edit workloads", "patch update deployments, statefulsets, daemonsets", true), right("Delete pods", "delete pods", true), right("Edit config maps", "create patch update delete configmaps", true), right("Edit services", "create patch update delete services", true), right("Edit ingresses", "create patch update delete ingresses", true), right("Run jobs", "create delete jobs, cronjobs", true), right("Read custom resources", "get list watch certificates, gateways, httproutes, scaledobjects"), right("Read quotas and limits", "get list watch resourcequotas, limitranges"), right("Read autoscalers", "get list watch horizontalpodautoscalers")];

/** What opens at once by the clock, and counts a day. */
const BY_ITSELF = { autoApprovals: ["office: Mon-Fri 09:00-18:00 in Europe/Berlin; at most 1h"], maxPerDaySeconds: 14_400 };

function profile(name: string, rights: readonly Right[], over: Partial<ProfileView>, namespaces: string[]): ProfileView {
  const where = over.namespaces ?? namespaces;
  return {
    name,
    opensAtOnce: true,
    approvals: 0,
    autoApprovals: [],
    maxPerDaySeconds: null,
    maxDurationSeconds: 3600,
    usualSeconds: 3600,
    namespaces: where,
    mfa: { acr: ["urn:sallyport:mfa"], amr: ["otp"], maxAgeSeconds: 900, satisfied: true },
    reasonRequired: true,
    reaffirm: null,
    recording: null,
    rights: { kind: "known", rights: rights.map((r) => ({ ...r, namespaces: where })), rules: rights.length * 4 + 2, warnings: [], missing: [HELM] },
    refused: null,
    ...over,
  };
}

/** What scans open under. */
export const POSTURE: ProfileView = profile("posture", [
  right("Read roles and bindings", "list roles, rolebindings, clusterroles, clusterrolebindings"),
  right("Read workloads, ServiceAccounts and namespaces", "list pods, deployments, serviceaccounts, namespaces, …"),
  right("Read what admission enforces", "list validatingadmissionpolicies, webhookconfigurations, …"),
  right("Read five ConfigMaps by name", "get aws-auth, coredns, cluster-info, …"),
  right("Ask the API server who may do what", "create subjectaccessreviews"),
  right("Read how the API server runs", "get /flagz, /metrics, /readyz, /version"),
], { maxDurationSeconds: 900, namespaces: [], reasonRequired: false, mfa: { acr: [], amr: [], maxAgeSeconds: 3600, satisfied: true } }, []);

/** What the detail pane shows for a cluster. */
export function detail(c: ClusterView, reason: string | null, now: number, wanted: number | null = null): ClusterDetail {
  const team = c.name.split("-")[0] ?? "app";
  const namespaces = team === "checkout" ? ["checkout", "cart"] : team === "a" ? Array.from({ length: 40 }, (_, i) => `namespace-number-${i}`) : [team];
  const profiles: ProfileView[] = [];
  if (c.way.kind !== "notYours") {
    profiles.push(profile("view", [READ], { maxDurationSeconds: 28_800, namespaces: [], reasonRequired: false, mfa: { acr: [], amr: [], maxAgeSeconds: 28_800, satisfied: true } }, namespaces));
    profiles.push(profile("debug", DEBUG, { reaffirm: { everySeconds: 900, graceSeconds: 300 }, mfa: { acr: ["urn:sallyport:mfa"], amr: ["otp"], maxAgeSeconds: 900, satisfied: team !== "vault" } }, namespaces));
    profiles.push(profile("operate", OPERATE, { opensAtOnce: false, approvals: team === "mail" ? 2 : 1, ...(team === "checkout" ? BY_ITSELF : {}), maxDurationSeconds: 7200, rights: { kind: "known", rights: OPERATE.map((r) => ({ ...r, namespaces })), rules: 34, warnings: ["Workloads edited with these rights keep running after the session ends."], missing: [HELM] } }, namespaces));
    profiles.push(profile("break-glass", [...OPERATE, right("Change everything in every namespace", "create patch delete *", true)], { opensAtOnce: false, approvals: 2, namespaces: [], refused: { why: "cluster-wide `edit` can write in the sessions namespace, so it could keep itself alive.", rule: "ClusterRole edit: create, patch in pods, deployments (apps)" } }, namespaces));
    if (c.broker.seenAt === null || c.way.kind === "unknown") for (const p of profiles) p.rights = { kind: "unknown", why: "this cluster's broker has not reported on the profile yet." };
  }
  const last = c.lastUsed !== null && profiles.length > 0 ? { profile: "debug", namespaces: namespaces.slice(0, 1), durationSeconds: 2700 } : null;
  for (const p of profiles) p.usualSeconds = Math.min(wanted ?? (last?.profile === p.name ? last.durationSeconds : 3600), p.maxDurationSeconds);
  const asked = c.way.kind === "oneClick" || c.way.kind === "ask" ? c.way.profile : null;
  return {
    cluster: c,
    endpoint: `${c.name}.k8s.example.test:6443`,
    guardrails:
      c.broker.seenAt === null ? { kind: "unknown" }
      : team === "search" ? { kind: "unverified", at: now - 3 * MINUTE, detail: "sallyport-rolebindings.access.sallyport.dev: its expression is not the one shipped" }
      : { kind: "verified", at: now - 2 * MINUTE, detail: `${c.name}-api-0` },
    profiles,
    chosen: asked,
    last,
    reason: reason ? { text: reason, until: now + 7 * HOUR } : null,
  };
}
