import type { SessionView } from "../../bindings/ipc";
import { place } from "../../desktop/place.svelte";
import { listed, show } from "./sessions.svelte";

export interface Tab {
  id: string;
  session: SessionView;
  terminal: string | null;
  /** Which terminal of its session, from 1. */
  number: number;
  on: boolean;
}

/** One tab per terminal; a session without one has a tab too. */
export function tabs(): Tab[] {
  return listed().flatMap((session) => {
    const ids = session.state === "open" && session.terminals.length > 0 ? session.terminals.map((t) => t.id) : [null];
    return ids.map((terminal, at) => ({
      id: `${session.id}:${terminal ?? ""}`,
      session,
      terminal,
      number: at + 1,
      on: place.session === session.id && (ids.length === 1 || place.terminal === terminal),
    }));
  });
}

export function choose(tab: Tab | undefined): void {
  if (tab) show(tab.session.id, tab.terminal);
}

/** The tab `by` places from the shown one, around the ends. */
export function step(by: number): void {
  const list = tabs();
  const at = list.findIndex((tab) => tab.on);
  choose(list[(at + by + list.length) % list.length]);
}
