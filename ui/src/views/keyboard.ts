import { dialogs } from "../desktop/dialogs.svelte";
import { place } from "../desktop/place.svelte";
import { possible, type Action } from "../shared/actions";
import { focusKind, pressed, type Key } from "../shared/keys";
import { ACTIONS } from "./actions";

interface Bound extends Key {
  readonly action: Action;
}

/** Every key of the window. */
export const KEYS: readonly Bound[] = ACTIONS.flatMap((action) => (action.key ? [{ ...action.key, action }] : []));

/** Whether a terminal leaves this key press to the window. Everything else is the shell's. */
export function windowsOwn(event: KeyboardEvent, mac: boolean): boolean {
  return pressed(KEYS, event, mac, true).keys.some((key) => key.inTerminal);
}

/** Keys on their way to a terminal: the window's own do not get there. */
export function towardsTerminal(event: KeyboardEvent, mac: boolean): void {
  if (focusKind(event.target) !== "terminal" || !windowsOwn(event, mac)) return;
  event.preventDefault();
  event.stopPropagation();
  run(event, mac, (key) => key.inTerminal === true);
}

/** Keys that nobody below the window wanted. */
export function onWindow(event: KeyboardEvent, mac: boolean): void {
  const focus = focusKind(event.target);
  if (event.defaultPrevented || focus === "terminal") return;
  const done = run(event, mac, (key) => (focus === "page" || key.inField === true) && isWithin(event.target, key), focus !== "page" || dialogs.name !== null);
  if (done) event.preventDefault();
}

function run(event: KeyboardEvent, mac: boolean, counts: (key: Bound) => boolean, typing = true): boolean {
  const found = pressed(KEYS, event, mac, typing);
  const key = found.keys.find((one) =>
    counts(one) && (dialogs.name === null || one.inDialog) && (one.view === undefined || one.view === place.view) && possible(one.action));
  key?.action.run(found.digit);
  return key !== undefined;
}

function isWithin(target: EventTarget | null, key: Key): boolean {
  return key.within === undefined || (target instanceof Element && target.closest(key.within) !== null);
}
