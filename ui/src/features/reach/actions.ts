import { place } from "../../desktop/place.svelte";
import type { Action } from "../../shared/actions";
import { reach, VIEW } from "./reach.svelte";

const HERE = { group: "Who can", view: VIEW } as const;
const here = () => place.view === VIEW;

export const actions: readonly Action[] = [
  { id: "nextReach", title: "Next of who can", does: "Next row", palette: false, key: { ...HERE, press: "J" }, can: here, run: () => reach.move(1) },
  { id: "previousReach", title: "Previous of who can", does: "Previous row", palette: false, key: { ...HERE, press: "K" }, can: here, run: () => reach.move(-1) },
  { id: "reachTab", title: "Who, where, what changed", does: "Who, where, what changed, in turn", palette: false, key: { ...HERE, press: "T" }, can: () => here() && !reach.lacks, run: () => reach.next() },
  { id: "lookAgain", title: "Look again who can ask for what", key: { ...HERE, press: "L" }, can: () => here() && !reach.busy, run: () => void reach.load() },
  { id: "markSeen", title: "Mark who can ask for what as seen", key: { ...HERE, press: "M" }, can: () => here() && reach.mayMark, run: () => void reach.mark() },
];
