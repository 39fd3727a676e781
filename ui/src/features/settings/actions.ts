import { openDialog } from "../../desktop/dialogs.svelte";
import type { Action } from "../../shared/actions";

export const actions: readonly Action[] = [
  { id: "supportBundle", title: "Support bundle…", does: "Make a support bundle", run: () => openDialog("support") },
];
