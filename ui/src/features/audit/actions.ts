import { openDialog } from "../../desktop/dialogs.svelte";
import { mirror } from "../../desktop/mirror.svelte";
import { go, place } from "../../desktop/place.svelte";
import type { Action } from "../../shared/actions";
import { replay } from "../recording";
import { heat } from "./heat.svelte";
import { look } from "./look.svelte";
import { reviewing } from "./reviewing.svelte";
import { sealing } from "./sealing.svelte";
import { timeline } from "./timeline.svelte";

export const VIEW = "audit";

const HERE = { group: "Audit", view: VIEW } as const;
const here = () => place.view === VIEW;
const signedIn = () => mirror.state?.phase === "ready";

export const actions: readonly Action[] = [
  { id: "auditRaw", title: "Raw JSON of the row", palette: false, key: { ...HERE, press: "J" }, can: () => here() && look.row !== null, run: () => void look.toggleRaw() },
  { id: "auditSession", title: "The whole session of the row", palette: false, key: { ...HERE, press: "O" }, can: () => here() && look.request !== null, run: () => { const of = look.request; if (of) look.open({ kind: "session", request: of }); } },
  { id: "auditReplay", title: "Watch what the row's terminals showed then", palette: false, key: { ...HERE, press: "R" }, can: () => here() && look.ofSession !== null, run: () => { const of = look.ofSession; if (of && look.row) void replay.watch(of, look.row.atUs / 1000); } },
  { id: "auditReview", title: "Write down a review of this access…", does: "On a person's or a cluster's page: write down a review", palette: false, key: { ...HERE, press: "V" }, can: () => here() && reviewing.may, run: () => reviewing.begin() },
  { id: "auditBack", title: "Back to what led here", palette: false, key: { ...HERE, press: "B" }, can: () => here() && look.canGoBack, run: () => look.back() },
  { id: "auditFilter", title: "Filter the timeline…", does: "Filter: by cluster, person, verb, resource, time", key: { ...HERE, press: "F" }, can: here, run: () => openDialog("auditFilter") },
  { id: "auditWhen", title: "When: the histogram", does: "When: the arrows choose, Enter looks closer", palette: false, key: { ...HERE, press: "W" }, can: here, run: () => document.getElementById(heat.shown ? "heat" : "histogram")?.focus() },
  { id: "auditHeat", title: "Clusters by day", does: "Clusters by day in place of the histogram, and back", key: { ...HERE, press: "M" }, can: here, run: () => heat.toggle() },
  { id: "auditAll", title: "Look at all of the timeline", does: "Take every filter away", key: { ...HERE, press: "X" }, can: () => here() && timeline.isFiltered, run: () => (go({ entriesOf: null }), void timeline.choose({})) },
  { id: "auditLive", title: "Look on live", does: "Look on live, and stop it", key: { ...HERE, press: "L" }, can: here, run: () => void timeline.follow(!timeline.live) },
  { id: "auditSources", title: "Clusters' audit logs…", key: { ...HERE, press: "S" }, can: signedIn, run: () => (go({ view: VIEW }), openDialog("auditSources")) },
  { id: "auditDeleted", title: "Who deleted this?", key: { ...HERE, press: "D" }, can: signedIn, run: () => (go({ view: VIEW }), openDialog("auditDeleted")) },
  { id: "auditSeal", title: "The key that seals the history…", does: "The key that seals the history, and another in its place", key: { ...HERE, press: "K" }, can: signedIn, run: () => (go({ view: VIEW }), sealing.open()) },
];
