import type { ErrorView, ExportForm, ExportLook, ExportView, TimelineFilter } from "../../bindings/ipc";
import { dialogs, openDialog } from "../../desktop/dialogs.svelte";
import { mirror } from "../../desktop/mirror.svelte";
import { fail } from "../../desktop/notices.svelte";
import { asError, host } from "../../host";
import { ended, holds, tells } from "./handed";

/** Handing on what a filter selects. What is being written goes on when the dialog is closed, and is there when it is opened again. */
class Exporting {
  filter = $state.raw<TimelineFilter>({});
  look = $state.raw<ExportLook | null>(null);
  form = $state<ExportForm>("pack");
  place = $state("");
  /** The sessions whose recordings are wanted: none until somebody chooses them, since nothing is more private. */
  recordings = $state.raw<readonly string[]>([]);
  /** The clusters' events go with a pack. */
  events = $state(true);
  progress = $state.raw<{ done: number; of: number } | null>(null);
  done = $state.raw<ExportView | null>(null);
  error = $state.raw<ErrorView | null>(null);
  stopping = $state(false);
  #turn = 0;
  /** It was written behind a closed dialog: what it came to is shown first. */
  #unseen = false;

  readonly running = $derived(this.progress !== null);
  /** Every session's recordings are wanted. */
  readonly all = $derived(this.look !== null && this.recordings.length > 0 && this.recordings.length === this.look.recorded.length);
  /** Something is selected that this form can hold. */
  readonly may = $derived(this.look !== null && !this.running && holds(this.form, this.look, this.events) && this.place.trim() !== "");

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
      [this.recordings, this.events] = [[], true];
      if (!holds(this.form, look, true)) this.form = holds("pack", look, true) ? "pack" : "jsonl";
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

  /** All that are there, or none of them. */
  wantAll(on: boolean): void {
    this.recordings = on ? (this.look?.recorded ?? []).map((one) => one.session) : [];
  }

  async write(): Promise<void> {
    if (!this.may || this.look === null) return;
    const turn = this.#turn;
    const { filter, form, place } = this;
    const recordings = form === "pack" ? [...this.recordings] : [];
    const events = form === "pack" && this.events && tells(this.look);
    [this.progress, this.done, this.error, this.stopping] = [{ done: 0, of: 0 }, null, null, false];
    const deaf = mirror.heard((_, __, event) => {
      if (event?.kind === "exporting" && this.progress) this.progress = { done: event.done, of: event.of };
    });
    try {
      const done = await host.call("audit_export", { export: { filter, form, recordings, events, place: place.trim() } });
      if (turn === this.#turn) this.done = done;
    } catch (thrown) {
      const error = asError(thrown);
      const isShown = turn === this.#turn && dialogs.name === "auditExport";
      // What was given up is no failure; what ended behind a closed dialog, or by a sign-out, is said where it is seen.
      if (isShown && error.code !== "cancelled") this.error = error;
      else if (error.code !== "cancelled") fail(error);
    }
    deaf();
    this.#unseen = dialogs.name !== "auditExport" && this.done !== null;
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
