import type { Commands, TerminalView, WorkspacePreview } from "../../bindings/ipc";
import type { Host } from "../types";
import { detail } from "./fleet";
import { failure } from "./sessions";
import { World } from "./world";

type Handlers = { [N in keyof Commands]: (args: Commands[N]["args"]) => Commands[N]["result"] | Promise<Commands[N]["result"]> };

/**
 * The desktop's twin for tests and pictures: same commands, scripted answers. `?scene=`, `?clusters=`, `?speed=` and
 * `?theme=` choose how it begins; `window.sallyportFake` lets a test make things happen.
 */
export function fake(options: URLSearchParams): Host {
  const world = new World(options.get("scene") ?? "ready", Number(options.get("clusters") ?? 2000), Number(options.get("speed") ?? 1));
  const theme = options.get("theme");
  if (theme === "dark" || theme === "light") world.state.theme = theme;
  const handle = handlers(world);
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
      if (!found || found.view.state !== "open") throw failure("sessionClosed", "The session is over.");
      const view: TerminalView = { id: `fake-terminal-${++terminals}`, session, title: "bash", running: true, exitCode: null, guard: found.guard };
      found.terminal(view, output);
      return view;
    },
    async attachTerminal(terminal, _size, output) {
      const [session, found] = terminalOf(world, terminal);
      found.attach(output);
      const view = session.view.terminals.find((t) => t.id === terminal);
      if (!view) throw failure("sessionClosed", "The terminal is over.");
      return view;
    },
  };
}

function terminalOf(world: World, id: string) {
  for (const session of world.sessions.values()) {
    const found = session.terminals.get(id);
    if (found) return [session, found] as const;
  }
  throw failure("badInput", "There is no such terminal.");
}

function handlers(world: World): Handlers {
  const session = (id: string) => {
    const found = world.sessions.get(id);
    if (!found) throw failure("badInput", "There is no such session.");
    return found;
  };
  const leaveAll = () => [...world.sessions.values()].forEach((s) => void s.close("left"));
  return {
    app_state: async () => {
      if (world.scene === "broken") throw failure("failed", "The history file could not be opened: it is locked by another Sallyport.", { hint: "Close the other window, then try again.", retry: true });
      return world.state;
    },
    theme_set: ({ theme }) => (world.change({ theme }), null),
    quit: async () => {
      leaveAll();
      await world.pause(800);
      return null;
    },
    workspace_preview: ({ text }) => preview(text),
    workspace_join: ({ text }) => {
      const seen = preview(text);
      return world.change({ phase: "signedOut", workspace: { name: seen.name, hubHost: seen.hubHost, issuer: seen.issuer, signsInAt: null, codeGoesTo: null } });
    },
    demo_workspace: async () => {
      void (async () => {
        for (const line of ["Starting etcd and the API servers", "Starting the identity provider", "Starting brokers and pods"]) {
          world.change({ demo: { kind: "starting", detail: line } });
          await world.pause(1500);
        }
        world.change({ demo: { kind: "running" }, phase: "signedOut", workspace: { name: "Demo", hubHost: "127.0.0.1:6443", issuer: "https://127.0.0.1:8443", signsInAt: null, codeGoesTo: null } });
      })();
      return world.state;
    },
    sign_in: async ({ step }) => (await world.signIn(step), world.state),
    sign_in_cancel: () => (world.change({ signIn: null }), null),
    sign_out: () => {
      leaveAll();
      return world.change({ phase: "signedOut", user: null });
    },
    clusters_list: async () => {
      await world.pause(40);
      if (world.scene === "loading") return { clusters: [], asOf: null, problems: [] };
      return { clusters: world.clusters, asOf: Date.now(), problems: world.scene === "partial" ? ["AccessCluster orders-eu-3 could not be read: spec.endpoints is missing."] : [] };
    },
    cluster_detail: async ({ name }) => {
      await world.pause(30);
      return detail(world.cluster(name), world.reason, Date.now());
    },
    cluster_pin: ({ name, on }) => {
      world.clusters = world.clusters.map((c) => (c.name === name ? { ...c, pinned: on } : c));
      world.hear({ kind: "clustersChanged" });
      return null;
    },
    session_open: ({ input }) => world.open(input).view,
    session_cancel: ({ id }) => (void session(id).close("left"), null),
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
    audit_page: async ({ filter, before, limit }) => {
      await world.pause(30);
      return world.history.page(filter, before, limit);
    },
    audit_verify: async () => {
      await world.pause(400);
      const entries = world.history.entries.length;
      if (world.scene === "tampered") return { verdict: "broken", entries: 812, gaps: 58, firstBad: 813, why: "Entry 813 was edited after it was written: its link does not match.", ms: 41, at: Date.now() };
      return { verdict: "verified", entries, gaps: world.history.entries.filter((e) => e.gap).length, firstBad: null, why: null, ms: 41, at: Date.now() };
    },
  };
}

function preview(text: string): WorkspacePreview {
  let file: { name?: unknown; hub?: { url?: unknown }; oidc?: { issuer?: unknown; clientId?: unknown } };
  try {
    file = JSON.parse(text);
  } catch {
    throw failure("badInput", "This is not a workspace file: it is not JSON.", { hint: "Ask your admin for the file again, and paste all of it." });
  }
  const url = String(file.hub?.url ?? "");
  if (!url.startsWith("https://")) throw failure("badInput", "The hub's address must begin with https://.");
  return { name: String(file.name ?? ""), hubHost: url.slice(8), hubCaFingerprint: "9F:12:7C:44:0A:BE:61:5D:88:E3:21:90:4B:7D:C6:F5:13:2A:99:0E:5C:71:D8:34:AB:6F:02:EE:41:97:B0:3D", issuer: String(file.oidc?.issuer ?? ""), clientId: String(file.oidc?.clientId ?? ""), scopes: ["openid", "email", "groups"], issuerCaFingerprint: null, redirectAddresses: ["http://127.0.0.1/callback/5f1c0a9e3b7d42860c1e9f5a7b3d2e64"], clientAuthenticates: false, extraAudiences: [], replaces: null };
}
