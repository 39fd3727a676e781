import type { AppState, ClusterView, Event, Notifications, OpenInput, ShellView, SignIn } from "../../bindings/ipc";
import { fleet } from "./fleet";
import { FakeHistory } from "./history";
import { holdsOf } from "./held";
import { FakeRequests } from "./requests";
import { failure, FakeSession } from "./sessions";

/** Everything behind the fake host. `scene` picks how it begins; `speed` divides its waits. */
export class World {
  state: AppState;
  clusters: ClusterView[];
  readonly sessions = new Map<string, FakeSession>();
  readonly history: FakeHistory;
  readonly requests: FakeRequests;
  hear: (event: Event) => void = () => {};
  reason: string | null = null;
  /** The shell chosen for new terminals, and those of this machine; tests change them. */
  shell: string | null = null;
  shells: ShellView[] = ["bash", "zsh", "dash"].map((name) => ({ path: `/usr/bin/${name}`, guardsEachPrompt: name !== "dash" }));
  /** Every hold and its removal as it came, whatever became of it. */
  readonly held: object[] = [];
  /** Every support bundle that was written. */
  readonly bundles: object[] = [];
  /** What is told on the desktop, and why it can't be. */
  notifications: Notifications = { asks: true, requests: true, sessions: true, reasons: false };
  notificationsTrouble: string | null = null;
  /** The hub answers nothing; tests bring it back. */
  hubAway: boolean;
  /** Gives up what is being handed on, and waits for its end. */
  endExport: () => Promise<void> = async () => {};
  /** Openings that wait for a stronger sign-in. */
  readonly signedIn: (() => void)[] = [];
  private readonly used = new Set<string>();
  private ids = 0;
  /** When all of this began. */
  readonly began = Date.now();

  constructor(readonly scene: string, size: number, readonly speed: number) {
    const now = Date.now();
    this.hubAway = scene === "hubDown";
    this.clusters = scene === "empty" ? [] : fleet(size, now);
    this.history = new FakeHistory(scene === "empty" ? 0 : 1400, now);
    this.requests = new FakeRequests({ scene, pause: (ms) => this.pause(ms), sessions: this.sessions, changed: (toDecide, untold) => { this.hear({ kind: "requestsChanged" }); this.change({ toDecide, untold }); } }, now);
    this.state = { ...begin(scene, now, this.history.entries.length), toDecide: this.requests.toDecide, untold: this.requests.untoldEnds };
    if (scene === "notTold") this.notificationsTrouble = "no notification service runs on this desktop\u202e";
    // A reason was given this morning, except where a test wants to be asked for one.
    this.reason = scene === "noReason" ? null : "INC-4312 p99 latency after deploy";
  }

  pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms / this.speed));

  change(over: Partial<AppState>): AppState {
    this.state = { ...this.state, ...over };
    this.hear({ kind: "state", state: this.state });
    return this.state;
  }

  cluster(name: string): ClusterView {
    const found = this.clusters.find((c) => c.name === name);
    if (!found) throw failure("badInput", `There is no cluster ${name} on this hub.`);
    return found;
  }

  /** As long again for one that is open. */
  extend(of: FakeSession): FakeSession {
    const { cluster, profile, namespaces, durationSeconds, reason } = of.view;
    return this.open({ cluster, profile, namespaces, durationSeconds, reason }, of);
  }

  open(input: OpenInput, of: FakeSession | null = null): FakeSession {
    const cluster = this.cluster(input.cluster);
    const namespaces = input.namespaces ?? [cluster.name.split("-")[0] ?? "default"];
    const way = cluster.way.kind === "oneClick" || cluster.way.kind === "ask" ? cluster.way.profile : "debug";
    const reason = input.reason ?? this.reason;
    if (this.scene === "hubDown") throw failure("unreachable", "The hub did not answer within 10 s, so nothing was asked.", { hint: "It is tried again by itself; open sessions go on.", retry: true });
    if (reason === null && (input.profile ?? way) !== "view") throw failure("reasonNeeded", "This profile wants a reason.");
    this.reason = reason;
    const id = `fake-session-${++this.ids}`;
    const full = { cluster: cluster.name, profile: input.profile ?? way, namespaces, durationSeconds: input.durationSeconds ?? 2700, reason: reason ?? "" };
    const fresh = Date.now() - (this.state.user?.mfaAt ?? 0) < 300_000;
    const session = new FakeSession(id, cluster, full, () => this.told(session), (action, sentence, s, status) => this.log(action, sentence, s, status), this.pause, fresh, new Promise((go) => this.signedIn.push(go)), of);
    this.sessions.set(id, session);
    this.told(session);
    void session.open();
    return session;
  }

  private told(session: FakeSession): void {
    const { view } = session;
    this.hear({ kind: "session", session: view });
    const at = this.clusters.findIndex((c) => c.name === view.cluster);
    const before = this.clusters[at];
    if (!before) return;
    if (view.state !== "open" || this.used.has(view.id)) return;
    this.used.add(view.id);
    this.clusters = this.clusters.with(at, { ...before, lastUsed: Date.now() });
    this.hear({ kind: "clustersChanged" });
  }

  log(action: string, sentence: string, session?: FakeSession, status?: number): void {
    const entry = this.history.append({ action, sentence, ...(status ? { status } : {}), ...(session ? { cluster: session.view.cluster, ids: { request: session.view.request, grant: session.view.grant, session: session.view.id, jti: null, auditId: status ? `0195f0aa-${session.view.calls.total}` : null } } : {}) }, Date.now() * 1000);
    this.hear({ kind: "historyGrew", position: { sequence: entry.sequence } });
  }

  async signIn(stepUp: SignIn["stepUp"]): Promise<void> {
    const at = (step: SignIn["step"]) => this.change({ signIn: { step, since: Date.now(), stepUp, error: null } });
    for (const [step, ms] of [["preparing", 300], ["browser", 2500], ["checking", 200], ["hub", 200]] as const) {
      at(step);
      await this.pause(ms);
      if (this.state.signIn === null) throw failure("cancelled", "The sign-in was cancelled.");
    }
    if (this.scene === "signInFails") {
      const error = failure("unreachable", "https://id.example.test did not answer within 10 s.", { hint: "Check that this machine reaches it, then try again.", retry: true });
      this.change({ signIn: { step: "failed", since: Date.now(), stepUp, error } });
      throw error;
    }
    this.log("sign_in", "Signed in with a one-time code");
    this.signedIn.splice(0).forEach((go) => go());
    this.change({ signIn: null, phase: "ready", user: person(Date.now()), hub: { ...this.state.hub, link: "live" } });
  }
}

function person(mfaAt: number): AppState["user"] {
  return { name: "oidc:dev@example.test", email: "dev@example.test", groups: ["oidc:payments-dev", "oidc:on-call"], mfaAt, acr: "urn:sallyport:mfa", amr: ["pwd", "otp"] };
}

function begin(scene: string, now: number, entries: number): AppState {
  const signedOut = scene === "signedOut" || scene === "signInFails";
  const firstRun = scene === "firstRun";
  return {
    phase: firstRun ? "firstRun" : signedOut ? "signedOut" : "ready",
    workspace: firstRun ? null : { name: "Platform team", hubHost: "hub.example.test:6443", issuer: "https://id.example.test/realms/platform", signsInAt: null, codeGoesTo: null },
    user: firstRun || signedOut ? null : person(now - 12 * 60_000),
    signIn: null,
    vault: scene === "memoryOnly" ? { kind: "memoryOnly", why: "No Secret Service answers on this desktop's bus." } : { kind: "keyring" },
    hub: scene === "hubDown" ? { link: "down", since: now - 95_000, message: "no answer from hub.example.test:6443 within 10 s.", retryAt: now + 20_000, signIn: false } : scene === "signInOver" ? { link: "down", since: now - 95_000, message: "sign in again: the provider no longer renews this sign-in.", retryAt: null, signIn: true } : { link: firstRun || signedOut ? "idle" : "live", since: now - 60_000, message: null, retryAt: null, signIn: false },
    clockSkewMs: scene === "skew" ? 140_000 : 12,
    demo: firstRun ? { kind: "offered" } : { kind: "none" },
    notes: scene === "notes" ? ["Your identity provider does not say when you signed in (auth_time), so these profiles are out of reach, and signing in again does not help: debug-prod."] : [],
    theme: "system",
    fontSize: 13,
    defaultSeconds: scene === "longDefault" ? 14_400 : null,
    paste: "severalLines",
    toDecide: 0,
    untold: [],
    holds: firstRun || signedOut ? [] : holdsOf(scene, now),
    mayHold: scene !== "mayNotHold",
    history: { entries, verdict: scene === "memoryOnly" ? "unanchored" : "verified", verifiedAt: now - 130_000, trouble: null },
    cleanup: scene === "cleanup" ? [
      { what: "A session on payments-eu-1 was still open", proof: { kind: "byBroker" } },
      { what: "A private kubeconfig of checkout-stage", proof: { kind: "removed" } },
      { what: "A session on search-ap-1 was still open", proof: { kind: "unproven", why: "its broker has been silent for 47 min" } },
    ] : [],
    platform: "linux",
    version: "0.1.0",
  };
}
