import type { TimelineRow } from "../../bindings/ipc";
import { type Command, type Item, itemsOf, placeOf, stepFrom } from "./items";

/** Rows as they stand in a list: commands of kubectl as one row each, open or closed. */
export abstract class Folding {
  #opened = $state.raw<ReadonlySet<string>>(new Set());
  abstract readonly rows: readonly TimelineRow[];
  /** The place of the row that is looked at. */
  protected abstract readonly at: number;
  /** It is looked at as the command that it is of. */
  protected abstract readonly isCommand: boolean;
  /** What is looked at is that from now on. */
  protected abstract becomesCommand(): void;
  abstract choose(id: string | null, asCommand?: boolean): void;

  readonly items = $derived.by<readonly Item[]>(() => itemsOf(this.rows, this.#opened));
  /** Where what is looked at stands. */
  readonly selected = $derived.by(() => placeOf(this.items, this.at, this.isCommand));
  readonly #item = $derived.by(() => this.items[this.selected]);
  /** The command that is looked at, as that. */
  readonly command = $derived.by<Command | null>(() => (this.#item?.kind === "command" ? this.#item.command : null));
  /** The command that is looked at: it, or one of its calls. */
  readonly of = $derived.by(() => this.command?.id ?? (this.#item?.kind === "row" ? this.#item.of : null));

  chooseCommand(command: Command): void {
    this.choose(this.rows[command.lead]?.id ?? null, true);
  }

  /** Looks at another item, so many further on. */
  move(by: number): void {
    const item = stepFrom(this.items, this.selected, by);
    if (item?.kind === "command") this.chooseCommand(item.command);
    else if (item?.kind === "row") this.choose(this.rows[item.at]?.id ?? null);
  }

  /** Opens or closes a command: what is looked at of its calls is the command, once they are away. */
  toggle(id: string, open = !this.#opened.has(id)): void {
    const opened = new Set(this.#opened);
    if (open) opened.add(id);
    else opened.delete(id);
    if (!open && this.of === id) this.becomesCommand();
    this.#opened = opened;
  }

  protected closeAll(): void {
    this.#opened = new Set();
  }
}
