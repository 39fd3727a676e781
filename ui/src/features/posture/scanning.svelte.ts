import type { ClusterDetail, ErrorView, ProfileView } from "../../bindings/ipc";
import { closeDialog, openDialog } from "../../desktop/dialogs.svelte";
import { attempt } from "../../desktop/notices.svelte";
import { asError, host } from "../../host";
import { stepsUp } from "../signin";
import { posture } from "./posture.svelte";
import type { Scope } from "./scope";

/** What a scan begins with, what it would be allowed, and its start. */
class Scanning {
  scope = $state<Scope>("shown");
  #detail = $state.raw<ClusterDetail | null>(null);
  #error = $state.raw<ErrorView | null>(null);
  #failure = $state.raw<ErrorView | null>(null);
  #busy = $state(false);
  #asked = 0;

  /** A scan can be asked for. */
  readonly may = $derived(posture.view !== null && posture.view.profile !== null && posture.view.clusters.length > 0);
  /** The profile that it opens under, on the first of its clusters; null: not known yet, or not among this person's there. */
  readonly profile: ProfileView | null = $derived(this.#detail?.profiles.find(({ name }) => name === posture.view?.profile) ?? null);

  get known(): boolean {
    return this.#detail !== null;
  }

  /** Why what it allows is not known. */
  get error(): ErrorView | null {
    return this.#error;
  }

  /** Why it was not begun. */
  get failure(): ErrorView | null {
    return this.#failure;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Asks which clusters to scan. */
  begin(scope: Scope | null = null): void {
    if (!this.may) return;
    const { clusters } = posture.view ?? { clusters: [] };
    const some = posture.covered.scanned > 0 && posture.covered.scanned < clusters.length;
    this.scope = scope ?? (some && posture.query === "" ? "week" : "shown");
    [this.#detail, this.#error, this.#failure] = [null, null, null];
    openDialog("scan");
  }

  /** Reads what the profile allows on a cluster: it is shown before it is granted. */
  async learn(cluster: string): Promise<void> {
    const mine = ++this.#asked;
    try {
      const detail = await host.call("cluster_detail", { name: cluster });
      if (mine === this.#asked) [this.#detail, this.#error] = [detail, null];
    } catch (thrown) {
      if (mine === this.#asked) [this.#detail, this.#error] = [null, asError(thrown)];
    }
  }

  async start(clusters: readonly string[]): Promise<void> {
    if (this.#busy || clusters.length === 0) return;
    [this.#busy, this.#failure] = [true, null];
    try {
      await host.call("posture_scan", { clusters: [...clusters] });
      closeDialog("scan");
      posture.choose("fleet");
    } catch (thrown) {
      this.#failure = asError(thrown);
    }
    this.#busy = false;
  }

  /** Scans one again; where the hub wants a fresher second factor, that is asked for first. */
  async again(cluster: string, error: ErrorView | null): Promise<void> {
    const scan = () => void attempt(host.call("posture_scan", { clusters: [cluster] }));
    if (error === null || !stepsUp(error, `${cluster} is scanned`, scan)) scan();
  }

  /** Gives up the scan of one, or of all. */
  stop(cluster: string | null = null): void {
    void attempt(host.call("posture_scan_stop", { cluster }));
  }
}

export const scanning = new Scanning();
