import type { SealView } from "../../bindings/ipc";
import { FakeEvidence, NOTHING } from "./evidence";
import { exports } from "./exports";
import type { Handlers } from "./handlers";
import { failure } from "./sessions";
import type { World } from "./world";

export function audit(world: World) {
  const evidence = new FakeEvidence(world);
  Object.assign(world, { evidence });
  const grew = () => world.hear({ kind: "evidenceChanged" });
  const sealed = { fingerprint: "9c41d2e86a0b3f57".repeat(4), since: Date.UTC(2026, 8, 3, 9, 12, 44), isHandingOver: false };
  const sealOf = (of: World): SealView => of.scene === "memoryOnly"
    ? { fingerprint: null, since: null, former: null, until: 0, entries: of.history.entries.length, isHandingOver: false }
    : { ...sealed, former: null, until: of.history.entries.length - (sealed.isHandingOver ? 3 : 0), entries: of.history.entries.length };
  return {
    ...exports(world, evidence),
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
    audit_seal: async () => {
      await world.pause(60);
      if (world.scene === "auditFails") throw failure("failed", "The history can't be read.", { hint: "Run verify; the log has the details." });
      return sealOf(world);
    },
    audit_seal_renew: async ({ fingerprint }) => {
      await world.pause(400);
      const before = sealOf(world);
      if (fingerprint !== before.fingerprint) throw failure("badInput", "the sealing key is another than the one that was shown", { hint: "Look at it again." });
      if (world.scene === "auditBusy") {
        sealed.isHandingOver = true;
        throw failure("failed", "The disk did not take the old key's word for the new one in time", { hint: "It is tried again by itself, now and at the next start; until then both keys are kept." });
      }
      [sealed.fingerprint, sealed.since] = ["5e1f77c0".repeat(8), Date.now()];
      world.history.append({ action: "seal_renewed", sentence: "A new sealing key, 5e1f77c05e1f77c0…, named by 9c41d2e86a0b3f57…" }, Date.now() * 1000);
      world.hear({ kind: "historyGrew", position: { sequence: world.history.entries.length } });
      return { ...sealOf(world), former: fingerprint };
    },
    audit_timeline: async ({ filter, before, limit }) => {
      await world.pause(30);
      if (world.scene === "auditLoading") return new Promise<never>(() => {});
      if (world.scene === "auditFails") throw failure("failed", "The history can't be read.", { hint: "Run verify; the log has the details." });
      return evidence.page(filter, before, limit);
    },
    audit_calls: async ({ filter, before, limit }) => {
      await world.pause(30);
      return evidence.callsOf(filter, before, limit);
    },
    audit_histogram: async ({ filter, bins }) => {
      await world.pause(30);
      return evidence.histogram(filter, bins);
    },
    audit_top: async ({ filter, facet }) => {
      const of = { person: "who", cluster: "cluster", verb: "word", resource: "", namespace: "", code: "status", action: "word", session: "" }[facet] as "who";
      return evidence.top({ ...filter, side: facet === "action" || facet === "session" ? "own" : "cluster" }, (row) => String((facet === "session" ? row.entry?.ids.session : row[of]) ?? ""));
    },
    audit_call: async ({ id }) => evidence.detail(id),
    audit_raw: async ({ id }) => {
      const row = evidence.rows({}).find((one) => one.id === id);
      return JSON.stringify({ kind: "Event", apiVersion: "audit.k8s.io/v1", level: "RequestResponse", auditID: "0195f0aa-0007-7000-8000-00000000a81f", ...row, requestObject: { spec: { replicas: 10 } }, responseObject: { data: "‹redacted›" } }, null, 2).split("\n");
    },
    audit_deleted: async ({ object }) => {
      if (object.name === "") throw failure("badInput", "Who deleted what is not said.", { hint: "Say what it was and its name, as in `deployment checkout`." });
      const found = object.name === "checkout" ? evidence.calls.filter((row) => row.word === "delete").slice(-3).reverse().map((row) => ({ row, how: "named" as const })) : [];
      return { resource: object.resource === "deployment" ? "deployments.apps" : object.resource, found, hasMore: found.length > 0, begun: 0, untold: object.name === "checkout" ? 0 : 2, lacks: NOTHING };
    },
    audit_session: async ({ request }) => {
      await world.pause(60);
      return evidence.session(request);
    },
    audit_about: async ({ filter }) => {
      await world.pause(30);
      if (world.scene === "auditFails") throw failure("failed", "The history can't be read.", { hint: "Run verify; the log has the details." });
      const rows = evidence.rows(filter);
      const told = { ...filter, side: "cluster" as const };
      const calls = rows.filter((row) => row.side === "cluster");
      const asks = rows.filter((row) => row.word === "ask").slice(0, 12);
      return {
        own: rows.length - calls.length, calls: calls.length, denied: calls.filter((row) => row.status === 403).length, writes: calls.filter((row) => ["patch", "update", "delete", "create"].includes(row.word)).length,
        others: evidence.top(told, (row) => (filter.person ? row.cluster : row.who)), verbs: evidence.top(told, (row) => row.word), resources: evidence.top(told, (row) => (row.sentence.includes("deployment") ? "deployments.apps" : "pods")),
        sessions: asks.map((row) => ({ request: row.entry?.ids.request ?? "", who: row.who, cluster: row.cluster, profile: "operate", atUs: row.atUs })).filter((one, i, all) => all.findIndex((other) => other.request === one.request) === i), hasMore: false,
        ...evidence.reviewsOf(filter), lacks: evidence.lacks(),
      };
    },
    audit_review: async ({ review }) => {
      await world.pause(60);
      if (world.scene === "auditBusy") throw failure("failed", "The disk did not take the entry in time.", { hint: "It waits and is written as soon as the disk takes it: look into the timeline before you try again." });
      evidence.review(review, "dev@example.test");
      world.hear({ kind: "historyGrew", position: { sequence: world.history.entries.length } });
      return null;
    },
    audit_sources: async () => {
      await world.pause(30);
      const { calls, sources, follows } = evidence;
      return { sources, events: calls.length, bytes: calls.length * 248, fromUs: calls[0]?.atUs ?? null, toUs: calls.at(-1)?.atUs ?? null, removed: evidence.removed, keepDays: evidence.keep.days, keepBytes: evidence.keep.bytes, problems: world.scene === "auditedPart" ? ["the segment `000004.db` can't be opened: it is no database"] : [], follows };
    },
    audit_source_add: async ({ cluster, path }) => {
      if (!path.startsWith("/") && !path.startsWith("~/")) throw failure("badInput", "The path is no whole path.", { hint: "Begin it with / or ~/." });
      evidence.sources = [...evidence.sources, { id: `${cluster}-${evidence.sources.length}`, cluster, path, isStore: false, state: { kind: "reading", files: 0, of: 1 }, tallies: [] }];
      const at = evidence.sources.length - 1;
      setTimeout(() => {
        for (let i = 0; i < 40; i++) evidence.append((Date.now() - (40 - i) * 1000) * 1000, i);
        evidence.sources = evidence.sources.with(at, { ...(evidence.sources[at] as (typeof evidence.sources)[0]), state: { kind: "read", at: Date.now(), events: 40, bad: 0, foreign: 0, left: [], leftCount: 0 } });
        grew();
      }, 200 / world.speed);
      grew();
      return null;
    },
    audit_store_add: async ({ store }) => {
      if (!/^(victorialogs|loki):https:/.test(store.address)) throw failure("badInput", "a log store is named like victorialogs:https://logs.example:9428, loki:https://… or otlp:https://…");
      evidence.sources = [...evidence.sources, { id: `logs-${evidence.sources.length}`, cluster: store.cluster ?? "", path: store.address, isStore: true, state: { kind: "answered", at: Date.now(), tookMs: 87, records: 1000, bad: 0, foreign: 0 }, tallies: [] }];
      grew();
      return null;
    },
    audit_keep: async ({ days, bytes }) => {
      await world.pause(60);
      if (world.scene === "notTaken") throw failure("failed", "the preferences can't be used", { hint: "Check that the disk is not full." });
      evidence.keep = { days, bytes };
      evidence.retain();
      grew();
      return null;
    },
    audit_heat: async ({ from, days }) => {
      await world.pause(60);
      if (world.scene === "auditFails") throw failure("failed", "The clusters' audit events can't be read.", { hint: "`sallyport audit status` says more." });
      return evidence.heat(from, days);
    },
    audit_source_remove: async ({ source }) => {
      evidence.sources = evidence.sources.filter((one) => one.id !== source);
      return null;
    },
    audit_source_read: async () => null,
    audit_source_stop: async () => null,
    audit_follow: async ({ on }) => {
      evidence.follows = on;
      return null;
    },
    audit_saved: async () => evidence.saved,
    audit_save: async ({ name, filter }) => {
      evidence.saved = [...evidence.saved.filter((one) => one.name !== name), { name, filter }];
      return null;
    },
    audit_unsave: async ({ name }) => {
      evidence.saved = evidence.saved.filter((one) => one.name !== name);
      return null;
    },
  } satisfies Partial<Handlers>;
}
