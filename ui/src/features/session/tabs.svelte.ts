import type { SessionView } from "../../bindings/ipc";
import { app } from "../../shared/app.svelte";

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
  return app.sessions.flatMap((session) => {
    const ids = session.state === "open" && session.terminals.length > 0 ? session.terminals.map((t) => t.id) : [null];
    return ids.map((terminal, at) => ({
      id: `${session.id}:${terminal ?? ""}`,
      session,
      terminal,
      number: at + 1,
      on: app.session === session.id && (ids.length === 1 || app.terminal === terminal),
    }));
  });
}

export function choose(tab: Tab | undefined): void {
  if (!tab) return;
  app.session = tab.session.id;
  app.terminal = tab.terminal;
  app.view = "sessions";
}

/** The tab `by` places from the shown one, around the ends. */
export function step(by: number): void {
  const list = tabs();
  const at = list.findIndex((tab) => tab.on);
  choose(list[(at + by + list.length) % list.length]);
}
