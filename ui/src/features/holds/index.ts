import { held } from "./held.svelte";
import { holding } from "./holding.svelte";

export { default as HeldBanner } from "./HeldBanner.svelte";
export { default as HeldList } from "./HeldList.svelte";
export { default as HoldDialog } from "./HoldDialog.svelte";
export { default as HoldPane } from "./HoldPane.svelte";
export { held, holding };

/** Forgets what belongs to whoever was signed in. */
export function forget(): void {
  held.forget();
  holding.forget();
}
