import type { CrossingsView } from "../../bindings/ipc";
import { host } from "../../host";
import { Answers, type Said } from "./answers.svelte";
import { posture } from "./posture.svelte";

/** What both sides believe, and so leads from one to the other, by check. */
const ACROSS = new Set(["FL-03", "FL-04", "FL-05"]);

export const leadsAcross = (check: string): boolean => ACROSS.has(check);

/** Ways from one cluster into another, worked out when somebody asks, until the window closes or either is scanned again. */
class Crossing {
  readonly #answers = new Answers<CrossingsView>();

  of(from: string, into: string): Said<CrossingsView> {
    return this.#answers.of(keyOf(from, into));
  }

  async ask(from: string, into: string): Promise<void> {
    await this.#answers.ask(keyOf(from, into), () => host.call("posture_crossings", { from, into }));
  }

  forget(): void {
    this.#answers.forget();
  }
}

const takenAt = (cluster: string): number => posture.view?.clusters.find(({ name }) => name === cluster)?.scannedAt ?? 0;

/** Another scan of either is another question: what was worked out from the one before is no answer to it. */
const keyOf = (from: string, into: string): string => [from, into, takenAt(from), takenAt(into)].join("\n");

export const crossing = new Crossing();
