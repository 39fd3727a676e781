import type { ErrorView, SealView } from "../../bindings/ipc";
import { openDialog } from "../../desktop/dialogs.svelte";
import { asError, host } from "../../host";

/** The key that seals this desktop's history, and another in its place. Only what names a key is ever here. */
class Sealing {
  view = $state.raw<SealView | null>(null);
  error = $state.raw<ErrorView | null>(null);
  busy = $state(false);
  /** Whether what another key means is being read, to be said yes to. */
  asked = $state(false);
  #turn = 0;

  /** Nothing to hand over to: the last one is not on the disk yet, or nothing is sealed. */
  readonly may = $derived(this.view !== null && this.view.fingerprint !== null && !this.view.isHandingOver);

  open(): void {
    [this.view, this.error, this.asked] = [null, null, false];
    openDialog("auditSeal");
    void this.load();
  }

  async load(): Promise<void> {
    const turn = ++this.#turn;
    try {
      const view = await host.call("audit_seal");
      if (turn === this.#turn) [this.view, this.error] = [view, null];
    } catch (thrown) {
      if (turn === this.#turn) this.error = asError(thrown);
    }
  }

  /** The first time it says what that means, the second time it does it, to the key that was shown. */
  async renew(): Promise<void> {
    const fingerprint = this.view?.fingerprint;
    if (this.busy || !this.may || !fingerprint) return;
    if (!this.asked) {
      this.asked = true;
      return;
    }
    const turn = ++this.#turn;
    [this.busy, this.error] = [true, null];
    try {
      const view = await host.call("audit_seal_renew", { fingerprint });
      if (turn === this.#turn) this.view = view;
    } catch (thrown) {
      if (turn === this.#turn) {
        const error = asError(thrown);
        // It may be another by now, or on its way to the disk: what is so is looked at.
        await this.load();
        this.error = error;
      }
    }
    [this.busy, this.asked] = [false, false];
  }

  forget(): void {
    this.#turn++;
    [this.view, this.error, this.asked] = [null, null, false];
  }
}

export const sealing = new Sealing();
