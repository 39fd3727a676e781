import type { ClusterDetail, DayView, ErrorView, OpenInput, ProfileView } from "../../bindings/ipc";
import { open } from "../sessions";
import { withinDay } from "./durations";
import { inventory } from "./inventory.svelte";

/** What is going to be asked for on one cluster. Begins with what one click would take, then as the person changes it. */
export class Asking {
  readonly cluster: string;
  #chosen = $state("");
  namespaces = $state.raw<readonly string[]>([]);
  #seconds = $state(0);
  /** The length is the person's own: nothing shortens it. */
  #own = false;
  /** The length is what is left of their day. */
  byDay = $state(false);
  #reason = $state("");
  /** How often a reason was missing since it was last written in. */
  missing = $state(0);
  busy = $state(false);
  error = $state.raw<ErrorView | null>(null);
  #detail: ClusterDetail;

  constructor(detail: ClusterDetail) {
    this.cluster = detail.cluster.name;
    this.#detail = $state.raw(detail);
    this.#reason = detail.reason?.text ?? "";
    const start = detail.profiles.find((p) => p.name === detail.chosen) ?? detail.profiles.find((p) => !p.refused) ?? detail.profiles[0];
    this.chosen = start?.name ?? "";
  }

  /** The hub wants a reason before it opens the cluster. */
  wantReason(): void {
    this.missing += 1;
  }

  /** The same cluster, told anew: what the person chose stays. */
  take(detail: ClusterDetail): void {
    this.#detail = detail;
    if (!this.profile) this.chosen = detail.profiles[0]?.name ?? "";
  }

  get detail(): ClusterDetail {
    return this.#detail;
  }

  get profile(): ProfileView | undefined {
    return this.#detail.profiles.find((p) => p.name === this.#chosen);
  }

  get chosen(): string {
    return this.#chosen;
  }

  /** Another profile brings its own namespaces, or those of last time, and its length. */
  set chosen(name: string) {
    this.#chosen = name;
    const { profile } = this;
    if (!profile) return;
    const last = this.#detail.last?.profile === name ? this.#detail.last : null;
    const known = last?.namespaces.filter((n) => profile.namespaces.includes(n)) ?? [];
    this.namespaces = known.length > 0 ? known : profile.namespaces;
    [this.#seconds, this.#own, this.byDay] = [profile.usualSeconds, false, false];
    this.error = null;
  }

  get seconds(): number {
    return this.#seconds;
  }

  set seconds(seconds: number) {
    [this.#seconds, this.#own, this.byDay] = [seconds, true, false];
  }

  /** What is left of the day is known: a length that nobody chose is no longer than that. */
  fit(day: DayView | null): void {
    const fits = withinDay(this.#seconds, day);
    if (this.#own || fits === this.#seconds) return;
    [this.#seconds, this.byDay] = [fits, true];
  }

  get reason(): string {
    return this.#reason;
  }

  set reason(words: string) {
    this.#reason = words;
    this.missing = 0;
  }

  /** What was opened here last, where it may still be asked for. */
  get last(): ClusterDetail["last"] {
    const { last, profiles } = this.#detail;
    return last && profiles.some((p) => p.name === last.profile && !p.refused) ? last : null;
  }

  toggle(name: string): void {
    const next = this.namespaces.includes(name) ? this.namespaces.filter((n) => n !== name) : [...this.namespaces, name];
    // Nothing chosen would mean cluster-wide, which this profile is not.
    if (next.length > 0) this.namespaces = next;
  }

  /** Asks for what is chosen. */
  async submit(): Promise<void> {
    const { profile } = this;
    if (!profile || profile.refused) return;
    const reason = this.#reason.trim();
    if (profile.reasonRequired && reason === "") {
      this.wantReason();
      return;
    }
    await this.#send({ cluster: this.cluster, profile: profile.name, namespaces: [...this.namespaces], durationSeconds: this.seconds, ...(reason ? { reason } : {}) });
  }

  /** Asks for the same as last time. */
  async submitLast(): Promise<void> {
    const { last } = this;
    if (last) await this.#send({ cluster: this.cluster, ...last, ...(this.#reason ? { reason: this.#reason } : {}) });
  }

  async #send(input: OpenInput): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.error = await open(input);
    this.busy = false;
    // What was shown is not what is there any more: it is fetched again, and the person decides anew.
    if (this.error?.code === "profileChanged") void inventory.load();
  }
}
