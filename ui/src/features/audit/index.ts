import { heat } from "./heat.svelte";
import { history } from "./history.svelte";
import { look } from "./look.svelte";
import { reviewing } from "./reviewing.svelte";
import { sealing } from "./sealing.svelte";
import { sources } from "./sources.svelte";
import { timeline } from "./timeline.svelte";

export { actions, VIEW } from "./actions";
export { default as DeletedDialog } from "./DeletedDialog.svelte";
export { default as DetailPane } from "./DetailPane.svelte";
export { default as FilterDialog } from "./FilterDialog.svelte";
export { default as KeepChoice } from "./KeepChoice.svelte";
export { default as ReviewDialog } from "./ReviewDialog.svelte";
export { default as SealDialog } from "./SealDialog.svelte";
export { default as SourcesDialog } from "./SourcesDialog.svelte";
export { default as TimelineMain } from "./TimelineMain.svelte";

/** Forgets what belongs to whoever was signed in. */
export function forget(): void {
  for (const one of [heat, history, timeline, look, reviewing, sealing, sources]) one.forget();
}
