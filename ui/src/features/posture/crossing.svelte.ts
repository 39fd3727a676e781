import type { CrossingsView, ErrorView } from "../../bindings/ipc";
import { asError, host } from "../../host";

interface Said {
  readonly answer: CrossingsView | null;
  readonly error: ErrorView | null;
  readonly busy: boolean;
}

const NOTHING: Said = { answer: null, error: null, busy: false };

/** What both sides believe, and so leads from one to the other, by check. */
const ACROSS = new Set(["FL-03", "FL-04", "FL-05"]);

export const leadsAcross = (check: string): boolean => ACROSS.has(check);

/** Ways from one cluster into another, worked out when somebody asks, until the window closes or a scan changes them. */
class Crossing {
  #said = $state.raw<ReadonlyMap<string, Said>>(new Map());

  of(from: string, into: string): Said {
    return this.#said.get(keyOf(from, into)) ?? NOTHING;
  }

  async ask(from: string, into: string): Promise<void> {
    const key = keyOf(from, into);
    if (this.of(from, into).busy) return;
    this.#put(key, { ...NOTHING, busy: true });
    try {
      this.#put(key, { ...NOTHING, answer: await host.call("posture_crossings", { from, into }) });
    } catch (thrown) {
      this.#put(key, { ...NOTHING, error: asError(thrown) });
    }
  }

  #put(key: string, said: Said): void {
    this.#said = new Map(this.#said).set(key, said);
  }

  forget(): void {
    this.#said = new Map();
  }
}

const keyOf = (from: string, into: string): string => `${from}\n${into}`;

export const crossing = new Crossing();
