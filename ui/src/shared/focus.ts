/** Gives `element` the focus as it comes into the page, where nothing else has it. */
export function focusUnlessElsewhere(element: HTMLElement): void {
  if (document.activeElement === document.body || document.activeElement === null) element.focus();
}

/**
 * Keeps the focus inside `element` when what had it goes away, as a button does whose press takes it from the page: the
 * first of `places` that is there takes it, those beside what had it first. Nobody who uses the keyboard begins at the
 * top of the window again.
 */
export function keepsFocus(...places: string[]): (element: HTMLElement) => () => void {
  return (element) => {
    let had: { one: Element; home: Element | null } | null = null;
    const came = ({ target }: FocusEvent) => {
      if (target instanceof Element) had = { one: target, home: target.closest("aside, section") };
    };
    const left = ({ target }: FocusEvent) => {
      // What is taken from the page is left too, and is not there any more right after; a button that is pressed may rest first.
      queueMicrotask(() => {
        if (had !== null && had.one === target && had.one.isConnected && !had.one.matches(":disabled") && document.activeElement !== had.one) had = null;
      });
    };
    const changed = () => {
      if (had === null || had.one.isConnected) return;
      const now = document.activeElement;
      // A dialog that was opened from it has the focus still, and would give it back to nothing.
      if (now?.closest("dialog")) return;
      const homes = [had.home, element].filter((home) => home?.isConnected);
      had = null;
      if (now !== null && now !== document.body) return;
      for (const home of homes) {
        const place = places.map((one) => home?.querySelector<HTMLElement>(one)).find((one) => one);
        if (place) return place.focus();
      }
    };
    // Once the page is as it will be: a list that comes in place of another takes the focus by itself.
    const seen = new MutationObserver(() => queueMicrotask(changed));
    seen.observe(document.body, { childList: true, subtree: true });
    element.addEventListener("focusin", came);
    element.addEventListener("focusout", left);
    return () => {
      seen.disconnect();
      element.removeEventListener("focusin", came);
      element.removeEventListener("focusout", left);
    };
  };
}
