/**
 * In a field with suggestions beside it, Enter hands in what was typed. WebKitGTK opens its list of them by itself and keeps
 * the first Enter, which then does nothing. Whoever moved to a suggestion by an arrow takes that one.
 */
export function submitsAsTyped(form: HTMLFormElement): () => void {
  let hasMoved = false;
  const pressed = (event: KeyboardEvent) => {
    if (!(event.target instanceof HTMLInputElement) || event.target.list === null || event.isComposing) return;
    const { key } = event;
    if (key !== "Enter" || hasMoved) return void (hasMoved = key === "ArrowDown" || key === "ArrowUp");
    event.preventDefault();
    const button = form.querySelector<HTMLButtonElement>("button:not([type=button])");
    if (button !== null && !button.disabled) form.requestSubmit(button);
  };
  form.addEventListener("keydown", pressed);
  return () => form.removeEventListener("keydown", pressed);
}
