import type { AuditEntryView, CallDetail, CommandView, HeatDay, HeatView, HistogramView, LacksView, ReviewInput, ReviewView, SavedFilter, SessionEvidence, SourceView, TieView, TimelineFilter, TimelinePage, TimelineRow, TopView } from "../../bindings/ipc";
import { fleet } from "./heat";
import { failure } from "./sessions";
import type { World } from "./world";

export const NOTHING: LacksView = { isCut: false, damaged: 0, unreadFiles: 0, why: null, stores: [] };

const REQUEST = "0b6f2c7e-2f1d-4d0e-9a51-6f4b1c2d3e4f";

/** Calls as a cluster's API server tells of them, and the sources they come from. */
export class FakeEvidence {
  readonly calls: TimelineRow[] = [];
  sources: SourceView[] = [];
  saved: SavedFilter[] = [];
  follows = false;
  keep: { days: number | null; bytes: number } = { days: null, bytes: 16 * 1_073_741_824 };
  removed = 0;
  readonly #reviews: { name: string; view: ReviewView }[] = [];
  #ids = 0;

  constructor(readonly world: World) {
    if (!world.scene.startsWith("audited")) return;
    const now = Date.now() * 1000;
    for (let i = 0; i < 3000; i++) this.append(now - ((3000 - i) * 43.2 + 900 * Math.sin(i / 160)) * 1e6 - 1e9, i);
    this.command("kubectl apply", APPLIED, now - 5e8);
    // As the recording of an hour ago shows it.
    this.command("kubectl rollout", ROLLOUT, (world.began - 3600_000 + 60_200) * 1000);
    this.sources = [
      source("ledger-us-1", "/var/log/kubernetes/ledger-us-1/", { kind: "read", at: Date.now() - 240_000, events: 2812, bad: 3, foreign: 41, left: ["/var/log/kubernetes/ledger-us-1/old is a link, which is not followed"], leftCount: 1 }, [["events", 2812], ["not JSON", 3], ["text", 41]]),
      source("payments-eu-1", `/srv/logs/${"a-very-long-folder-name/".repeat(6)}audit.log`, { kind: "failed", at: Date.now() - 3_600_000, why: "`/srv/logs/audit.log` could not be opened: Permission denied (os error 13). Let this user read it: API servers write their logs for root alone, so a copy or a group is needed" }, []),
      { id: "logs-5e0c11aa", cluster: "", path: "victorialogs:https://logs.example:9428/", isStore: true, tallies: [], state: { kind: "answered", at: Date.now() - 30_000, tookMs: 212, records: 1000, bad: 0, foreign: 12 } },
      { id: "logs-77aa01bc", cluster: "ledger-us-1", path: "loki:https://loki.example/", isStore: true, tallies: [], state: { kind: "failed", at: Date.now() - 30_000, why: "loki.example answered 401: no credential" } },
      source("search-ap-2", "/srv/logs/search.log.gz", { kind: "reading", files: 3, of: 12 }, [["events", 188]]),
    ];
  }

  append(atUs: number, i: number): TimelineRow {
    const one = SCRIPT[i % SCRIPT.length] as Written;
    const tie: TieView | null = one.tied ? { by: one.tied, isInferred: one.tied === "userAndTime", request: REQUEST, session: "5e55107f3k2", who: "oidc:dev@example.test", call: null } : null;
    const row: TimelineRow = { id: `call:${++this.#ids}@${Math.floor(atUs)}`, atUs: Math.floor(atUs), side: "cluster", sentence: one.sentence, who: one.who, cluster: i % 9 === 0 ? "payments-eu-1" : "ledger-us-1", via: one.via, status: one.status, word: one.verb, outcome: one.status === 403 ? "refused" : "done", gap: false, tie, command: null, entry: null };
    this.calls.push(row);
    return row;
  }

  /** A command of kubectl through the gateway: each of its calls is an entry, a second after the other. */
  command(name: string, calls: readonly (readonly [string, number])[], atUs: number, session = "5e55107f3k2"): void {
    const kubectl = `k-${++this.#ids}`;
    calls.forEach(([sentence, status], i) => this.world.history.append({ action: "call", sentence, status, outcome: status >= 400 ? "refused" : "done", via: "kubectl", cluster: "ledger-us-1", detail: [["kubectl_session", kubectl], ["kubectl_command", name]], ids: { request: REQUEST, grant: null, session, jti: null, auditId: `${kubectl}-${i}` } }, atUs + i * 1e6));
  }

  rows(filter: TimelineFilter): TimelineRow[] {
    const text = filter.text?.toLowerCase();
    const own = this.world.history.entries.map(ownRow);
    const all = [...(filter.side === "cluster" ? [] : own), ...(filter.side === "own" || filter.action ? [] : this.calls)];
    return all.filter((row) =>
      (!filter.cluster || row.cluster === filter.cluster)
      && (!filter.person || row.who.endsWith(filter.person))
      && (!filter.verb || row.word === filter.verb)
      && (!filter.session || row.entry?.ids.session === filter.session || row.tie?.session === filter.session)
      && (!filter.request || row.entry?.ids.request === filter.request || row.tie?.request === filter.request)
      && (!filter.action || row.word === filter.action.replaceAll(" ", "_"))
      && (!filter.code || (filter.code === "denied" ? row.status === 403 : filter.code === "allowed" ? row.outcome === "done" : filter.code === "failed" ? row.outcome === "failed" : String(row.status).startsWith(filter.code.replace("xx", ""))))
      && (!filter.namespace && !filter.resource && !filter.name || row.side === "cluster")
      && (filter.fromUs === undefined || row.atUs >= filter.fromUs) && (filter.toUs === undefined || row.atUs < filter.toUs)
      && (!text || JSON.stringify(row).toLowerCase().includes(text))).sort((a, b) => b.atUs - a.atUs || b.id.localeCompare(a.id));
  }

  page(filter: TimelineFilter, before: string | null, limit: number): TimelinePage {
    if (filter.code === "999") throw failure("badInput", "`999` is no HTTP status", { hint: "Say 403, 4xx, allowed, denied or failed." });
    const rows = this.rows(filter);
    const from = before === null ? 0 : Number(before);
    const next = from + limit < rows.length ? String(from + limit) : null;
    return { rows: rows.slice(from, from + limit), next, lacks: this.lacks(), ownTotal: this.world.history.entries.length, clusterTotal: this.calls.length };
  }

  /** Writes a review down, as an entry too. */
  review(review: ReviewInput, by: string): void {
    const atUs = Date.now() * 1000;
    const of = { person: "the access of", cluster: "the access to", standing: "standing access on" }[review.of];
    const came = review.ruling === "kept" ? "it is kept" : "something of it is to be removed";
    const entry = this.world.history.append({ action: "access_reviewed", sentence: `Reviewed ${of} ${review.name}: ${came}${review.note ? `, “${review.note}”` : ""}`, user: by, cluster: review.of === "person" ? "" : review.name }, atUs);
    this.#reviews.unshift({ name: review.name, view: { sequence: entry.sequence, atUs, by, isOwn: review.of === "person" && review.name === by, of: review.of, fromUs: review.fromUs ?? null, toUs: review.toUs ?? atUs, ruling: review.ruling, note: review.note } });
  }

  /** Removes what is too old. */
  retain(): void {
    if (this.keep.days === null) return;
    const end = (Date.now() - this.keep.days * 86_400_000) * 1000;
    const stays = this.calls.filter((row) => row.atUs >= end);
    this.removed += this.calls.length - stays.length;
    this.calls.splice(0, this.calls.length, ...stays);
  }

  heat(fromUs: number, days: number): HeatView {
    const stepUs = 86_400_000_000;
    const lacks = this.lacks();
    if (this.world.scene === "auditedFleet") return { fromUs, stepUs, clusters: fleet(days), more: 17, stores: 2, lacks };
    const clusters = new Map<string, HeatDay[]>();
    for (const row of this.calls) {
      const at = Math.floor((row.atUs - fromUs) / stepUs);
      if (at < 0 || at >= days) continue;
      const all = clusters.get(row.cluster) ?? Array.from({ length: days }, () => ({ calls: 0, writes: 0, failed: 0, denied: 0 }));
      clusters.set(row.cluster, all);
      const day = all[at] as HeatDay;
      day.calls += 1;
      if (["patch", "update", "delete", "create"].includes(row.word)) day.writes += 1;
      if (row.status === 403) (day.denied += 1), (day.failed += 1);
    }
    const rows = [...clusters].sort(([a], [b]) => a.localeCompare(b)).map(([cluster, all]) => ({ cluster, days: all }));
    return { fromUs, stepUs, clusters: rows, more: 0, stores: this.sources.filter((one) => one.isStore).length, lacks };
  }

  reviewsOf({ person, cluster }: TimelineFilter): { reviews: ReviewView[]; hasMoreReviews: boolean } {
    const all = this.#reviews.filter(({ name, view }) => (person ? view.of === "person" && name === person : view.of !== "person" && name === cluster)).map(({ view }) => view);
    return { reviews: all.slice(0, 20), hasMoreReviews: all.length > 20 };
  }

  lacks(): LacksView {
    if (this.world.scene === "auditedPart") return { isCut: true, damaged: 412, unreadFiles: 1, why: null, stores: [{ store: "logs.example:9428", why: "logs.example:9428 did not answer within 20 s", beforeUs: (Date.now() - 86_400_000) * 1000, isPending: false, hasFailed: true }] };
    if (this.world.scene === "auditBusy") return { ...NOTHING, why: "the archive of the clusters' audit events is in use by process 4711" };
    return NOTHING;
  }

  histogram(filter: TimelineFilter, bins: number): HistogramView {
    const rows = this.rows(filter);
    const first = filter.fromUs ?? rows.at(-1)?.atUs;
    const last = filter.toUs ?? (rows[0]?.atUs ?? 0) + 1;
    if (first === undefined) return { fromUs: 0, stepUs: 0, bins: [], lacks: NOTHING };
    const stepUs = Math.max(1, Math.ceil((last - first) / bins));
    const out = Array.from({ length: bins }, () => ({ own: 0, calls: 0, failed: 0 }));
    for (const row of rows) {
      const bin = out[Math.floor((row.atUs - first) / stepUs)];
      if (!bin) continue;
      bin[row.side === "own" ? "own" : "calls"] += 1;
      if (row.outcome === "refused" || row.outcome === "failed") bin.failed += 1;
    }
    return { fromUs: first, stepUs, bins: out, lacks: NOTHING };
  }

  top(filter: TimelineFilter, of: (row: TimelineRow) => string): TopView {
    const counts = new Map<string, number>();
    for (const row of this.rows(filter)) counts.set(of(row), (counts.get(of(row)) ?? 0) + 1);
    const first = [...counts].filter(([text]) => text).sort((a, b) => b[1] - a[1]).slice(0, 20).map(([text, calls]) => ({ text, calls }));
    return { first, others: 0, lacks: NOTHING };
  }

  detail(id: string): CallDetail {
    const row = this.calls.find((one) => one.id === id);
    if (!row) throw failure("badInput", "This call is not kept any more.", { hint: "Load the list anew." });
    const fact = (name: string, value: string, came: "raw" | "normalised" | "inferred" = "raw") => ({ name, value, came });
    return {
      row, flaws: row.status === 403 ? ["something in it was longer than is kept"] : [], borrowsAnId: false, redactions: row.sentence.includes("redacted") ? 1 : 0, source: "ledger-us-1-1f0c9a2b", place: { file: "9f2b61d0c4a87e55", offset: 81_140_221 },
      facts: [fact("Verb", row.word), fact("About", "deployments.apps/scale checkout", "inferred"), fact("Namespace", "settlement"), fact("Who", row.who), fact("Groups", "system:authenticated, oidc:payments-dev"), fact("Status", String(row.status ?? "")), fact("Decision", row.status === 403 ? "forbid" : "allow"), fact("Because", "RBAC: allowed by RoleBinding \"s-7f3k2/settlement\" of Role \"operate\""), fact("From", "10.4.18.2, 192.0.2.7"), fact("Program", `${row.via}/v1.37.2 (linux/amd64) kubernetes/\u202e0a1b2c`), fact("Made with", "JTI=9c1e77aa-4a0b-4e3c-b1c4-2f6d8e9a0b1c"), fact("Took", "12 ms", "normalised"), fact("Audit-ID", "0195f0aa-0007-7000-8000-00000000a81f"), fact("Address", "/apis/apps/v1/namespaces/settlement/deployments/checkout/scale?fieldManager=kubectl"), fact("Level", "RequestResponse")],
    };
  }

  /** When the session was: around what its recording shows. */
  #span(): { fromUs: number; toUs: number } {
    const shownUs = (this.world.began - 3600_000) * 1000;
    return { fromUs: shownUs - 420e6, toUs: shownUs + 660e6 };
  }

  /** The calls of one session. */
  callsOf(filter: TimelineFilter, before: string | null, limit: number): TimelinePage {
    if (filter.request !== REQUEST) return this.page(filter, before, limit);
    const { fromUs, toUs } = this.#span();
    return this.page({ ...filter, fromUs: Math.max(filter.fromUs ?? 0, fromUs), toUs: Math.min(filter.toUs ?? Infinity, toUs) }, before, limit);
  }

  session(request: string): SessionEvidence {
    const of = this.world.history.entries.filter((entry) => entry.ids.request === request);
    const { fromUs, toUs } = this.#span();
    const steps = STEPS.flatMap(([action, afterS]) => of.filter((entry) => entry.action === action).slice(0, 1).map((entry) => ({ ...entry, atUs: fromUs + afterS * 1e6 })));
    if (steps.length === 0) throw failure("badInput", "Nothing in this history is about that request.", { hint: "It may have been asked for on another desktop." });
    const has = this.calls.length > 0;
    const around = this.calls.find((row) => row.word === "delete" && row.atUs > fromUs + 420e6);
    const chain = [...steps.map(ownRow), ...(has ? MADE.map(([afterS, sentence, who, word, by], i) => ({ ...madeRow, id: `call:${900_000 + i}@${fromUs + afterS * 1e6}`, atUs: fromUs + afterS * 1e6, sentence, who, word, tie: by ? { by, isInferred: false, request: REQUEST, session: "5e55107f3k2", who: "oidc:dev@example.test", call: null } : null })) : [])].sort((a, b) => a.atUs - b.atUs);
    return {
      request, session: "5e55107f3k2", who: "oidc:dev@example.test", cluster: "ledger-us-1", profile: "operate", reason: "roll back worker", fromUs, toUs, isOver: true, chain, hasMore: false,
      gateway: 412, seen: has ? 413 : 0, joined: has ? 411 : 0, ties: has ? [{ by: "auditId", calls: 411 }, { by: "jti", calls: 2 }] : [], asked: has ? 6 : 0, unclear: 0,
      bypasses: has && around ? [{ row: around, reusesAnId: false, address: "203.0.113.9" }] : [],
      unseen: has ? [{ atUs: fromUs + 491_000_000, address: "/api/v1/namespaces/settlement/pods?watch=true", innocent: ["nobody knows what the audit policy tells of", "another API server may have told of it"] }] : [], unseenCount: has ? 1 : 0,
      used: [{ resource: "deployments.apps", verbs: ["get", "patch"], times: 9, denied: 0 }, { resource: "pods/exec", verbs: ["create"], times: 1, denied: 0 }, { resource: "secrets", verbs: [], times: 1, denied: 1 }],
      unused: { lines: [{ of: ["daemonsets.apps", "statefulsets.apps"], verbs: ["get", "list", "patch", "watch"] }, { of: ["deployments.apps/scale"], verbs: ["patch"] }, { of: ["jobs.batch"], verbs: ["*"] }, { of: ["pods/portforward"], verbs: ["create"] }], more: 0, rules: 14, untold: 0 },
      grantedRules: 21, roleRules: 2, role: ["apiVersion: rbac.authorization.k8s.io/v1", "kind: Role", "metadata:", "  name: \"operate-used\"", "  namespace: \"settlement\"", "rules:", "- apiGroups: [\"apps\"]", "  resources: [\"deployments\"]", "  verbs: [\"get\", \"patch\"]", "- apiGroups: [\"\"]", "  resources: [\"pods/exec\"]", "  verbs: [\"create\"]"],
      lacks: this.lacks(),
    };
  }
}

function ownRow(entry: AuditEntryView): TimelineRow {
  return { id: `own:${entry.sequence}`, atUs: entry.atUs, side: "own", sentence: entry.sentence, who: entry.user, cluster: entry.cluster, via: entry.via, status: entry.status, word: entry.action, outcome: entry.outcome, gap: entry.gap, tie: null, command: commandOf(entry), entry };
}

/** As the host reads it out of an entry. */
function commandOf(entry: AuditEntryView): CommandView | null {
  const said = Object.fromEntries(entry.detail) as Record<string, string>;
  const kubectl = said["kubectl_session"];
  const says = /^(Asked|Looked what)/.test(entry.sentence) ? "asks" : /^(Read|Listed|Watched|Tried to read)/.test(entry.sentence) ? "reads" : "acts";
  return kubectl ? { id: `${entry.ids.request}/${kubectl}`, name: said["kubectl_command"] ?? "", call: entry.ids.auditId ?? String(entry.sequence), says } : null;
}

const APPLIED: readonly [string, number][] = [
  ["Asked what there is", 200], ["Read deployment checkout in settlement", 200], ["Changed deployment checkout in settlement", 200], ["Created config map checkout in settlement", 201], ["Tried to read secret checkout-tls in settlement", 403],
];
/** The calls that one `kubectl rollout undo` makes, oldest first. */
export const ROLLOUT: readonly [string, number][] = [
  ["Asked what there is", 200], ["Asked what there is", 200], ["Read deployment worker in settlement", 200], ["Listed replica sets in settlement", 200], ["Rolled back deployment worker in settlement to revision 41", 200],
  ["Read deployment worker in settlement", 200], ["Watched deployments in settlement", 200], ["Read replica set worker-5d7 in settlement", 200],
];

function source(cluster: string, path: string, state: SourceView["state"], tallies: [string, number][]): SourceView {
  return { id: `${cluster}-1f0c9a2b`, cluster, path, isStore: false, state, tallies };
}

const BROKER = "system:serviceaccount:sallyport-system:broker";
const madeRow: TimelineRow = { id: "", atUs: 0, side: "cluster", sentence: "", who: "", cluster: "ledger-us-1", via: "sallyport-broker", status: 201, word: "create", outcome: "done", gap: false, tie: null, command: null, entry: null };
/** The steps of a session, seconds after it was asked for. */
const STEPS: readonly (readonly [string, number])[] = [["sign_in", -180], ["ask", 0], ["approved", 380], ["granted", 382], ["terminal_open", 418], ["leave", 1044], ["rights_gone", 1045], ["token_refused", 1054]];
/** What the cluster tells of making and removing what a session was: seconds after it was asked for, sentence, who, verb, tie. */
const MADE: readonly (readonly [number, string, string, string, TieView["by"]?])[] = [
  [380.4, "Created service account s-7f3k2ab2-1795535530 in sallyport-sessions", BROKER, "create"],
  [380.6, "Created role binding g-7f3k2ab2-0 in settlement", BROKER, "create"],
  [381.2, "Minted a token of service account s-7f3k2ab2-1795535530 in sallyport-sessions", BROKER, "create", "issued"],
  [1044.6, "Deleted role binding g-7f3k2ab2-0 in settlement", BROKER, "delete"],
  [1044.9, "Deleted service account s-7f3k2ab2-1795535530 in sallyport-sessions", "system:serviceaccount:kube-system:generic-garbage-collector", "delete"],
];

type Written = { sentence: string; who: string; via: string; verb: string; status: number; tied?: TieView["by"] };

const SESSION = "system:serviceaccount:sallyport-sessions:s-7f3k2ab2-1795535530";
const SCRIPT: readonly Written[] = [
  { sentence: "Listed pods in settlement", who: SESSION, via: "kubectl", verb: "list", status: 200, tied: "auditId" },
  { sentence: "Read deployment worker in settlement", who: SESSION, via: "kubectl", verb: "get", status: 200, tied: "auditId" },
  { sentence: "Scaled deployment checkout in settlement to 10", who: "oidc:lee@example.test", via: "kubectl", verb: "patch", status: 200 },
  { sentence: "Ran psql -c ‹redacted› in pod worker-5d7-k2x in settlement", who: SESSION, via: "kubectl", verb: "create", status: 101, tied: "auditId" },
  { sentence: "Tried to read secret broker-tls in settlement", who: "oidc:dev@example.test", via: "kubectl", verb: "get", status: 403, tied: "userAndTime" },
  { sentence: "Updated lease leader-\u202eelection in kube-system", who: "system:kube-controller-manager", via: "kube-controller-manager", verb: "update", status: 200 },
  { sentence: "Deleted deployment checkout in settlement", who: SESSION, via: "curl", verb: "delete", status: 200, tied: "jti" },
  { sentence: "Watched config maps in settlement", who: `system:serviceaccount:${"n".repeat(63)}:${"a".repeat(80)}`, via: "argocd", verb: "watch", status: 200 },
];
