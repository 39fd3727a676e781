import { openDialog } from "../../desktop/dialogs.svelte";
import { mirror } from "../../desktop/mirror.svelte";
import { go, place } from "../../desktop/place.svelte";
import type { Action } from "../../shared/actions";
import { replay } from "../recording";
import { chain } from "./chain.svelte";
import { exporting } from "./exporting.svelte";
import { folds } from "./folds.svelte";
import { heat } from "./heat.svelte";
import { look } from "./look.svelte";
import { reviewing } from "./reviewing.svelte";
import { sealing } from "./sealing.svelte";
import { timeline } from "./timeline.svelte";

export const VIEW = "audit";

const HERE = { group: "Audit", view: VIEW } as const;
const here = () => place.view === VIEW;
/** The list is what is seen, and no session's page. */
const listed = () => here() && look.pane.kind !== "session";
const onSession = () => here() && look.pane.kind === "session" && look.session !== null;
const signedIn = () => mirror.state?.phase === "ready";

export const actions: readonly Action[] = [
  { id: "auditRaw", title: "Raw JSON of the row", palette: false, key: { ...HERE, press: "J" }, can: () => listed() && look.row !== null, run: () => void look.toggleRaw() },
  { id: "auditCommand", title: "The calls of the command", does: "Open a command of kubectl into its calls, and close it", palette: false, key: { ...HERE, press: "C" }, can: () => here() && (onSession() ? chain.of : folds.of) !== null, run: () => { const at = onSession() ? chain : folds; if (at.of !== null) at.toggle(at.of); } },
  { id: "auditSession", title: "The whole session of the row", palette: false, key: { ...HERE, press: "O" }, can: () => listed() && look.request !== null, run: () => { const of = look.request; if (of) look.open({ kind: "session", request: of }); } },
  { id: "auditReplay", title: "Watch what the row's terminals showed then", palette: false, key: { ...HERE, press: "R" }, can: () => (onSession() ? chain.watching.all?.length : look.ofSession) && here() ? true : false, run: () => { const of = look.ofSession; if (onSession()) void chain.watch(); else if (of && look.row) void replay.watch(of, look.row.atUs / 1000); } },
  { id: "auditMoment", title: "To the call of the moment that the replay shows", palette: false, key: { ...HERE, press: "M" }, can: () => onSession() && chain.current >= 0, run: () => chain.toCall() },
  { id: "auditReview", title: "Write down a review of this access…", does: "On a person's or a cluster's page: write down a review", palette: false, key: { ...HERE, press: "V" }, can: () => here() && reviewing.may, run: () => reviewing.begin() },
  { id: "auditBack", title: "Back to what led here", palette: false, key: { ...HERE, press: "B" }, can: () => here() && look.canGoBack, run: () => look.back() },
  { id: "auditFilter", title: "Filter the timeline…", does: "Filter: by cluster, person, verb, resource, time", key: { ...HERE, press: "F" }, can: listed, run: () => openDialog("auditFilter") },
  { id: "auditWhen", title: "When: the histogram", does: "When: the arrows choose, Enter looks closer", palette: false, key: { ...HERE, press: "W" }, can: listed, run: () => document.getElementById(heat.shown ? "heat" : "histogram")?.focus() },
  { id: "auditHeat", title: "Clusters by day", does: "Clusters by day in place of the histogram, and back", key: { ...HERE, press: "H" }, can: listed, run: () => heat.toggle() },
  { id: "auditAll", title: "Look at all of the timeline", does: "Take every filter away", key: { ...HERE, press: "X" }, can: () => listed() && timeline.isFiltered, run: () => (go({ entriesOf: null }), void timeline.choose({})) },
  { id: "auditLive", title: "Look on live", does: "Look on live, and stop it", key: { ...HERE, press: "L" }, can: listed, run: () => void timeline.follow(!timeline.live) },
  { id: "auditSources", title: "Clusters' audit logs…", key: { ...HERE, press: "S" }, can: signedIn, run: () => (go({ view: VIEW }), openDialog("auditSources")) },
  { id: "auditDeleted", title: "Who deleted this?", key: { ...HERE, press: "D" }, can: signedIn, run: () => (go({ view: VIEW }), openDialog("auditDeleted")) },
  { id: "auditExport", title: "Hand on what the timeline shows…", does: "Hand on: an evidence pack, JSON, CSV, OCSF, the access report", key: { ...HERE, press: "E" }, can: signedIn, run: () => (go({ view: VIEW }), exporting.begin(timeline.filter)) },
  { id: "auditSeal", title: "The key that seals the history…", does: "The key that seals the history, and another in its place", key: { ...HERE, press: "K" }, can: signedIn, run: () => (go({ view: VIEW }), sealing.open()) },
];
