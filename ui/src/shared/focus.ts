/** Gives `element` the focus as it comes into the page, where nothing else has it. */
export function focusUnlessElsewhere(element: HTMLElement): void {
  if (document.activeElement === document.body || document.activeElement === null) element.focus();
}
