import type { ClusterView, ErrorView, OpenInput, Proof, ProofKind, SessionView, Step, StepKind, TerminalGuard, TerminalView } from "../../bindings/ipc";
import { FakeTerminal } from "./terminal";
import type { Output } from "../types";

/** Waits that a test can shorten. */
export type Pause = (ms: number) => Promise<void>;

const STEPS: readonly StepKind[] = ["signedIn", "asked", "approved", "granted", "ready"];

export function failure(code: ErrorView["code"], message: string, over: Partial<ErrorView> = {}): ErrorView {
  return { code, message, hint: null, retry: false, stepUp: null, ...over };
}

/** One scripted session. What happens depends on the cluster's name; see `open` and `close`. */
export class FakeSession {
  view: SessionView;
  readonly terminals = new Map<string, FakeTerminal>();
  private gone = false;

  constructor(
    id: string,
    private readonly cluster: ClusterView,
    input: Required<OpenInput>,
    private readonly tell: (session: SessionView) => void,
    private readonly log: (action: string, sentence: string, session: FakeSession, status?: number) => void,
    private readonly pause: Pause,
    private readonly mfaFresh: boolean,
    private readonly signedInAgain: Promise<void>,
    private readonly of: FakeSession | null = null,
    isScan = false,
  ) {
    this.view = {
      id,
      extends: of?.view.id ?? null,
      isScan,
      cluster: cluster.name,
      environment: cluster.environment,
      environmentWord: cluster.environmentWord,
      namespaces: input.namespaces,
      profile: input.profile,
      reason: input.reason,
      durationSeconds: input.durationSeconds,
      state: "opening",
      steps: STEPS.map((kind): Step => ({ kind, state: "waiting", ms: null, detail: "" })),
      waitingFor: null, vouching: null, recording: null, openedAt: null, extendedAt: null, endsAt: null, endsInMs: null, clickToPromptMs: null,
      calls: { total: 0, refused: 0, recent: [] },
      streams: [], terminals: [], proof: [], ended: null, error: null, request: null, grant: null,
    };
  }

  change(over: Partial<SessionView>): void {
    this.view = { ...this.view, ...over };
    if (this.view.endsAt !== null) this.view.endsInMs = this.view.endsAt - Date.now();
    this.tell(this.view);
  }

  private step(kind: StepKind, over: Partial<Step>): void {
    this.change({ steps: this.view.steps.map((s) => (s.kind === kind ? { ...s, ...over } : s)) });
  }

  async open(): Promise<void> {
    const { name } = this.cluster;
    const { profile, namespaces } = this.view;
    this.step("signedIn", { state: "done", ms: 0, detail: "MFA one-time code, 12 min ago" });
    await this.run("asked", 12, `${profile} · ${namespaces.join(", ") || "cluster-wide"}`);
    if (name.startsWith("vault") && !this.mfaFresh) {
      this.step("asked", { state: "running" });
      this.change({ error: failure("stepUpNeeded", "The hub wants a fresher second factor for this profile.", { retry: true, stepUp: { acr: ["urn:sallyport:mfa"], amr: ["otp"], maxAgeSeconds: 300, message: "vault clusters open only within 5 min of your second factor." } }) });
      await this.signedInAgain;
      if (this.gone) return;
      this.change({ error: null });
      await this.run("asked", 14, `${profile} · ${namespaces.join(", ")}`);
    }
    this.change({ request: "4c0b7c1e-9d2a-4f7e-8c55-0d9e8f7a6b5c" });
    this.log("ask", `Asked for ${profile} on ${name}`, this);
    if (this.gone) return;
    if (profile === "operate") {
      this.step("approved", { state: "running", detail: "" });
      this.change({ waitingFor: "waiting for 1 approval of payments leads" });
      await this.pause(6000);
      if (this.gone) return;
      this.change({ waitingFor: null });
      this.step("approved", { state: "done", ms: 6012, detail: "by lead@example.test" });
    } else await this.run("approved", 31, "at once: no approval needed");
    if (name.startsWith("mail")) {
      this.step("granted", { state: "running" });
      await this.pause(1500);
      return this.fail("granted", failure("unreachable", "The broker of mail-eu-1 did not answer within 10 s; it was last seen 47 min ago.", { hint: "Ask whoever runs mail-eu-1 to look at its broker, or try again.", retry: true }));
    }
    await this.run("granted", 88, "s-7f3k2q-1795535530, 2 bindings");
    await this.run("ready", 55, "first call answered 200");
    if (this.gone) return;
    const now = Date.now();
    if (this.of) {
      this.of.change({ endsAt: now + this.view.durationSeconds * 1000, extendedAt: now, steps: this.view.steps });
      this.view = { ...this.view, state: "open" };
      return this.close("left", null, "its session was extended");
    }
    const vouching = profile === "debug" ? { everySeconds: 900, graceSeconds: 300, vouchedAt: now - 60_000, closesAt: now + 1_140_000, overdue: null } : null;
    this.change({ state: "open", vouching, openedAt: now, endsAt: now + this.view.durationSeconds * 1000, clickToPromptMs: 186, grant: "b1d2c3e4-0000-4000-8000-000000000001" });
    this.log("session_open", `Session on ${name} is open`, this);
  }

  private async run(kind: StepKind, ms: number, detail: string): Promise<void> {
    if (this.gone) return;
    this.step(kind, { state: "running" });
    await this.pause(ms * 3);
    if (!this.gone) this.step(kind, { state: "done", ms, detail });
  }

  private fail(kind: StepKind, error: ErrorView): void {
    this.step(kind, { state: "failed", ms: kind === "granted" ? 10_000 : 14 });
    this.change({ state: "closed", error, ended: { reason: "failed", by: null, message: null, at: Date.now() } });
  }

  terminal(view: TerminalView, output: Output): FakeTerminal {
    const { cluster, namespaces, profile } = this.view;
    const ends = new Date(this.view.endsAt ?? 0).toTimeString().slice(0, 8);
    const made = new FakeTerminal(output, cluster, namespaces[0] ?? "default", (verb, resource, status) => this.called(verb, resource, status), `# ${cluster} · ${namespaces.join(", ") || "cluster-wide"} · ${profile} · ends ${ends}. Leave with Ctrl+Shift+L`);
    this.terminals.set(view.id, made);
    this.change({ terminals: [...this.view.terminals, view] });
    return made;
  }

  /** What a new terminal's shells are known to be; tests change it. */
  guard: TerminalGuard = { kind: "guarded" };

  guarded(terminal: string, change: (guard: TerminalGuard) => TerminalGuard): void {
    this.change({ terminals: this.view.terminals.map((t) => (t.id === terminal ? { ...t, guard: change(t.guard) } : t)) });
  }

  private called(verb: string, resource: string, status: number): void {
    const { calls } = this.view;
    const recent = [{ verb, resource, status, ms: 9.4 }, ...calls.recent].slice(0, 20);
    this.change({ calls: { total: calls.total + 1, refused: calls.refused + (status === 403 ? 1 : 0), recent } });
    this.log("call", `${verb} ${resource}`, this, status);
  }

  async close(reason: "left" | "revoked" | "expired", by: string | null = null, message: string | null = null): Promise<void> {
    if (this.gone) return;
    this.gone = true;
    if (this.view.state === "opening") {
      const detail = "no token was ever opened here";
      const proof = (["rightsGone", "tokenRefused"] as const).map((kind): Proof => ({ kind, state: "done", ms: 0, detail }));
      const error = failure("cancelled", "The opening was cancelled.");
      this.change({ state: "closed", ...(this.of ? { proof, error } : {}), ended: { reason: "left", by: null, message: null, at: Date.now() } });
      return;
    }
    const unproven = this.cluster.name.startsWith("search");
    const kinds: ProofKind[] = ["streamsCut", "terminalsEnded", "kubeconfigDeleted", "rightsGone", "accountRemoved", "tokenRefused"];
    const ended = { reason, by, message, at: Date.now() };
    this.change({ state: "closing", terminals: [], ended, proof: kinds.map((kind): Proof => ({ kind, state: "waiting", ms: null, detail: "" })) });
    await this.prove("streamsCut", 9, `${this.view.streams.length || "no"} streams: ${this.view.streams.join(", ") || "none was open"}`, 10);
    this.change({ streams: [] });
    await this.prove("terminalsEnded", 14, "its process group is gone", 5);
    await this.prove("kubeconfigDeleted", 15, "nothing of it was elsewhere", 1);
    if (unproven) {
      await this.prove("rightsGone", 10_004, "the API server of search-ap-1 did not answer within 10 s", 900, "unproven");
      await this.prove("accountRemoved", 130, "the broker reports both absent", 50);
      await this.prove("tokenRefused", 12_000, "no answer in 12 s, so nothing can be said about the token", 900, "unproven");
    } else {
      await this.prove("rightsGone", 104, "probe answered 403", 100);
      await this.prove("accountRemoved", 112, "s-7f3k2q-1795535530 and 2 bindings", 30);
      await this.prove("tokenRefused", 9900, "probe answered 401 after the API server's cache ran out", 4000);
    }
    this.change({ state: "closed" });
    this.log(unproven ? "proof_unproven" : "token_refused", unproven ? "Could not prove the end" : "Token refused after 9.9 s: probe answered 401", this, 401);
  }

  private async prove(kind: ProofKind, ms: number, detail: string, wait: number, state: "done" | "unproven" = "done"): Promise<void> {
    const set = (over: Partial<Proof>) => this.change({ proof: this.view.proof.map((p) => (p.kind === kind ? { ...p, ...over } : p)) });
    set({ state: "running" });
    await this.pause(wait);
    set({ state, ms, detail });
  }
}
