import { openDialog } from "../../desktop/dialogs.svelte";
import { mirror } from "../../desktop/mirror.svelte";
import { go, place } from "../../desktop/place.svelte";
import type { Action } from "../../shared/actions";
import { applying } from "./applying.svelte";
import { excepting } from "./excepting.svelte";
import { fixing } from "./fixing.svelte";
import { posture, VIEW } from "./posture.svelte";
import { proving } from "./proving.svelte";
import { reporting } from "./reporting.svelte";
import { scanning } from "./scanning.svelte";
import { using } from "./using.svelte";
import { nextList } from "./walk";
import { who } from "./who.svelte";

const HERE = { group: "Posture", view: VIEW } as const;
const here = () => place.view === VIEW;
const signedIn = () => mirror.state?.phase === "ready";
const kept = () => here() && posture.covered.scanned > 0;
const step = (by: number) => (posture.tab === "who" ? who.move(by) : posture.step(by));

export const actions: readonly Action[] = [
  { id: "postureTab", title: "Fleet, findings, changed, exceptions, who can", does: "Fleet, findings, changed, exceptions, who can, in turn", palette: false, key: { ...HERE, press: "T" }, can: kept, run: () => void nextList() },
  { id: "nextPosture", title: "Next of what is listed", does: "Next row; in the grid the arrows move", palette: false, key: { ...HERE, press: "J" }, can: here, run: () => step(1) },
  { id: "previousPosture", title: "Previous of what is listed", does: "Previous row", palette: false, key: { ...HERE, press: "K" }, can: here, run: () => step(-1) },
  { id: "orderPosture", title: "Order the grid by the worst, or by name", does: "Order the grid: the worst first, or by name", palette: false, key: { ...HERE, press: "O" }, can: () => kept() && posture.tab === "fleet", run: () => posture.turn() },
  { id: "backPosture", title: "Back to what led here", does: "Back to what led here, in the pane", palette: false, key: { ...HERE, press: "B" }, can: () => here() && posture.canGoBack, run: () => posture.back() },
  { id: "scan", title: "Scan clusters", does: "Scan: choose which, and see what it would be allowed", key: { ...HERE, press: "S" }, can: () => here() && scanning.may, run: () => scanning.begin() },
  { id: "stopScan", title: "Stop the scan", key: { ...HERE, press: "X" }, can: () => here() && posture.scanning, run: () => scanning.stop() },
  { id: "provePath", title: "Ask the API server for the proof of this path", does: "Ask the API server for the proof of the path", key: { ...HERE, press: "P" }, can: () => here() && (posture.detail?.reviews ?? 0) > 0, run: () => { if (posture.at) void proving.ask(posture.at); } },
  { id: "usedRights", title: "Look what was used of these rights", does: "Look what was used of the rights, and what would have been enough", key: { ...HERE, press: "U" }, can: () => here() && (posture.detail?.subjectKind ?? null) !== null, run: () => { if (posture.at) void using.ask(posture.at); } },
  { id: "copyFix", title: "Copy the fix", does: "Copy the fix as it is shown", key: { ...HERE, press: "C" }, can: () => here() && !!posture.detail?.fix, run: () => { if (posture.detail?.fix) void fixing.copy(posture.detail.fix); } },
  { id: "applyFix", title: "Apply the fix in the open session", does: "Try the fix in the open session; Enter applies it", key: { ...HERE, press: "A" }, can: () => here() && posture.detail?.fix?.inSession === true && !applying.busy, run: () => { if (posture.at) void applying.try(posture.at); } },
  { id: "except", title: "Make an exception of this finding", does: "Make an exception: an owner, a reason and a day it ends", key: { ...HERE, press: "E" }, can: () => here() && excepting.may, run: () => excepting.begin() },
  { id: "postureReport", title: "Write a report of the posture", does: "Write a report, as one HTML file", key: { ...HERE, press: "W" }, can: kept, run: () => reporting.begin() },
  { id: "forgetScans", title: "Forget all scans…", can: kept, run: () => openDialog("forget") },
  { id: "whoCanDo", title: "Who can do something on the clusters…", can: signedIn, run: () => (go({ view: VIEW }), posture.choose("who")) },
];
