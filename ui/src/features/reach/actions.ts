import { place } from "../../desktop/place.svelte";
import { mirror } from "../../desktop/mirror.svelte";
import type { Action } from "../../shared/actions";
import { editing } from "../profiles";
import { profileOf } from "./model";
import { reach, VIEW } from "./reach.svelte";

const HERE = { group: "Who can", view: VIEW } as const;
const here = () => place.view === VIEW;

/** The one that is looked for, where that is one alone; else it is asked which. */
function edit(): void {
  const { current, model } = reach;
  const focus = current !== null && "focus" in current ? [...current.focus] : [];
  const only = focus.length === 1 && model !== null && focus[0] !== undefined ? profileOf(model, focus[0]).name : null;
  editing.begin(only === null ? null : { name: only, isNew: false });
}
const signedIn = () => mirror.state?.phase === "ready";

export const actions: readonly Action[] = [
  { id: "nextReach", title: "Next of who can", does: "Next row", palette: false, key: { ...HERE, press: "J" }, can: here, run: () => reach.move(1) },
  { id: "previousReach", title: "Previous of who can", does: "Previous row", palette: false, key: { ...HERE, press: "K" }, can: here, run: () => reach.move(-1) },
  { id: "reachTab", title: "Who, where, what changed", does: "Who, where, what changed, in turn", palette: false, key: { ...HERE, press: "T" }, can: () => here() && !reach.lacks, run: () => reach.next() },
  { id: "lookAgain", title: "Look again who can ask for what", key: { ...HERE, press: "L" }, can: () => here() && !reach.busy, run: () => void reach.load() },
  { id: "markSeen", title: "Mark who can ask for what as seen", key: { ...HERE, press: "M" }, can: () => here() && reach.mayMark, run: () => void reach.mark() },
  { id: "editProfile", title: "Edit a profile", does: "Edit a profile: the one that is looked for, or one of all", key: { ...HERE, press: "E" }, can: signedIn, run: edit },
  { id: "newProfile", title: "New profile", key: { ...HERE, press: "N" }, can: signedIn, run: () => editing.begin({ name: null, isNew: true }) },
];
