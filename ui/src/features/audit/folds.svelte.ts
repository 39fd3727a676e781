import { Folding } from "./folding.svelte";
import { look } from "./look.svelte";
import { timeline } from "./timeline.svelte";

/** The timeline as it stands in the list. */
class Folds extends Folding {
  get rows() {
    return timeline.rows;
  }

  protected get at() {
    return look.at;
  }

  protected get isCommand() {
    return look.isCommand;
  }

  protected becomesCommand(): void {
    look.choose(look.chosen, true);
  }

  choose(id: string | null, asCommand = false): void {
    look.choose(id, asCommand);
  }

  forget(): void {
    this.closeAll();
  }
}

export const folds = new Folds();
