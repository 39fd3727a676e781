import type { Key } from "./keys";

/** Something a person can do, by key, by the palette, or by a button. */
export interface Action {
  readonly id: string;
  /** As the palette names it. */
  readonly title: string | (() => string);
  /** As the sheet of keys says it, where the title is not enough. */
  readonly does?: string;
  readonly key?: Key;
  /** When it can be done; always when left out. */
  readonly can?: () => boolean;
  readonly run: (digit: number) => void;
  /** By key or button alone. */
  readonly palette?: false;
}

/** What can be done now. */
export function possible(action: Action): boolean {
  return action.can?.() ?? true;
}

export function titleOf(action: Action): string {
  return typeof action.title === "string" ? action.title : action.title();
}
