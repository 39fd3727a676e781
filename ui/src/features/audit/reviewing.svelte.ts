import type { ErrorView, ReviewInput } from "../../bindings/ipc";
import { closeDialog, openDialog } from "../../desktop/dialogs.svelte";
import { mirror } from "../../desktop/mirror.svelte";
import { asError, host } from "../../host";
import { look, type Pane } from "./look.svelte";
import { timeline } from "./timeline.svelte";

type Page = Extract<Pane, { name: string }>;

/** A review that is being written down, of the page that was looked at, with its range as it was then. */
class Reviewing {
  #of = $state.raw<(Page & { fromUs: number | undefined; toUs: number }) | null>(null);
  error = $state.raw<ErrorView | null>(null);
  busy = $state(false);

  get of() {
    return this.#of;
  }

  /** Somebody looks at a person's page or a cluster's, with an answer on it. */
  readonly may = $derived(mirror.state?.phase === "ready" && (look.pane.kind === "person" || look.pane.kind === "cluster") && look.about !== null);

  begin(): void {
    const pane = look.pane;
    if (!this.may || (pane.kind !== "person" && pane.kind !== "cluster")) return;
    // What comes after this moment was not looked at.
    const now = Date.now() * 1000;
    const { fromUs, toUs } = timeline.filter;
    this.#of = { ...pane, fromUs, toUs: Math.min(toUs ?? now, now) };
    this.error = null;
    openDialog("auditReview");
  }

  async write(review: ReviewInput): Promise<void> {
    if (this.busy) return;
    [this.busy, this.error] = [true, null];
    try {
      await host.call("audit_review", { review });
      closeDialog("auditReview");
      look.again();
    } catch (thrown) {
      this.error = asError(thrown);
    }
    this.busy = false;
  }

  forget(): void {
    [this.#of, this.error] = [null, null];
  }
}

export const reviewing = new Reviewing();
