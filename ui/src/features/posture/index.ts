import { applying } from "./applying.svelte";
import { crossing } from "./crossing.svelte";
import { excepting } from "./excepting.svelte";
import { posture } from "./posture.svelte";
import { proving } from "./proving.svelte";
import { using } from "./using.svelte";
import { who } from "./who.svelte";

export { actions } from "./actions";
export { default as ExceptDialog } from "./ExceptDialog.svelte";
export { default as ForgetDialog } from "./ForgetDialog.svelte";
export { found } from "./found";
export { default as PostureMain } from "./PostureMain.svelte";
export { default as PosturePane } from "./PosturePane.svelte";
export { default as ReportDialog } from "./ReportDialog.svelte";
export { default as ScanDialog } from "./ScanDialog.svelte";
export { posture, VIEW } from "./posture.svelte";

/** Forgets what belongs to whoever was signed in. */
export function forget(): void {
  for (const one of [posture, proving, using, applying, excepting, who, crossing]) one.forget();
}
