import { createSubscriber } from "svelte/reactivity";

/** A clock that only runs while something on screen reads it. */
function ticking(every: number) {
  const subscribe = createSubscriber((update) => {
    const timer = setInterval(update, every);
    return () => clearInterval(timer);
  });
  return {
    /** Unix milliseconds. */
    get now() {
      subscribe();
      return Date.now();
    },
    /** Milliseconds on a clock nobody sets. */
    get monotonic() {
      subscribe();
      return performance.now();
    },
  };
}

export const second = ticking(1000);
export const minute = ticking(20_000);
