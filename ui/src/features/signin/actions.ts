import { openDialog } from "../../desktop/dialogs.svelte";
import type { Action } from "../../shared/actions";

export const actions: readonly Action[] = [
  { id: "signOut", title: "Sign out", run: () => openDialog("signOut") },
];
