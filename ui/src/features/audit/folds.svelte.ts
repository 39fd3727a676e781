import { type Command, type Item, itemsOf, placeOf, stepFrom } from "./items";
import { look } from "./look.svelte";
import { timeline } from "./timeline.svelte";

/** The timeline as it stands in the list: commands of kubectl as one row each, open or closed. */
class Folds {
  #opened = $state.raw<ReadonlySet<string>>(new Set());
  readonly items = $derived<readonly Item[]>(itemsOf(timeline.rows, this.#opened));
  /** Where what is looked at stands. */
  readonly selected = $derived(placeOf(this.items, look.at, look.isCommand));
  readonly #at = $derived(this.items[this.selected]);
  /** The command that is looked at: it, or one of its calls. */
  readonly command = $derived(this.#at?.kind === "command" ? this.#at.command : null);
  readonly of = $derived(this.command?.id ?? (this.#at?.kind === "row" ? this.#at.of : null));

  /** Opens or closes a command: what is looked at of its calls is the command, once they are away. */
  toggle(id: string, open = !this.#opened.has(id)): void {
    const opened = new Set(this.#opened);
    if (open) opened.add(id);
    else opened.delete(id);
    if (!open && this.of === id) look.choose(look.chosen, true);
    this.#opened = opened;
  }

  isOpen(id: string): boolean {
    return this.#opened.has(id);
  }

  choose(command: Command): void {
    look.choose(timeline.rows[command.lead]?.id ?? null, true);
  }

  /** Looks at another item, so many further on. */
  move(by: number): void {
    const item = stepFrom(this.items, this.selected, by);
    if (item?.kind === "command") this.choose(item.command);
    else if (item?.kind === "row") look.choose(timeline.rows[item.at]?.id ?? null);
  }

  forget(): void {
    this.#opened = new Set();
  }
}

export const folds = new Folds();
