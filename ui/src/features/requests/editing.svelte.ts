import type { RequestView } from "../../bindings/ipc";
import { lessOf, termsOf, type Less } from "./less";

/** What is being taken off one request, as the person changes it. */
export class Editing {
  seconds = $state<number | null>(null);
  names = $state("");
  #off = $state.raw<ReadonlySet<string>>(new Set());

  ticked(name: string): boolean {
    return !this.#off.has(name);
  }

  toggle(name: string): void {
    const off = new Set(this.#off);
    if (!off.delete(name)) off.add(name);
    this.#off = off;
  }

  /** All of them, or none to begin with. */
  tickAll(names: readonly string[], on: boolean): void {
    this.#off = new Set(on ? [] : names);
  }

  /** What it makes of the request as it stands: others may have taken something off meanwhile. */
  of(request: RequestView): Less {
    const terms = termsOf(request);
    return lessOf(terms, { seconds: this.seconds, ticked: terms.namespaces.filter((name) => this.ticked(name)), names: this.names });
  }
}
