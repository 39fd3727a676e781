import type { HeatDay, HeatView } from "../../bindings/ipc";
import { count, number, visible } from "../../shared/text";
import { timeText } from "../../shared/time";

/** What of each day is shown; a screen reader is told all of them. */
export type Measure = keyof HeatDay;

export const MEASURES: readonly { id: Measure; title: string; isBad: boolean }[] = [
  { id: "calls", title: "Calls", isBad: false },
  { id: "writes", title: "Changes", isBad: false },
  { id: "denied", title: "Denied", isBad: true },
  { id: "failed", title: "Failed", isBad: true },
];

/** A number in a cell of four characters: `0`, `412`, `1.2k`, `87k`, `1.2M`. Never more than it is. */
export function compact(n: number): string {
  for (const [size, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    if (n >= 10 * size) return `${Math.min(999, Math.floor(n / size))}${letter}`;
    if (n >= size) return `${(Math.floor((n / size) * 10) / 10).toFixed(1).replace(".0", "")}${letter}`;
  }
  return String(n);
}

/** How strongly a cell is coloured, 0 to 5: by the logarithm, so that a quiet cluster is seen beside a loud one. */
export function level(n: number, most: number): number {
  if (n <= 0) return 0;
  return Math.max(1, Math.min(5, Math.ceil((Math.log1p(n) / Math.log1p(Math.max(1, most))) * 5)));
}

/** The highest of a map. */
export function highest(view: Pick<HeatView, "clusters">, measure: Measure): number {
  return view.clusters.reduce((most, row) => row.days.reduce((high, day) => Math.max(high, day[measure]), most), 0);
}

/** The moments a day lies between, microseconds. */
export function dayOf(view: Pick<HeatView, "fromUs" | "stepUs">, at: number): { fromUs: number; toUs: number } {
  return { fromUs: view.fromUs + at * view.stepUs, toUs: view.fromUs + (at + 1) * view.stepUs };
}

/** A cell in words: all that is counted of it. */
export function cellWords(cluster: string, fromUs: number, day: HeatDay): string {
  const when = `${visible(cluster)}, from ${timeText(fromUs / 1000, "short")}`;
  if (day.calls === 0) return `${when}: no call is kept`;
  return `${when}: ${count(day.calls, "call")}, ${count(day.writes, "change")}, ${number(day.denied)} denied, ${number(day.failed)} failed`;
}

/** Where a key leads in a map of so many rows and columns; null for keys that are none of it. */
export function moved(key: string, at: { row: number; column: number }, rows: number, columns: number): { row: number; column: number } | null {
  const bound = (n: number, most: number) => Math.max(0, Math.min(most - 1, n));
  const by: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-10, 0], PageDown: [10, 0], Home: [0, -1e6], End: [0, 1e6], "Ctrl+Home": [-1e6, -1e6], "Ctrl+End": [1e6, 1e6] };
  const step = by[key];
  return step === undefined ? null : { row: bound(at.row + step[0], rows), column: bound(at.column + step[1], columns) };
}
