import type { TerminalView } from "../../bindings/ipc";
import type { Host } from "../types";
import { access, terminalOf } from "./access";
import { audit } from "./audit";
import { clusters } from "./clusters";
import { decisions } from "./decisions";
import { desk } from "./desk";
import type { Handlers } from "./handlers";
import { posture } from "./posture";
import { profiles } from "./profiles";
import { recordings } from "./recordings";
import { reach } from "./reach";
import { holds } from "./holds";
import { failure } from "./sessions";
import { settings } from "./settings";
import { support } from "./support";
import { World } from "./world";

/**
 * The desktop's twin for tests and pictures: same commands, scripted answers. `?scene=`, `?clusters=`, `?speed=` and
 * `?theme=` choose how it begins; `window.sallyportFake` lets a test make things happen.
 */
export function fake(options: URLSearchParams): Host {
  const world = new World(options.get("scene") ?? "ready", Number(options.get("clusters") ?? 2000), Number(options.get("speed") ?? 1));
  const theme = options.get("theme");
  if (theme === "dark" || theme === "light") world.state.theme = theme;
  const handle: Handlers = { ...desk(world), ...clusters(world), ...access(world), ...audit(world), ...decisions(world), ...reach(world), ...profiles(world), ...holds(world), ...settings(world), ...posture(world), ...recordings(world), ...support(world) };
  const calls: string[] = [];
  Object.assign(window, { sallyportFake: { world, calls } });
  let terminals = 0;
  return {
    async call(name, ...args) {
      calls.push(name);
      const given = structuredClone(args[0] ?? {});
      await Promise.resolve();
      return structuredClone(await (handle[name] as (args: unknown) => Promise<never>)(given));
    },
    async listen(hear) {
      // As over the wire: what is heard is a copy, a moment later.
      world.hear = (event) => {
        const copy = structuredClone(event);
        setTimeout(() => hear(copy), 0);
      };
    },
    async openTerminal(session, _size, output) {
      calls.push("terminal_open");
      const found = world.sessions.get(session);
      if (!found || found.view.state !== "open") throw failure("failed", "The session is over.");
      const view: TerminalView = { id: `fake-terminal-${++terminals}`, session, title: "bash", running: true, exitCode: null, guard: found.guard, recording: found.view.recording ? { input: found.view.recording === "outputAndInput", stopped: null } : null };
      found.terminal(view, output);
      return view;
    },
    async attachTerminal(terminal, _size, output) {
      const [session, found] = terminalOf(world, terminal);
      found.attach(output);
      const view = session.view.terminals.find((t) => t.id === terminal);
      if (!view) throw failure("failed", "The terminal is over.");
      return view;
    },
  };
}
