/**
 * Each key once. With an input method (also for dead keys) WebKit tells one character by several events: the end of a
 * composition, the input, a key press of code 229. The terminal hears each of them by itself and may type the
 * character for each.
 *
 * What was committed since the last key press may be typed as often as it was committed, and no more often.
 */
export class Once {
  private committed: string | null = null;
  private left = 0;
  private composing = false;

  watch(element: HTMLElement): void {
    element.addEventListener("compositionstart", () => (this.composing = true), true);
    element.addEventListener("compositionend", (event) => {
      this.composing = false;
      this.commit(event.data);
    }, true);
    element.addEventListener("input", (event) => {
      const { data, inputType } = event as InputEvent;
      if (!this.composing && (inputType === "insertText" || inputType === "insertFromComposition")) this.commit(data ?? "");
    }, true);
    // A key that no input method took begins anew; 229 belongs to what is being committed.
    element.addEventListener("keydown", (event) => {
      if (event.keyCode !== 229) this.committed = null;
    }, true);
  }

  /** Whether what the terminal wants to type is to be typed. */
  takes(data: string): boolean {
    if (this.committed === null || data !== this.committed) return true;
    this.left -= 1;
    return this.left >= 0;
  }

  // The end of a composition and its input are the same commit; they come in one go, in either order.
  private commit(data: string): void {
    if (data === "") return;
    if (this.committed === data && this.fresh) return;
    this.left = this.committed === data ? Math.max(this.left, 0) + 1 : 1;
    this.committed = data;
    this.fresh = true;
    // Both come before any timer runs; the terminal itself types from timers.
    setTimeout(() => (this.fresh = false), 0);
  }

  private fresh = false;
}
