import type { ApprovalView, ClosingView, Decide, LimitsView, OfferView, RequestView, SessionView, UntoldEnds } from "../../bindings/ipc";
import { dice, DEBUG, OPERATE } from "./fleet";
import { failure, type Pause } from "./sessions";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Who looks at them. */
export const ME = "oidc:dev@example.test";
/** As long as the hub waits before nobody's answer is an answer. */
const WAITS = 24 * HOUR;

export function offerOf(name: "debug" | "operate" | "view", namespaces: string[], over: Partial<OfferView> = {}): OfferView {
  const rights = (name === "operate" ? OPERATE : name === "debug" ? DEBUG : DEBUG.slice(0, 2)).map((r) => ({ ...r, namespaces })).sort((a, b) => Number(b.writes) - Number(a.writes));
  const warnings = name === "operate" ? ["Workloads edited with these rights keep running after the session ends."] : [];
  return { digest: `${name}-${namespaces.join("-") || "all"}`.padEnd(64, "0"), rights, rules: rights.length * 4 + 2, warnings, beside: [], adds: rights, narrower: null, problem: null, takesLimits: true, leftTodaySeconds: null, ...over };
}

/** Who may approve may deny for as long as it waits, also after their yes. */
const DENIABLE: ReadonlySet<Decide> = new Set(["yes", "noOffer", "unsound", "enough", "said"]);

type Seed = Partial<RequestView> & Pick<RequestView, "id" | "user" | "cluster" | "profile">;

/** What there is around them. */
interface Around {
  readonly scene: string;
  readonly pause: Pause;
  readonly sessions: ReadonlyMap<string, { view: SessionView }>;
  /** They are others by now, and so many wait for this person. */
  changed(toDecide: number, untold: UntoldEnds[]): void;
}

/** What is asked for and open in the person's teams, and what becomes of it when they decide. */
export class FakeRequests {
  list: RequestView[] = [];
  /** What this person ended, once it is closed. */
  closed: RequestView[] = [];
  /** Every decision as it came, whatever became of it. */
  readonly said: object[] = [];
  /** When a test wants `request_before` to fail. */
  beforeFails = false;

  private readonly unread: (() => void)[] = [];

  constructor(private readonly around: Around, now: number) {
    const { scene } = around;
    if (scene === "requestsMany") this.list = many(now, 2000);
    else if (scene === "requestsMost") this.list = many(now, 5000);
    else if (scene === "requestsOdd") this.list = odd(now);
    else if (scene === "requestsLess") this.list = lesser(now);
    else if (scene === "requestsEnded") [this.list, this.closed] = endings(now);
    else if (!["empty", "requestsEmpty", "requestsLoading", "requestsNone", "requestsFail", "requestsMissing"].includes(scene)) this.list = some(now);
    this.beforeFails = scene === "beforeFails";
  }

  get toDecide(): number {
    return this.list.filter((r) => r.decide === "yes").length;
  }

  get untoldEnds(): UntoldEnds[] {
    const what = this.list.filter((r) => r.closing?.state === "untold").map((r) => `${r.profile} of ${r.user} on ${r.cluster} goes on until its time is up`);
    return what.length === 0 ? [] : [{ workspace: "Platform team", inFront: true, count: what.length, what: what.slice(0, 10) }];
  }

  one(id: string): RequestView {
    const found = this.list.find((r) => r.id === id);
    if (!found) throw failure("badInput", "this request is not open any more", { hint: "Somebody decided on it, or it was taken back; its end is in the history of whoever asked." });
    return found;
  }

  /** Another one, or the same otherwise. */
  put(seed: Seed): void {
    const known = this.list.find((r) => r.id === seed.id);
    const next = known ? { ...known, ...seed } : request(seed, Date.now());
    this.list = [...this.list.filter((r) => r.id !== seed.id), next].sort((a, b) => a.askedAt - b.askedAt);
    this.tell();
  }

  change(id: string, over: Partial<RequestView>): void {
    this.list = this.list.map((r) => (r.id === id ? { ...r, ...over } : r));
    this.tell();
  }

  remove(id: string): void {
    this.list = this.list.filter((r) => r.id !== id);
    this.tell();
  }

  tell(): void {
    this.around.changed(this.toDecide, this.untoldEnds);
  }

  /** All of them, as they are read. */
  read(): RequestView[] {
    this.unread.splice(0).forEach((go) => go());
    return [...this.list, ...this.own()].sort((a, b) => a.askedAt - b.askedAt);
  }

  /** What this person waits for themself is known from their sessions. */
  private own(): RequestView[] {
    return [...this.around.sessions.values()].filter((s) => s.view.waitingFor !== null && s.view.request !== null).map(({ view }) =>
      request({ id: view.request ?? "", user: ME, cluster: view.cluster, environment: view.environment, environmentWord: view.environmentWord, profile: view.profile, namespaces: view.namespaces, durationSeconds: view.durationSeconds, reason: view.reason, decide: "own", own: true, offer: offerOf("operate", view.namespaces), askedAt: Date.now() - 4000 }, Date.now()));
  }

  approved(id: string, limits: LimitsView | null): void {
    const { approvals, needed, offer } = this.one(id);
    const all = [...approvals.filter((yes) => yes.by !== ME), { by: ME, at: Date.now(), counts: true, limits }];
    this.change(id, { approvals: all, decide: "said", given: givenBy(this.one(id), all) });
    if (all.filter((yes) => yes.counts).length < (needed ?? 1) || offer === null) return;
    void (async () => {
      await this.around.pause(600);
      this.change(id, { phase: "approved", decide: "over", mayDeny: false });
      await this.around.pause(1200);
      const { given, durationSeconds } = this.one(id);
      this.change(id, { phase: "active", endsAt: Date.now() + (given?.durationSeconds ?? durationSeconds) * 1000, mayRevoke: true });
    })();
  }

  /** The hub can't hear: the end is kept, and the session goes on. */
  untold(id: string, said: string): void {
    const { endsAt } = this.one(id);
    this.change(id, { closing: { state: "untold", said, seenAt: null, refusedFrom: endsAt === null ? null : endsAt + 75_000, keptSince: Date.now() } });
  }

  ended(id: string, words: string): void {
    const { own, endsAt } = this.one(id);
    const told: ClosingView = { state: "told", said: null, seenAt: null, refusedFrom: endsAt === null ? null : endsAt + 75_000, keptSince: null };
    this.change(id, { ended: words, closing: told, decide: own ? "own" : "over", mayDeny: false, mayRevoke: false });
    // Not before that was read once: on a slow machine nobody would ever have seen why it ended.
    void Promise.all([this.around.pause(2000), new Promise<void>((go) => this.unread.push(go))]).then(() => {
      const last = this.list.find((r) => r.id === id);
      if (last && last.phase !== "pending" && !last.own) this.closed = [...this.closed, { ...last, closing: { ...told, state: "proven", said: `${words}; 2 bindings and 1 account removed in 41 ms, and seen to be gone` } }];
      this.remove(id);
    });
  }
}

/** What the yeses that count leave of what was asked for; none: all of it. */
export function givenBy({ namespaces, durationSeconds }: RequestView, approvals: readonly ApprovalView[]): RequestView["given"] {
  let given = { namespaces, durationSeconds };
  for (const { limits } of approvals.filter((yes) => yes.counts)) {
    const names = limits?.namespaces ?? null;
    given = {
      namespaces: names === null ? given.namespaces : given.namespaces.length === 0 ? names : given.namespaces.filter((name) => names.includes(name)),
      durationSeconds: Math.min(given.durationSeconds, limits?.durationSeconds ?? Infinity),
    };
  }
  return given.durationSeconds === durationSeconds && given.namespaces.length === namespaces.length ? null : given;
}

function request(seed: Seed, now: number): RequestView {
  const askedAt = seed.askedAt ?? now;
  const namespaces = seed.namespaces ?? [seed.cluster.split("-")[0] ?? "default"];
  return {
    team: "payments", own: false, groups: ["oidc:payments-dev", "oidc:on-call"], acr: "urn:sallyport:mfa", amr: ["pwd", "otp"], mfaAt: askedAt - 90_000,
    environment: "prod", environmentWord: "prod", namespaces, durationSeconds: 3600, reason: "INC-4318", askedAt, waitsUntil: askedAt + WAITS, phase: "pending",
    offer: offerOf(seed.profile === "operate" || seed.profile === "view" ? seed.profile : "debug", namespaces),
    approvals: [], autoApproval: null, reaffirm: seed.profile === "debug" ? { everySeconds: 900, graceSeconds: 300 } : null, recording: null, given: null, needed: 1, endsAt: null, message: null, ended: null, closing: null, decide: "yes", mayRevoke: false, ...seed,
    mayDeny: seed.mayDeny ?? DENIABLE.has(seed.decide ?? "yes"),
  };
}

/** What somebody ended, in every state in which that can be. */
function endings(now: number): [RequestView[], RequestView[]] {
  const [words, left] = [`revoked by ${ME}: her laptop was stolen`, "RoleBinding checkout/g-7f3k: denied request: bindings of sessions are frozen"];
  const open = (id: string, cluster: string, closing: Partial<ClosingView> & Pick<ClosingView, "state">, minutes = 41): RequestView =>
    request({ id, user: "oidc:dana@example.test", cluster, profile: "debug", askedAt: now - 80 * MINUTE, phase: "active", decide: "over", endsAt: now + minutes * MINUTE, ended: words,
      closing: { said: null, seenAt: null, refusedFrom: now + minutes * MINUTE + 75_000, keptSince: null, ...closing } }, now);
  const untold = (id: string, cluster: string, closing: Partial<ClosingView> & Pick<ClosingView, "state">): RequestView => ({ ...open(id, cluster, { ...closing, keptSince: now - 3 * MINUTE }), ended: null, mayRevoke: true });
  const still = [
    open("e-told", "payments-eu-1", { state: "told" }),
    open("e-left", "checkout-stage", { state: "hindered", said: left }),
    untold("e-untold", "ledger-us-1", { state: "untold", said: "it can't be reached: connection refused" }),
    untold("e-no", "search-ap-1", { state: "refused", said: "AccessRequest payments/ask-7f3k: lead may not revoke under debug" }),
    open("e-far", "legacy-eu-9", { state: "unreached", seenAt: now - 12 * MINUTE }),
  ];
  const over = [
    open("e-proven", "mail-eu-1", { state: "proven", said: `${words}; 2 bindings and 1 account removed in 41 ms, and seen to be gone` }),
    open("e-unproven", "risk-eu-14", { state: "unproven" }, -5),
  ];
  return [[...some(now), ...still], over];
}

function some(now: number): RequestView[] {
  const yes = (by: string, ms: number, counts = true, limits: LimitsView | null = null): ApprovalView => ({ by: `oidc:${by}@example.test`, at: now - ms, counts, limits });
  const longest = Array.from({ length: 40 }, (_, i) => `namespace-number-${i}`);
  const seeds: Seed[] = [
    { id: "r-active", user: "oidc:amira@example.test", cluster: "checkout-stage", profile: "debug", environment: "stage", environmentWord: "stage", namespaces: ["checkout", "cart"], askedAt: now - 80 * MINUTE, phase: "active", endsAt: now + 41 * MINUTE + 20_000, decide: "over", mayRevoke: true, approvals: [yes("lead", 78 * MINUTE)], reason: "Cart tests hang since the upgrade" },
    { id: "r-own", user: ME, own: true, cluster: "mail-eu-1", profile: "operate", namespaces: ["mail"], askedAt: now - 50 * MINUTE, decide: "own", needed: 2, approvals: [yes("lead", 20 * MINUTE)], reason: "Mail queue is stuck" },
    { id: "r-others", user: "oidc:omar@example.test", cluster: "risk-eu-14", profile: "operate", askedAt: now - 30 * MINUTE, decide: "notYours", needed: 2, approvals: [yes("risk-lead", 12 * MINUTE)], reason: "Rule engine falls behind" },
    { id: "r-silent", user: "oidc:omar@example.test", cluster: "legacy-eu-9", profile: "view", askedAt: now - 22 * MINUTE, offer: null, decide: "noOffer", reason: "Look at the old ledger", message: null, namespaces: [] },
    { id: "r-two", user: "oidc:sre@example.test", cluster: "mail-eu-1", profile: "view", namespaces: [], askedAt: now - 6 * MINUTE, needed: 2, approvals: [yes("bo", 14 * MINUTE, false), yes("lead", 3 * MINUTE)], reason: "Delivery alert, see INC-4320" },
    { id: "r-said", user: "oidc:zoe@example.test", cluster: "search-ap-1", profile: "operate", askedAt: now - 5 * MINUTE, decide: "said", needed: 2, approvals: [yes("dev", 2 * MINUTE)], reason: "Reindex after the outage" },
    { id: "r-hostile", user: "oidc:<b>mallory</b>\u202emoc.elpmaxe@example.test", cluster: "hostile-1", profile: "debug", environment: "dev", environmentWord: "dev", askedAt: now - 4 * MINUTE, reason: "approve\u200b me \u202etxt.exe <img src=x onerror=alert(1)>", groups: ["oidc:a\u2066b"] },
    { id: "r-long", user: "oidc:somebody.with.a.very.long.name.indeed.that.goes.on.and.on@departments.platform-engineering.example.test", cluster: "a-cluster-with-a-name-that-is-as-long-as-a-name-may-ever-get-0", profile: "a-profile-with-a-name-that-nobody-would-want-to-read-twice-in-a-row", environment: "other", environmentWord: "acceptance", namespaces: longest, askedAt: now - 3 * MINUTE, reason: `Because ${"of one thing and of another, ".repeat(14)}and so on.`, groups: Array.from({ length: 14 }, (_, i) => `oidc:some-group-of-people-number-${i}`) },
    { id: "r-ending", user: "oidc:amira@example.test", cluster: "payments-eu-1", profile: "debug", askedAt: now - 2 * MINUTE, decide: "over", ended: "denied by oidc:lead@example.test: reason too thin", reason: "pls" },
    { id: "r-granting", user: "oidc:zoe@example.test", cluster: "search-ap-1", profile: "debug", askedAt: now - 100_000, phase: "approved", decide: "over", approvals: [yes("lead", 8000)], mayRevoke: true, message: "binding 2 roles in search" },
    { id: "r-vault", user: "oidc:noor@example.test", cluster: "vault-eu-1", profile: "debug", environment: "stage", environmentWord: "stage", askedAt: now - 70_000, reason: "Unseal after the reboot" },
    { id: "r-prod", user: "oidc:lin@example.test", cluster: "ledger-us-1", profile: "operate", namespaces: ["settlement"], askedAt: now - 40_000, reason: "Settlement worker crash-loops since 14:05, need to roll back worker to 1.42.", offer: offerOf("operate", ["settlement"], { beside: [{ profile: "debug", endsAt: now + 95 * MINUTE }], adds: OPERATE.filter((r) => !DEBUG.includes(r)).map((r) => ({ ...r, namespaces: ["settlement"] })), narrower: { profile: "debug", adds: OPERATE.filter((r) => !DEBUG.includes(r)).map((r) => ({ ...r, namespaces: ["settlement"] })), isAskable: true } }) },
    { id: "r-dev", user: "oidc:kim@example.test", cluster: "sandbox-12", profile: "debug", environment: "dev", environmentWord: "dev", askedAt: now - 30_000, reason: "" },
  ];
  return seeds.map((seed) => request(seed, now));
}

/** What can be approved for less, was, or can't be. */
function lesser(now: number): RequestView[] {
  const yes = (limits: LimitsView | null): ApprovalView => ({ by: "oidc:lead@example.test", at: now - 4 * MINUTE, counts: true, limits });
  const two = { namespaces: ["checkout", "payments"], durationSeconds: 7200, environment: "dev", environmentWord: "dev" } as const;
  const seeds: Seed[] = [
    { ...two, namespaces: ["checkout", "payments"], id: "r-given", user: "oidc:amira@example.test", cluster: "checkout-stage", profile: "debug", askedAt: now - 30 * MINUTE, phase: "active", endsAt: now + 20 * MINUTE, decide: "over", mayRevoke: true, approvals: [yes({ durationSeconds: 1800, namespaces: ["payments"] })] },
    { ...two, namespaces: ["cart", "checkout", "payments"], id: "r-so-far", user: "oidc:omar@example.test", cluster: "checkout-stage", profile: "debug", askedAt: now - 20 * MINUTE, needed: 2, approvals: [yes({ durationSeconds: 3600, namespaces: ["checkout", "payments"] })] },
    { ...two, namespaces: ["checkout", "payments"], id: "r-dev-two", user: "oidc:dana@example.test", cluster: "checkout-stage", profile: "debug", askedAt: now - 10 * MINUTE, reason: "Carts are lost since the last release" },
    { ...two, namespaces: ["checkout", "payments"], id: "r-prod-two", user: "oidc:dana@example.test", cluster: "checkout-eu-2", profile: "operate", environment: "prod", environmentWord: "prod", askedAt: now - 9 * MINUTE, reason: "Roll back checkout to 4.1, see INC-4390" },
    { ...two, namespaces: [], id: "r-wide", user: "oidc:lin@example.test", cluster: "ledger-us-1", profile: "view", askedAt: now - 8 * MINUTE, durationSeconds: 28_800 },
    { ...two, namespaces: ["checkout", "payments"], id: "r-old", user: "oidc:kim@example.test", cluster: "legacy-eu-9", profile: "debug", askedAt: now - 7 * MINUTE, offer: offerOf("debug", ["checkout", "payments"], { takesLimits: false }) },
    { ...two, namespaces: ["sandbox"], id: "r-least", user: "oidc:kim@example.test", cluster: "sandbox-12", profile: "view", askedAt: now - 6 * MINUTE, durationSeconds: 900 },
    { ...two, namespaces: Array.from({ length: 40 }, (_, i) => `namespace-number-${i}`), id: "r-many-names", user: "oidc:zoe@example.test", cluster: "sandbox-12", profile: "debug", askedAt: now - 5 * MINUTE },
    { ...two, namespaces: ["vault", "vault-agent"], id: "r-vault-two", user: "oidc:noor@example.test", cluster: "vault-eu-1", profile: "debug", askedAt: now - 4 * MINUTE },
  ];
  return seeds.map((seed) => request(seed, now)).map((one) => ({ ...one, given: givenBy(one, one.approvals) }));
}

/** What waits for nobody, or for something else than a word of this person. */
function odd(now: number): RequestView[] {
  const seeds: Seed[] = [
    { id: "r-live", user: "oidc:lin@example.test", cluster: "ledger-us-1", profile: "debug", environment: "other", environmentWord: "live", askedAt: now - 9 * MINUTE },
    { id: "r-unsound", user: "oidc:kim@example.test", cluster: "sandbox-12", profile: "debug", environment: "dev", environmentWord: "dev", askedAt: now - 8 * MINUTE, decide: "unsound", offer: offerOf("debug", ["sandbox"], { problem: "its rules are others than its digest names." }) },
    { id: "r-not-known", user: "oidc:kim@example.test", cluster: "sandbox-12", profile: "view", environment: "dev", environmentWord: "dev", askedAt: now - 7 * MINUTE, decide: "notKnown" },
    { id: "r-enough", user: "oidc:kim@example.test", cluster: "sandbox-12", profile: "operate", environment: "dev", environmentWord: "dev", askedAt: now - 6 * MINUTE, decide: "enough", approvals: [{ by: "oidc:lead@example.test", at: now - MINUTE, counts: true, limits: null }] },
  ];
  return seeds.map((seed) => request(seed, now));
}

function many(now: number, length: number): RequestView[] {
  const roll = dice(11);
  const pick = <T>(from: readonly T[]) => from[Math.floor(roll() * from.length)] as T;
  return Array.from({ length }, (_, i) => {
    const word = pick(["prod", "stage", "dev"] as const);
    const decide = pick(["yes", "yes", "notYours", "over"] as const);
    return request({ id: `r-${i}`, user: `oidc:person-${i % 400}@example.test`, cluster: `${pick(["payments", "ledger", "search", "mail"])}-${word}-${i}`, profile: pick(["view", "debug", "operate"]), environment: word, environmentWord: word, askedAt: now - (length - i) * 20_000, decide, phase: decide === "over" ? "active" : "pending", endsAt: decide === "over" ? now + HOUR : null, mayRevoke: decide === "over", reason: `INC-${4000 + i}` }, now);
  });
}
