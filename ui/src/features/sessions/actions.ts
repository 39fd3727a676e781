import type { Action } from "../../shared/actions";
import { replay } from "../recording";
import { again, dismiss, extend, inFront, leave, listed, mayExtend, shown, VIEW } from "./sessions.svelte";
import { choose, step, tabs } from "./tabs";

/** The key that leaves. */
export const LEAVE = "Ctrl+Shift+L";

/** The key that asks for more time. */
export const EXTEND = "Ctrl+Shift+E";

const HERE = { group: "In a session", view: VIEW } as const;
const SHEET = { group: "When one opens or is closed", view: VIEW } as const;
const EVERYWHERE = { group: "In a session", inTerminal: true, inField: true } as const;

const any = () => listed().length > 0;
const open = () => shown()?.state === "open";
const extendable = () => {
  const session = shown();
  return session !== null && mayExtend(session);
};
const closed = () => inFront()?.state === "closed";
// What a scan opened is opened again by a scan.
const reopens = () => closed() && inFront()?.isScan === false;

export const actions: readonly Action[] = [
  {
    id: "leave", title: () => `Leave ${shown()?.cluster ?? "the session"}`, does: "Leave the session",
    key: { ...HERE, press: LEAVE, inTerminal: true, inField: true }, can: open,
    run: () => { const session = shown(); if (session) void leave(session); },
  },
  {
    id: "extend", title: () => `More time on ${shown()?.cluster ?? "the cluster"}`, does: "Ask for as long again",
    key: { ...HERE, press: EXTEND, inTerminal: true, inField: true }, can: extendable,
    run: () => { const session = shown(); if (session) void extend(session); },
  },
  { id: "tab", title: "Tab 1 to 9", palette: false, key: { ...EVERYWHERE, press: "Alt+1…9" }, can: any, run: (digit) => choose(tabs()[digit - 1]) },
  { id: "nextTab", title: "Next tab", palette: false, key: { ...EVERYWHERE, press: "Ctrl+Tab" }, can: any, run: () => step(1) },
  { id: "previousTab", title: "Previous tab", palette: false, key: { ...EVERYWHERE, press: "Ctrl+Shift+Tab" }, can: any, run: () => step(-1) },
  {
    id: "again", title: () => `Open ${inFront()?.cluster ?? "it"} again`, does: "Open it again", key: { ...SHEET, press: "R" }, can: reopens,
    run: () => { const session = inFront(); if (session) void again(session); },
  },
  {
    id: "watchRecording", title: () => `Watch what terminals on ${inFront()?.cluster ?? "it"} showed`, does: "Watch what its terminals showed",
    key: { ...SHEET, press: "W" }, can: () => (inFront()?.recording ?? null) !== null,
    run: () => { const session = inFront(); if (session) void replay.watch(session.id); },
  },
  {
    id: "putAway", title: "Put the closed session away", does: "Put it away; cancel the opening", key: { ...SHEET, press: "Esc" },
    can: () => closed() || inFront()?.state === "opening", palette: false,
    run: () => {
      const session = inFront();
      if (session) void (session.state === "closed" ? dismiss(session) : leave(session));
    },
  },
];
