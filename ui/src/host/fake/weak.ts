import type { ExceptionView, FindingDetail, FindingLine, PathStep, PostureArea, PostureSeverity, PostureVerdict, Practice, Weakness, WhoLine } from "../../bindings/ipc";

const DAY = 86_400_000;

/** Where a known weakness is, by the names of `fleet.ts`; what the fake host says of each is made from it. */
interface Known {
  check: string;
  area: PostureArea;
  severity: PostureSeverity;
  title: string;
  about: string;
  on: readonly string[];
  /** So many more of the invented clusters have it. */
  more?: number;
  verdict?: PostureVerdict;
  excepted?: true;
}

export const LONG = "a-cluster-with-a-name-that-is-as-long-as-a-name-may-ever-get-0";

export const KNOWN: readonly Known[] = [
  { check: "RB-07", area: "rights", severity: "critical", title: "Developers can become cluster-admin in 3 steps", about: "pods in ci → ServiceAccount deployer → bind", on: ["payments-eu-1", "search-ap-1"] },
  { check: "FL-03", area: "signIn", severity: "critical", title: "Client CA shared between prod and dev: a dev certificate opens prod", about: "same CA hash on sandbox-12 and search-ap-1", on: ["sandbox-12", "search-ap-1"] },
  { check: "RB-35", area: "rights", severity: "high", title: "Standing admin for people instead of a session", about: "112 people, 41 unused for 90 days", on: ["checkout-stage", "sandbox-12", "payments-eu-1"], more: 34 },
  { check: "AP-03", area: "reach", severity: "high", title: "Anonymous can read /metrics", about: "live probe, 200", on: ["search-ap-1", "sandbox-12"], more: 2 },
  { check: "AD-04", area: "admission", severity: "high", title: "No Pod Security level is enforced where people may create pods", about: "14 namespaces without a label", on: ["checkout-eu-2", "sandbox-12"], more: 9 },
  { check: "SA-03", area: "credentials", severity: "high", title: "Legacy tokens of ServiceAccounts that never end are in use", about: "last used today, kube-system/old-ci", on: ["payments-eu-1", "search-ap-1", "checkout-stage"], more: 5 },
  { check: "AU-02", area: "audit", severity: "high", title: "Nothing above Metadata is recorded for changes of rights", about: "audit policy of the API server's pod", on: ["payments-eu-1", "vault-eu-1"], more: 3 },
  { check: "VR-01", area: "version", severity: "high", title: "The version gets no more fixes", about: "1.33, the last patch came on 28 June", on: ["search-ap-1"], more: 12 },
  { check: "RB-12", area: "rights", severity: "medium", title: "Pods may be created as any ServiceAccount of a namespace that holds more", about: "group oidc:<b>a\u2066b</b>", on: ["hostile-1"] },
  { check: "EN-01", area: "encryption", severity: "medium", title: "Secrets are stored as they are: no encryption provider is set", about: "API server flag --encryption-provider-config is absent", on: ["sandbox-12", LONG] },
  { check: "RB-39", area: "rights", severity: "low", title: "Events can be deleted, and with them what happened", about: "ServiceAccount monitoring/cleaner", on: ["ledger-us-1", "checkout-eu-2"], more: 21, excepted: true },
  { check: "AU-01", area: "audit", severity: "info", title: "Audit level not visible on managed control planes", about: "setting lives in the cloud account", on: ["ledger-us-1"], more: 28, verdict: "provider" },
  { check: "SA-03", area: "credentials", severity: "medium", title: "Deployment payments/checkout has the token of its account in its pods", about: "service account checkout of payments", on: ["checkout-stage", "payments-eu-1"] },
];

/** The id of a weakness's finding on a cluster. */
export const idOf = (at: number, cluster: string): string => `f-${at}-${cluster}`;

export function weaknesses(others: readonly string[]): Weakness[] {
  return KNOWN.map((k, at): Weakness => {
    const places = [...k.on, ...others.slice(at, at + (k.more ?? 0))].map((cluster) => ({ cluster, finding: k.verdict === "provider" || k.check.startsWith("FL-") ? "" : idOf(at, cluster) }));
    return { id: `w-${at}`, check: k.check, area: k.area, title: k.title, verdict: k.verdict ?? "fail", severity: k.severity, about: k.about, places, more: 0, isExcepted: k.excepted ?? false };
  });
}

export function line(at: number, cluster: string): FindingLine {
  const k = KNOWN[at] as Known;
  return { id: idOf(at, cluster), check: k.check, area: k.area, severity: k.severity, said: k.title, origin: "own", isInert: false, excepted: k.excepted ? "platform@example.test until 1 March 2027" : null, isNew: at === 5 };
}

/** What comes with Kubernetes or a vendor, and what has no effect: seen by whoever unfolds it. */
export function shipped(): FindingLine[] {
  const one = (id: string, check: string, severity: PostureSeverity, said: string, origin: FindingLine["origin"], isInert = false): FindingLine => ({ id, check, area: "rights", severity, said, origin, isInert, excepted: null, isNew: false });
  return [
    one("f-inert", "RB-15", "info", "A RoleBinding names nodes/proxy, which it can't give", "own", true),
    one("f-vendor", "RB-18", "high", "ServiceAccount cert-manager/cainjector may change webhooks", "vendor"),
    ...Array.from({ length: 14 }, (_, i) => one(`f-default-${i}`, "RB-01", "info", `ClusterRoleBinding system:controller:number-${i} gives what Kubernetes ships`, "default")),
  ];
}

const STEPS: readonly PathStep[] = [
  { from: "oidc:payments-dev", what: "creates pods in ci", by: "RoleBinding ci/dev-edit → ClusterRole edit", to: "any ServiceAccount of the namespace ci", isCertain: true, isCut: false },
  { from: "pods in ci", what: "run as ServiceAccount ci/deployer", by: "the pod's own token", to: "ServiceAccount ci/deployer", isCertain: false, isCut: false },
  { from: "ServiceAccount ci/deployer", what: "binds any ClusterRole", by: "ClusterRoleBinding deployer → ClusterRole deployer", to: "ClusterRole cluster-admin", isCertain: true, isCut: true },
];

const PROFILE = `apiVersion: access.sallyport.dev/v1alpha1
kind: AccessProfile
metadata:
  name: deploy-ci
spec:
  clusters: ["payments-*"]
  clusterRoles: ["app-deployer"]
  namespaces: ["ci"]
  maxDuration: 1h
  approvals: 1
  reason: true
`;

const YAML = `# ClusterRole deployer
 rules:
 - apiGroups: [rbac.authorization.k8s.io]
   resources: [clusterroles]
   verbs: [bind]
+  resourceNames: [app-deployer]
`;

export function detail(id: string, cluster: string): FindingDetail | null {
  const found = /^f-(\d+)-/.exec(id);
  const known = found ? KNOWN[Number(found[1])] : undefined;
  const other = shipped().find((one) => one.id === id);
  if (known === undefined && other === undefined) return null;
  const whole = line(found ? Number(found[1]) : 0, cluster);
  const isPath = id.startsWith("f-0-");
  const long = id.startsWith("f-9-");
  const isWorkload = known?.title.startsWith("Deployment ") === true;
  const base: FindingDetail = {
    line: other ?? whole,
    cluster,
    title: known?.title ?? other?.said ?? "",
    why: isPath
      ? "Whoever is in this group can make itself cluster-admin here, and with that read every Secret, change every workload and remove what records it. 23 people are in it by what the history knows."
      : "Who holds this reaches more than their work needs. On this cluster it is held in 14 namespaces, 3 of which hold credentials of other systems.",
    subject: isPath || known?.check.startsWith("RB") ? (known?.check === "RB-12" ? "group oidc:<b>a\u2066b</b>" : "group oidc:payments-dev") : null,
    subjectKind: isPath || known?.check.startsWith("RB") ? "group" : null,
    evidence: isWorkload ? [{ binding: null, role: "Deployment payments/checkout", rule: null }] : [
      { binding: "ClusterRoleBinding deployer", role: "ClusterRole deployer", rule: "bind clusterroles" },
      { binding: "RoleBinding ci/dev-edit", role: "ClusterRole edit", rule: "create pods" },
      ...(long ? [{ binding: `ClusterRoleBinding ${"on-and-on-".repeat(9)}`, role: `ClusterRole ${"everything-".repeat(8)}`, rule: "all verbs on all resources of all API groups, and all URLs\u202e" }] : []),
    ],
    path: isPath ? [...STEPS] : [],
    goal: isPath ? "everything: cluster-admin" : null,
    reviews: isPath ? 3 : 0,
    fix: {
      inSession: isWorkload,
      title: isWorkload ? "Mount no token into the pods of Deployment payments/checkout" : isPath ? "Let ClusterRole deployer bind app-deployer alone" : "Take the binding away, and ask for a session instead",
      yaml: (isWorkload ? "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: checkout\n  namespace: payments\n  uid: u-1\n  resourceVersion: \"5\"\nspec:\n  template:\n    spec:\n      automountServiceAccountToken: false\n" : isPath ? YAML : "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: people-admin\n# delete it\n").split("\n"),
      commands: [isWorkload ? "kubectl --context checkout-stage apply --server-side --force-conflicts -f checkout.yaml" : isPath ? "kubectl --context payments-eu-1 patch clusterrole deployer --type json -p '[{\"op\":\"add\",\"path\":\"/rules/0/resourceNames\",\"value\":[\"app-deployer\"]}]'" : "kubectl delete clusterrolebinding people-admin"],
      pullRequest: isWorkload ? ["Mount no token into the pods of checkout", "", "They call no API server, and their account may mint tokens."] : "Bind app-deployer alone\n\nClusterRole deployer may bind any ClusterRole, so whoever may create pods in ci can become cluster-admin. It needs one.\n".split("\n"),
      effect: isWorkload ? [
        { about: "Before you do", text: "If a program in them calls the API server, it is refused from then on; whether one does cannot be read here.", used: null },
        { about: "Before you do", text: "Its pods restart: the Deployment rolls at once, and one that is Recreate has none for a while. A roll-back to an earlier revision brings the token back.", used: null },
      ] : [
        { about: "ServiceAccount ci/deployer", text: "loses 68 roles it could bind", used: null },
        { about: "group oidc:payments-dev", text: "loses the way to cluster-admin", used: isPath ? null : "used on 21 Nov 2026" },
      ],
      effectMore: isPath || isWorkload ? 0 : 41,
      gaps: [],
      closes: isPath ? true : null,
      profile: isPath ? PROFILE.split("\n") : [],
      profileNote: isWorkload ? null : isPath ? "It gives what deployer needs in ci, for an hour, with one approval." : "No profile can give it: it is cluster-wide and dangerous.",
    },
    advice: isWorkload ? "Say automountServiceAccountToken: false on the account too, so that no workload gets it unasked." : "Bind to the roles that are needed by name, and give everything wider by a session that ends.",
    maps: ["CIS 5.1.8", "OWASP K02", "MITRE T1098", "NSA RBAC"],
    gaps: isPath ? [] : ["validatingadmissionpolicies were not read: what they refuse is not counted"],
  };
  return known && !isPath && !isWorkload && !known.check.startsWith("RB") ? { ...base, fix: null, advice: "It is a setting of the API server. Whoever runs the control plane changes it there." } : base;
}

const PRACTICES: readonly [string, PostureVerdict, string | null, string | null][] = [
  ["TLS everywhere", "pass", null, null],
  ["Private endpoint", "fail", "6 API servers answer from anywhere.", "Limit who reaches them to your networks, in the cloud's settings."],
  ["Third-party sign-in", "pass", null, null],
  ["Inbound closed", "pass", null, null],
  ["At least two factors", "pass", null, null],
  ["Client certificates rotated", "fail", "Certificates of 9 clusters are good for more than a year.", "Let them end within 90 days, and sign people in by your provider instead."],
  ["RBAC with least privilege", "fail", "112 people hold standing admin rights.", "Replace the standing grants by profiles, those of payments-eu-1 first."],
  ["Admission control and ResourceQuota on", "fail", "11 clusters enforce no Pod Security level.", "Label their namespaces; the fix of each finding has the command."],
  ["Audit on at a useful level", "unknown", "29 control planes are managed, and do not say what they record.", "Look at the audit settings in the cloud accounts."],
  ["Audit aggregated centrally", "provider", "It is a setting of the cloud on 29 clusters.", "Look at where the logs are sent there."],
];

export function practices(clusters: number): Practice[] {
  return PRACTICES.map(([name, verdict, gap, next], at): Practice => {
    const broken = verdict === "fail" ? Math.min(clusters, [0, 6, 0, 0, 0, 9, 37, 11, 0, 0][at] ?? 0) : 0;
    const unknown = Math.min(clusters - broken, verdict === "unknown" || verdict === "provider" ? 29 : at === 0 ? 0 : 4);
    const evidence = verdict === "pass" ? ["handshakes of this scan, 1.2 and newer on every cluster", "guardrails of Sallyport verified on every cluster"] : ["what was read by the scans of this fleet", ...(at === 6 ? ["41 of the 112 are not seen in 90 days of history"] : [])];
    return { number: at + 1, name, verdict, evidence, gap, next, kept: clusters - broken - unknown, broken, unknown };
  });
}

export function exceptions(now: number): ExceptionView[] {
  const one = (id: string, over: Partial<ExceptionView>): ExceptionView => ({ id, check: "RB-39", title: "Events can be deleted, and with them what happened", clusters: "*", about: "ServiceAccount monitoring/cleaner", owner: "platform@example.test", reason: "The cleaner keeps etcd small; its own deletes are audited.", until: now + 90 * DAY, isExpired: false, matches: 23, ...over });
  return [
    one("e-cleaner", {}),
    one("e-certs", { check: "KC-05", title: "A client certificate without an end in sight", clusters: "legacy-*", about: null, owner: "ana@example.test", reason: "legacy-eu-9 goes away in spring.", until: now - 3 * DAY, isExpired: true, matches: 1 }),
    one("e-unused", { check: "RB-18", title: "Webhooks can be changed", clusters: "sandbox-*", about: "group oidc:<b>a\u2066b</b>", owner: "lee@example.test", reason: "Tried out in the lab.", matches: 0 }),
  ];
}

export const WHO: readonly WhoLine[] = [
  { subject: "group system:masters", by: "ClusterRoleBinding cluster-admin → ClusterRole cluster-admin", clusters: ["checkout-eu-2", "ledger-us-1", "payments-eu-1", "search-ap-1"], count: 86 },
  { subject: "group oidc:platform-admins", by: "ClusterRoleBinding platform → ClusterRole cluster-admin", clusters: ["checkout-stage", "payments-eu-1", "sandbox-12"], count: 37 },
  { subject: "ServiceAccount ci/deployer", by: "ClusterRoleBinding deployer → ClusterRole deployer", clusters: ["payments-eu-1", "search-ap-1"], count: 2 },
  { subject: "user oidc:somebody.with.a.very.long.name.indeed.that.goes.on.and.on@departments.platform-engineering.example.test", by: `RoleBinding payments/${"on-and-on-".repeat(6)} → Role reads-secrets\u202e`, clusters: ["payments-eu-1"], count: 1 },
];
