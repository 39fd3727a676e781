import type { ErrorView, SessionView } from "../../bindings/ipc";
import { mirror } from "../../desktop/mirror.svelte";
import { attempt } from "../../desktop/notices.svelte";
import { go, place } from "../../desktop/place.svelte";
import { host } from "../../host";
import { type Paste, whyAsked, type Why } from "./paste";
import { Shell } from "./shell";

/** The terminals on this screen, by their id; those being started, by their session. */
class Shells {
  private readonly running = new Map<string, Shell>();
  private readonly starting = new Map<string, Shell>();
  private version = $state(0);
  errors = $state.raw<ReadonlyMap<string, ErrorView>>(new Map());
  /** A paste that waits for a yes. */
  asked = $state.raw<{ shell: Shell; paste: Paste; why: Why } | null>(null);
  /** Whether the shown terminal is searched. */
  finding = $state(false);

  /** The terminal to show for a session: the chosen one, the one being started, or a first one to start. */
  shown(session: SessionView, terminal: string | null): Shell | null {
    void this.version;
    const starting = this.starting.get(session.id);
    if (starting && !(terminal && this.running.has(terminal))) return starting;
    const id = terminal ?? session.terminals[0]?.id ?? null;
    const known = id === null ? undefined : this.running.get(id);
    if (known) return known;
    if (this.errors.has(session.id)) return null;
    return id === null ? this.begin(session.id) : this.take(session.id, id);
  }

  /** Another terminal in the session. */
  another(session: string): void {
    this.errors = without(this.errors, session);
    this.begin(session);
    go({ terminal: null });
    this.version += 1;
  }

  async close(shell: Shell): Promise<void> {
    const id = shell.id;
    if (!id) return;
    await attempt(host.call("terminal_close", { terminal: id }));
    this.forget(id);
    if (place.terminal === id) go({ terminal: mirror.session(shell.session)?.terminals.find((t) => t.id !== id)?.id ?? null });
  }

  /** Types the paste that was asked about, or not. */
  answer(yes: boolean): void {
    const asked = this.asked;
    this.asked = null;
    if (yes) asked?.shell.paste(asked.paste.text);
    else asked?.shell.focus();
  }

  // Whether it is asked first.
  private readonly asks = (shell: Shell, paste: Paste): boolean => {
    const production = mirror.session(shell.session)?.environment === "prod";
    const why = whyAsked(paste, mirror.state?.paste ?? "always", production);
    if (why !== null) this.asked = { shell, paste, why };
    return why !== null;
  };

  /** Drops the terminals of sessions that no longer serve. */
  sweep(sessions: readonly SessionView[]): void {
    const serving = new Set(sessions.filter((s) => s.state === "open").map((s) => s.id));
    for (const [id, shell] of this.running) if (!serving.has(shell.session)) this.forget(id);
    for (const [session, shell] of this.starting) {
      if (serving.has(session)) continue;
      shell.dispose();
      this.starting.delete(session);
    }
  }

  private begin(session: string): Shell {
    const shell = new Shell(session, null, {
      asks: this.asks,
      started: (s) => {
        this.starting.delete(session);
        if (s.id) this.running.set(s.id, s);
        if (place.session === session) go({ terminal: s.id });
        this.version += 1;
      },
      failed: (error) => {
        this.starting.delete(session);
        this.errors = new Map(this.errors).set(session, error);
      },
    });
    this.starting.set(session, shell);
    return shell;
  }

  private take(session: string, id: string): Shell {
    const shell = new Shell(session, id, {
      asks: this.asks,
      started: () => {},
      failed: (error) => {
        this.running.delete(id);
        this.errors = new Map(this.errors).set(session, error);
      },
    });
    this.running.set(id, shell);
    return shell;
  }

  private forget(id: string): void {
    if (this.asked?.shell.id === id) this.asked = null;
    this.running.get(id)?.dispose();
    this.running.delete(id);
    this.version += 1;
  }
}

function without(errors: ReadonlyMap<string, ErrorView>, session: string): ReadonlyMap<string, ErrorView> {
  const rest = new Map(errors);
  rest.delete(session);
  return rest;
}

export const shells = new Shells();
