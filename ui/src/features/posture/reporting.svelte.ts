import type { ErrorView } from "../../bindings/ipc";
import { openDialog } from "../../desktop/dialogs.svelte";
import { asError, host } from "../../host";

/** The report of all that is kept, to the disk. */
class Reporting {
  place = $state("");
  busy = $state(false);
  error = $state.raw<ErrorView | null>(null);
  /** Where it was written. */
  written = $state.raw<string | null>(null);

  begin(): void {
    [this.error, this.written] = [null, null];
    openDialog("report");
  }

  async write(): Promise<void> {
    if (this.busy || this.place.trim() === "") return;
    [this.busy, this.error, this.written] = [true, null, null];
    try {
      this.written = await host.call("posture_report", { place: this.place.trim() });
    } catch (thrown) {
      this.error = asError(thrown);
    }
    this.busy = false;
  }
}

export const reporting = new Reporting();
