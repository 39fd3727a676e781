import { openDialog } from "../desktop/dialogs.svelte";
import { mirror } from "../desktop/mirror.svelte";
import { notify } from "../desktop/notices.svelte";
import { watch } from "../features/sessions";
import { shells } from "../features/terminals";

/** Follows the desktop, and lets everybody hear what they do something about. */
export function start(): Promise<void> {
  mirror.heard(watch);
  mirror.heard((now) => shells.sweep(now.sessions));
  mirror.heard((_now, _before, event) => {
    if (event?.kind === "notice") notify(event.notice);
    if (event?.kind === "quitAsked") openDialog("quit");
  });
  return mirror.start();
}
