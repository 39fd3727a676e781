import type { ErrorView, SavedFilter, TimelineFilter } from "../../bindings/ipc";
import { asError, host } from "../../host";

/** The filters that are kept under a name. */
class Saved {
  filters = $state.raw<readonly SavedFilter[]>([]);
  error = $state.raw<ErrorView | null>(null);

  async load(): Promise<void> {
    await this.#try(async () => {});
  }

  async keep(name: string, filter: TimelineFilter): Promise<boolean> {
    return this.#try(() => host.call("audit_save", { name, filter }));
  }

  async forget(name: string): Promise<void> {
    await this.#try(() => host.call("audit_unsave", { name }));
  }

  async #try(what: () => Promise<unknown>): Promise<boolean> {
    try {
      await what();
      [this.filters, this.error] = [await host.call("audit_saved"), null];
      return true;
    } catch (thrown) {
      this.error = asError(thrown);
      return false;
    }
  }
}

export const saved = new Saved();
