import type { ErrorView, Event, SessionView } from "../bindings/ipc";
import { asError, host } from "../host";
import { first, fold, NOTHING, type Tag, type Told } from "./fold";

/** Hears what is known now and was before, and by which event; none with the first answers. */
export type Hear = (now: Told, before: Told, event: Event | null) => void;

/** What the desktop told. Only its events write it, and the first answers about what events keep fresh from then on. */
class Mirror {
  #told = $state.raw<Told>(NOTHING);
  #broken = $state.raw<ErrorView | null>(null);
  readonly #hearing = new Set<Hear>();
  #listens = false;

  readonly state = $derived(this.#told.state);
  readonly sessions = $derived(this.#told.sessions);
  readonly deadlines = $derived(this.#told.deadlines);
  readonly #changes = $derived(this.#told.changes);
  /** Command instead of Ctrl. */
  readonly mac = $derived(this.#told.state?.platform === "macos");

  /** Why nothing could be heard at all. */
  get broken(): ErrorView | null {
    return this.#broken;
  }

  /** How often a list was said to be another. */
  changes(tag: Tag): number {
    return this.#changes[tag] ?? 0;
  }

  session(id: string | null): SessionView | null {
    return this.sessions.find((s) => s.id === id) ?? null;
  }

  /** Calls `hear` after everything that is told, until the function given back is called. */
  heard(hear: Hear): () => void {
    this.#hearing.add(hear);
    return () => this.#hearing.delete(hear);
  }

  /** Follows the desktop, and asks once for what it said before. */
  async start(): Promise<void> {
    this.#broken = null;
    try {
      // Once, however often it is tried: what is heard twice is said twice.
      if (!this.#listens) await host.listen((event) => this.#write(fold(this.#told, event, performance.now()), event));
      this.#listens = true;
      const [state, sessions] = [await host.call("app_state"), await host.call("sessions_list")];
      this.#write(first(this.#told, state, sessions, performance.now()), null);
    } catch (thrown) {
      this.#broken = asError(thrown);
    }
  }

  #write(now: Told, event: Event | null): void {
    const before = this.#told;
    this.#told = now;
    for (const hear of this.#hearing) hear(now, before, event);
  }
}

export const mirror = new Mirror();
