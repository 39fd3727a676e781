import { tick } from "svelte";

/** Enter is for what is asked here and for nothing else; whoever is done with it is in the list again. */
export function focus(element: HTMLElement): () => void {
  element.focus();
  return () => {
    void tick().then(() => {
      if (document.activeElement === document.body) document.getElementById("requests")?.focus();
    });
  };
}

/** An Enter that is held is the one that asked, not an answer. */
export function noRepeat(event: KeyboardEvent): void {
  if (event.repeat && event.key === "Enter") event.preventDefault();
}
