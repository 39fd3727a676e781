import type { BundleFile, BundleView, ErrorView } from "../../bindings/ipc";
import { asError, host } from "../../host";

/** A line of a file that holds what is looked for, by its number. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

/** The lines of a file that hold `words`, whatever their case; with none all of them. */
export function matching(file: BundleFile, words: string): Line[] {
  const sought = words.trim().toLowerCase();
  const all = file.lines.map((text, i): Line => ({ number: i + 1, text }));
  return sought === "" ? all : all.filter((line) => line.text.toLowerCase().includes(sought));
}

/** A support bundle from its first look to the disk. */
export class Bundle {
  #view = $state.raw<BundleView | null>(null);
  #asked = 0;
  /** Whether people, groups and clusters are named in it. */
  names = $state(false);
  place = $state("");
  busy = $state(false);
  error = $state.raw<ErrorView | null>(null);
  /** Where it was written. */
  written = $state.raw<string | null>(null);

  /** As last gathered; none before, and while another is gathered. */
  get view(): BundleView | null {
    return this.#view;
  }

  /** Gathers it, with names or without. Only the last that was asked for counts. */
  async gather(names: boolean): Promise<void> {
    const mine = ++this.#asked;
    [this.names, this.#view, this.error, this.written] = [names, null, null, null];
    try {
      const view = await host.call("support_preview", { names });
      if (mine !== this.#asked) return;
      this.#view = view;
      // What was typed stays.
      if (this.place === "") this.place = view.place;
    } catch (thrown) {
      if (mine === this.#asked) this.error = asError(thrown);
    }
  }

  /** Writes what is shown. */
  async write(): Promise<void> {
    const view = this.#view;
    if (view === null || this.busy) return;
    [this.busy, this.error, this.written] = [true, null, null];
    try {
      this.written = await host.call("support_write", { bundle: view.id, place: this.place });
    } catch (thrown) {
      this.error = asError(thrown);
    }
    this.busy = false;
  }
}
