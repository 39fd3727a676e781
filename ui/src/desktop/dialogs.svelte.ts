export type DialogName = "palette" | "keys" | "stepUp" | "hold" | "profile" | "support" | "scan" | "except" | "report" | "forget" | "signOut" | "quit" | "auditFilter" | "auditSources" | "auditDeleted" | "auditReview" | "auditSeal" | "auditExport" | "replay";

class Dialogs {
  #open = $state.raw<{ name: DialogName } | null>(null);

  /** The dialog that is open. */
  get name(): DialogName | null {
    return this.#open?.name ?? null;
  }

  /** Another one each time a dialog is opened, so that it begins anew. */
  get turn(): object | null {
    return this.#open;
  }

  static put(dialogs: Dialogs, name: DialogName | null): void {
    dialogs.#open = name === null ? null : { name };
  }
}

/** Which dialog is open: one at a time. */
export const dialogs = new Dialogs();

/** Opens a dialog in place of the one that is open. Whoever is about to end everything is not asked for a second factor. */
export function openDialog(name: DialogName): void {
  const ending = dialogs.name === "quit" || dialogs.name === "signOut";
  if (!(ending && name === "stepUp")) Dialogs.put(dialogs, name);
}

/** Closes the dialog that is open; with a name, only if it is that one. */
export function closeDialog(name?: DialogName): void {
  if (name === undefined || dialogs.name === name) Dialogs.put(dialogs, null);
}
