import type { Commands, ErrorView, Event, TerminalSize, TerminalView } from "../bindings/ipc";

type Args<N extends keyof Commands> = keyof Commands[N]["args"] extends never ? [] : [Commands[N]["args"]];

/** What the window runs on: the desktop, or its scripted twin in tests. Every promise rejects with an `ErrorView`. */
export interface Host {
  call<N extends keyof Commands>(name: N, ...args: Args<N>): Promise<Commands[N]["result"]>;
  /** Hears everything from now on. Called once. */
  listen(hear: (event: Event) => void): Promise<void>;
  /** Starts a shell in a session; `output` gets its bytes, which the caller acknowledges once drawn. */
  openTerminal(session: string, size: TerminalSize, output: Output): Promise<TerminalView>;
  /** Takes a running terminal over again (after a reload); what it last printed is replayed. */
  attachTerminal(terminal: string, size: TerminalSize, output: Output): Promise<TerminalView>;
}

export type Output = (bytes: Uint8Array) => void;

/** Whatever was thrown, as the view of an error. */
export function asError(thrown: unknown): ErrorView {
  if (typeof thrown === "object" && thrown !== null && "code" in thrown && "message" in thrown) {
    return thrown as ErrorView;
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "failed", message, hint: null, retry: false, stepUp: null };
}
