import type { ErrorView, Notifications, SettingsView } from "../../bindings/ipc";
import { attempt } from "../../desktop/notices.svelte";
import { asError, host } from "../../host";

/** What was chosen for this desktop, and what it keeps where. No event tells of it: it is asked for when it is shown. */
class Settings {
  #view = $state.raw<SettingsView | null>(null);
  #error = $state.raw<ErrorView | null>(null);
  #asked = 0;

  /** As last read; none before the first answer. */
  get view(): SettingsView | null {
    return this.#view;
  }

  /** Why it could not be read. */
  get error(): ErrorView | null {
    return this.#error;
  }

  /** Reads it. An answer that was overtaken by a later question does not count. */
  async load(): Promise<void> {
    const mine = ++this.#asked;
    try {
      const view = await host.call("settings");
      if (mine === this.#asked) [this.#view, this.#error] = [view, null];
    } catch (thrown) {
      if (mine === this.#asked) this.#error = asError(thrown);
    }
  }

  /** Chooses what is told on the desktop. Whether it was taken. */
  async chooseNotifications(chosen: Notifications): Promise<boolean> {
    const taken = await attempt(host.call("notifications_set", { chosen }).then(() => true));
    if (taken === true && this.#view !== null) this.#view = { ...this.#view, notifications: chosen };
    return taken === true;
  }

  /** Chooses the shell of new terminals; none: the person's own. Whether it was taken. */
  async chooseShell(path: string | null): Promise<boolean> {
    const taken = await attempt(host.call("shell_set", { path }).then(() => true));
    // Also when it was refused: then the list may be another.
    await this.load();
    return taken === true;
  }
}

export const settings = new Settings();
