import { chain } from "./chain.svelte";
import { exporting } from "./exporting.svelte";
import { folds } from "./folds.svelte";
import { heat } from "./heat.svelte";
import { history } from "./history.svelte";
import { look } from "./look.svelte";
import { reviewing } from "./reviewing.svelte";
import { sealing } from "./sealing.svelte";
import { sources } from "./sources.svelte";
import { timeline } from "./timeline.svelte";

export { actions, VIEW } from "./actions";
export { exporting } from "./exporting.svelte";
export { default as AuditMain } from "./AuditMain.svelte";
export { default as DeletedDialog } from "./DeletedDialog.svelte";
export { look } from "./look.svelte";
export { default as DetailPane } from "./DetailPane.svelte";
export { default as ExportDialog } from "./ExportDialog.svelte";
export { default as FilterDialog } from "./FilterDialog.svelte";
export { default as KeepChoice } from "./KeepChoice.svelte";
export { default as ReviewDialog } from "./ReviewDialog.svelte";
export { default as SealDialog } from "./SealDialog.svelte";
export { default as SourcesDialog } from "./SourcesDialog.svelte";

/** Forgets what belongs to whoever was signed in. */
export function forget(): void {
  for (const one of [heat, history, timeline, look, folds, chain, reviewing, sealing, sources, exporting]) one.forget();
}
