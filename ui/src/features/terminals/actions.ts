import { mirror } from "../../desktop/mirror.svelte";
import { place } from "../../desktop/place.svelte";
import type { Action } from "../../shared/actions";
import { copyText } from "../../shared/copy";
import type { Shell } from "./shell";
import { shells } from "./shells.svelte";
import { largest, reset, smallest, step, textSize, USUAL } from "./size";

// The terminals are part of the view of the sessions.
const VIEW = "sessions";
const HERE = { group: "In a session", view: VIEW, inTerminal: true } as const;

/** The session whose terminal is in front of the person. */
function open() {
  const session = place.view === VIEW ? mirror.session(place.session) : null;
  return session?.state === "open" ? session : null;
}
function shown(): Shell | null {
  const session = open();
  return session && shells.shown(session, place.terminal);
}
const can = () => open() !== null;

export const actions: readonly Action[] = [
  {
    id: "newTerminal", title: "Another terminal in this session", key: { ...HERE, press: "Ctrl+Shift+T" }, can,
    run: () => { const session = open(); if (session) shells.another(session.id); },
  },
  {
    id: "closeTerminal", title: "Close this terminal", key: { ...HERE, press: "Ctrl+Shift+W" }, can,
    run: () => { const shell = shown(); if (shell) void shells.close(shell); },
  },
  {
    id: "findInTerminal", title: "Find in the terminal", key: { ...HERE, press: "Ctrl+Shift+F" }, can,
    run: () => (shells.finding = true),
  },
  {
    id: "copy", title: "Copy what is selected", does: "Copy what is selected (paste with V)", palette: false, key: { ...HERE, press: "Ctrl+Shift+C" }, can,
    run: () => { const text = shown()?.selection(); if (text) void copyText(text); },
  },
  { id: "largerText", title: "Larger text in terminals", key: { ...HERE, press: "Mod++" }, can: () => !largest(), run: () => step(1) },
  { id: "smallerText", title: "Smaller text in terminals", key: { ...HERE, press: "Mod+-" }, can: () => !smallest(), run: () => step(-1) },
  { id: "usualText", title: "Usual text size in terminals", key: { ...HERE, press: "Mod+0" }, can: () => textSize() !== USUAL, run: reset },
];
