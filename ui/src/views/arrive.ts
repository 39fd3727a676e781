import type { Goal } from "../bindings/ipc";
import { closeDialog } from "../desktop/dialogs.svelte";
import { mirror } from "../desktop/mirror.svelte";
import { go } from "../desktop/place.svelte";
import * as requests from "../features/requests";
import * as sessions from "../features/sessions";

/** Goes where a notification leads. What it was about may be over by now: then to where it would be. */
export function arrive(to: Goal): void {
  // Whoever is asked whether to end everything, or for a second factor, answers that first.
  closeDialog("palette");
  closeDialog("keys");
  if (to.kind === "request") go({ view: requests.VIEW, request: to.id });
  else if (to.kind === "session" && mirror.session(to.id) !== null) sessions.show(to.id);
  else if (to.kind === "requests") {
    requests.inbox.choose("forMe");
    go({ view: requests.VIEW });
  } else go({ view: sessions.VIEW });
}
