import type { ErrorView, ExportForm, ExportLook, ExportView, TimelineFilter } from "../../bindings/ipc";
import { dialogs, openDialog } from "../../desktop/dialogs.svelte";
import { mirror } from "../../desktop/mirror.svelte";
import { asError, host } from "../../host";
import { ended, holds } from "./handed";

/** Handing on what a filter selects. What is being written goes on when the dialog is closed, and is there when it is opened again. */
class Exporting {
  filter = $state.raw<TimelineFilter>({});
  look = $state.raw<ExportLook | null>(null);
  form = $state<ExportForm>("pack");
  place = $state("");
  /** The sessions whose recordings are wanted. */
  recordings = $state.raw<readonly string[]>([]);
  progress = $state.raw<{ done: number; of: number } | null>(null);
  done = $state.raw<ExportView | null>(null);
  error = $state.raw<ErrorView | null>(null);
  stopping = $state(false);
  #turn = 0;
  /** It came to an end behind a closed dialog: what it came to is shown first. */
  #unseen = false;

  readonly running = $derived(this.progress !== null);
  /** Something is selected that this form can hold. */
  readonly may = $derived(this.look !== null && !this.running && holds(this.form, this.look) && this.place.trim() !== "");

  begin(filter: TimelineFilter): void {
    openDialog("auditExport");
    if (this.running || this.#unseen) {
      this.#unseen = false;
      return;
    }
    [this.filter, this.done, this.error] = [filter, null, null];
    void this.load();
  }

  async load(): Promise<void> {
    const turn = ++this.#turn;
    [this.look, this.error] = [null, null];
    try {
      const look = await host.call("audit_export_look", { filter: this.filter });
      if (turn !== this.#turn) return;
      this.look = look;
      if (!holds(this.form, look)) this.form = look.isSealed && look.own > 0 ? "pack" : "jsonl";
      this.recordings = look.recorded.map((one) => one.session);
      this.place = ended(look.place, this.form);
    } catch (thrown) {
      if (turn === this.#turn) this.error = asError(thrown);
    }
  }

  choose(form: ExportForm): void {
    [this.form, this.place, this.done, this.error] = [form, ended(this.place, form), null, null];
  }

  want(session: string, on: boolean): void {
    this.recordings = on ? [...this.recordings, session] : this.recordings.filter((one) => one !== session);
  }

  async write(): Promise<void> {
    if (!this.may) return;
    const turn = this.#turn;
    const { filter, form, place } = this;
    const recordings = form === "pack" ? [...this.recordings] : [];
    [this.progress, this.done, this.error, this.stopping] = [{ done: 0, of: 0 }, null, null, false];
    const deaf = mirror.heard((_, __, event) => {
      if (event?.kind === "exporting" && this.progress) this.progress = { done: event.done, of: event.of };
    });
    try {
      const done = await host.call("audit_export", { export: { filter, form, recordings, place: place.trim() } });
      if (turn === this.#turn) this.done = done;
    } catch (thrown) {
      const error = asError(thrown);
      // What was given up is no failure.
      if (turn === this.#turn && error.code !== "cancelled") this.error = error;
    }
    deaf();
    this.#unseen = dialogs.name !== "auditExport" && (this.done !== null || this.error !== null);
    [this.progress, this.stopping] = [null, false];
  }

  /** Gives up what is being written. */
  async stop(): Promise<void> {
    if (!this.running || this.stopping) return;
    this.stopping = true;
    try {
      await host.call("audit_export_stop");
    } catch (thrown) {
      [this.stopping, this.error] = [false, asError(thrown)];
    }
  }

  forget(): void {
    this.#turn++;
    this.#unseen = false;
    void this.stop();
    [this.look, this.done, this.error, this.filter, this.recordings, this.place] = [null, null, null, {}, [], ""];
  }
}

export const exporting = new Exporting();
