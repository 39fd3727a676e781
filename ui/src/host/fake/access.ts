import type { Handlers } from "./handlers";
import { failure } from "./sessions";
import type { World } from "./world";

/** Sessions and their terminals. */
export function access(world: World) {
  const session = (id: string) => {
    const found = world.sessions.get(id);
    if (!found) throw failure("badInput", "There is no such session.");
    return found;
  };
  return {
    session_open: ({ input }) => world.open(input).view,
    session_extend: ({ id }) => world.extend(session(id)).view,
    sessions_list: () => [...world.sessions.values()].map((s) => s.view),
    session_leave: ({ id }) => (void session(id).close("left"), null),
    session_dismiss: ({ id }) => (world.sessions.delete(id), world.hear({ kind: "sessionGone", id }), null),
    terminal_open: () => { throw failure("failed", "Only through openTerminal."); },
    terminal_attach: () => { throw failure("failed", "Only through attachTerminal."); },
    terminal_write: ({ terminal, data }) => (terminalOf(world, terminal)[1].write(data), null),
    terminal_resize: () => null,
    terminal_ack: ({ terminal, bytes }) => (terminalOf(world, terminal)[1].acknowledge(bytes), null),
    terminal_take: ({ terminal, why }) => {
      const [owner] = terminalOf(world, terminal);
      owner.guarded(terminal, (guard) => (guard.kind === "notGuarded" && guard.why === why ? { kind: "taken", why } : guard));
      return null;
    },
    terminal_close: ({ terminal }) => {
      const [owner] = terminalOf(world, terminal);
      owner.terminals.delete(terminal);
      owner.change({ terminals: owner.view.terminals.filter((t) => t.id !== terminal) });
      return null;
    },
    terminal_list: () => [...world.sessions.values()].flatMap((s) => s.view.terminals),
  } satisfies Partial<Handlers>;
}

/** A terminal and its session. */
export function terminalOf(world: World, id: string) {
  for (const session of world.sessions.values()) {
    const found = session.terminals.get(id);
    if (found) return [session, found] as const;
  }
  throw failure("badInput", "There is no such terminal.");
}
