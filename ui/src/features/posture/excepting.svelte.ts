import type { ErrorView, ExceptionInput, FindingDetail } from "../../bindings/ipc";
import { closeDialog, openDialog } from "../../desktop/dialogs.svelte";
import { mirror } from "../../desktop/mirror.svelte";
import { notify } from "../../desktop/notices.svelte";
import { asError, host } from "../../host";
import { posture } from "./posture.svelte";

/** Exceptions that are made and taken back. */
class Excepting {
  #of = $state.raw<FindingDetail | null>(null);
  #error = $state.raw<ErrorView | null>(null);
  #busy = $state(false);
  /** The exception that is asked about before it is removed. */
  #asked = $state<string | null>(null);

  /** The finding that an exception is made from. */
  get of(): FindingDetail | null {
    return this.#of;
  }

  get error(): ErrorView | null {
    return this.#error;
  }

  get busy(): boolean {
    return this.#busy;
  }

  get asked(): string | null {
    return this.#asked;
  }

  /** Who answers for it, unless another is named. */
  readonly owner = $derived(mirror.state?.user?.email ?? mirror.state?.user?.name ?? "");
  /** An exception can be made from what is looked at: it is of a check, and nobody answers for it yet. */
  readonly may = $derived(posture.detail !== null && posture.detail.line.check !== "" && posture.detail.line.excepted === null);

  begin(): void {
    if (!this.may) return;
    [this.#of, this.#error] = [posture.detail, null];
    openDialog("except");
  }

  async make(exception: ExceptionInput): Promise<void> {
    await this.#run(() => host.call("posture_except", { exception }), () => {
      closeDialog("except");
      notify({ level: "info", text: `${exception.owner} answers for ${exception.check} on ${exception.clusters} until then. It is found still, and counts no more.`, session: null });
    });
  }

  ask(id: string | null): void {
    [this.#asked, this.#error] = [id, null];
  }

  async remove(id: string): Promise<void> {
    await this.#run(() => host.call("posture_except_remove", { exception: id }), () => {
      this.#asked = null;
    });
  }

  async #run(call: () => Promise<null>, done: () => void): Promise<void> {
    if (this.#busy) return;
    [this.#busy, this.#error] = [true, null];
    try {
      await call();
      done();
    } catch (thrown) {
      this.#error = asError(thrown);
    }
    this.#busy = false;
  }

  forget(): void {
    [this.#of, this.#error, this.#asked] = [null, null, null];
  }
}

export const excepting = new Excepting();
