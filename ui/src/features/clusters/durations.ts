/** The lengths offered up to `max` seconds, shortest first; a session lasts at least 15 minutes. */
export function durations(max: number): number[] {
  const offered = [15, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720].map((m) => m * 60).filter((s) => s <= max);
  return offered.includes(max) || max < 900 ? offered : [...offered, max];
}
