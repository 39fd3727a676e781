import * as holds from "../holds";
import { before } from "./before.svelte";
import { deciding } from "./deciding.svelte";
import { inbox } from "./requests.svelte";

export { actions } from "./actions";
export { default as Endings } from "./Endings.svelte";
export { default as RequestList } from "./RequestList.svelte";
export { default as RequestPane } from "./RequestPane.svelte";
export { inbox, toDecide, VIEW } from "./requests.svelte";

/** Forgets what belongs to whoever was signed in. */
export function forget(): void {
  inbox.forget();
  deciding.forget();
  before.forget();
  holds.forget();
}
