import type { PostureCluster, PostureDriftLine, ScanRun, ScanState } from "../../bindings/ipc";
import { FakeSession, failure } from "./sessions";
import type { World } from "./world";

const KINDS = 40;
const AT_ONCE = 4;

/** Scans by sessions, four at a time, as the desktop runs them; what becomes of one depends on the cluster's name. */
export class FakeScans {
  run: ScanRun | null = null;
  readonly states = new Map<string, ScanState>();
  readonly scannedAt = new Map<string, number>();
  /** What a later scan found to be otherwise, before what was known. */
  readonly found: PostureDriftLine[] = [];
  private waiting: string[] = [];
  private live = 0;

  constructor(private readonly world: World) {}

  start(clusters: readonly string[]): void {
    if (this.run === null || this.run.isOver) {
      this.run = { begunAt: Date.now(), total: 0, done: 0, failed: 0, cancelled: 0, isOver: false };
      this.states.clear();
    }
    const fresh = clusters.filter((name) => !this.states.has(name));
    this.run = { ...this.run, total: this.run.total + fresh.length };
    for (const name of fresh) this.set(name, { kind: "waiting" });
    this.waiting.push(...fresh);
    for (let i = this.live; i < AT_ONCE; i++) void this.next();
  }

  stop(cluster: string | null): void {
    for (const [name, state] of this.states) {
      if (cluster !== null && cluster !== name) continue;
      if (["waiting", "opening", "reading"].includes(state.kind)) this.end(name, { kind: "cancelled" });
    }
    this.waiting = this.waiting.filter((name) => this.states.get(name)?.kind === "waiting");
  }

  /** How the clusters of the grid are with what this run did. */
  over(cluster: PostureCluster): PostureCluster {
    const at = this.scannedAt.get(cluster.name);
    const pass = { verdict: "pass" as const, worst: null, count: 0, unknown: 0, excepted: 0 };
    const first = at !== undefined && cluster.cells.length === 0 ? { coverage: 96, cells: Array.from({ length: 8 }, () => pass) } : {};
    return { ...cluster, ...first, scan: this.states.get(cluster.name) ?? { kind: "none" }, scannedAt: at ?? cluster.scannedAt };
  }

  private async next(): Promise<void> {
    const name = this.waiting.shift();
    if (name === undefined) return;
    this.live += 1;
    await this.scan(name);
    this.live -= 1;
    await this.next();
  }

  private async scan(name: string): Promise<void> {
    const { world } = this;
    const cluster = world.cluster(name);
    const id = `fake-scan-${name}`;
    const input = { cluster: name, profile: "posture", namespaces: [], durationSeconds: 900, reason: "posture scan" };
    const session = new FakeSession(id, cluster, input, ({ ...view }) => world.hear({ kind: "session", session: view }), () => {}, world.pause, true, Promise.resolve(), null, true);
    world.sessions.set(id, session);
    this.set(name, { kind: "opening", session: id });
    await session.open();
    if (session.view.error !== null) {
      this.end(name, { kind: "failed", error: session.view.error });
      world.sessions.delete(id);
      return world.hear({ kind: "sessionGone", id });
    }
    if (name.startsWith("vault")) {
      this.end(name, { kind: "failed", error: failure("stepUpNeeded", "The hub wants a fresher second factor for this profile.", { hint: "Sign in again with a second factor, then scan it again.", retry: true, stepUp: { acr: ["urn:sallyport:mfa"], amr: ["otp"], maxAgeSeconds: 3600, message: "A scan opens only within 1 h of your second factor." } }) });
    }
    for (let done = 0; done <= KINDS && this.goes(name); done += 4) {
      this.set(name, { kind: "reading", session: id, done, total: KINDS });
      await world.pause(120);
    }
    if (this.goes(name)) this.set(name, { kind: "closing", session: id });
    await session.close("left");
    const unproven = session.view.proof.some(({ state }) => state === "unproven");
    if (this.states.get(name)?.kind === "closing") {
      const error = world.scene === "postureCut" && unproven ? failure("unreachable", "The list of pods ended in the middle, twice.", { hint: "Scan it again once the API server answers.", retry: true }) : null;
      if (error === null) this.scannedAt.set(name, Date.now());
      this.end(name, unproven ? { kind: "unproven", session: id, error } : { kind: "done", session: id });
    }
    if (unproven) return;
    world.sessions.delete(id);
    world.hear({ kind: "sessionGone", id });
  }

  private goes(name: string): boolean {
    const kind = this.states.get(name)?.kind;
    return kind === "opening" || kind === "reading";
  }

  private end(name: string, state: ScanState): void {
    const { run } = this;
    if (run === null) return;
    const key = state.kind === "cancelled" ? "cancelled" : state.kind === "failed" ? "failed" : "done";
    const counted = { ...run, [key]: run[key] + 1 };
    this.run = { ...counted, isOver: counted.done + counted.failed + counted.cancelled >= counted.total };
    this.set(name, state);
  }

  private set(name: string, state: ScanState): void {
    this.states.set(name, state);
    this.world.hear({ kind: "postureChanged" });
  }
}
