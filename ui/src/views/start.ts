import { openDialog } from "../desktop/dialogs.svelte";
import { mirror } from "../desktop/mirror.svelte";
import { notify } from "../desktop/notices.svelte";
import { watch } from "../features/sessions";
import { shells } from "../features/terminals";
import { arrive } from "./arrive";

/** Follows the desktop, and lets everybody hear what they do something about. */
export function start(): Promise<void> {
  mirror.heard(watch);
  mirror.heard((now) => shells.sweep(now.sessions));
  mirror.heard((now, _before, event) => {
    if (event?.kind === "notice") notify(event.notice);
    if (event?.kind === "quitAsked") openDialog("quit");
    // A notification may be older than the sign-in.
    if (event?.kind === "go" && now.state?.phase === "ready") arrive(event.to);
  });
  return mirror.start();
}
