const AGAIN_MS = 15_000;

/** Nothing tells of a log store that is back: it is asked again while somebody looks, and not each time another answer came. */
export function whileAway(isAway: () => boolean, again: () => void): void {
  const away = $derived(isAway());
  $effect(() => {
    if (!away) return;
    const timer = setInterval(again, AGAIN_MS);
    return () => clearInterval(timer);
  });
}
