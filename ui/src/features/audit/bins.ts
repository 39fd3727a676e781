import type { HistogramBin, HistogramView } from "../../bindings/ipc";
import type { TimeForm } from "../../shared/time";
import { timeText } from "../../shared/time";

/** How high the highest is. */
export function highest(bins: readonly HistogramBin[]): number {
  return bins.reduce((most, bin) => Math.max(most, bin.own + bin.calls), 1);
}

/** Which bin lies at a share of the width. */
export function binAt(share: number, bins: number): number {
  return Math.min(bins - 1, Math.max(0, Math.floor(share * bins)));
}

/** The range of some bins, both included, in microseconds. */
export function spanOf(view: Pick<HistogramView, "fromUs" | "stepUs">, low: number, high: number): { fromUs: number; toUs: number } {
  return { fromUs: view.fromUs + low * view.stepUs, toUs: view.fromUs + (high + 1) * view.stepUs };
}

/** Five moments under it, from its begin to its end. */
export function ticks(view: Pick<HistogramView, "fromUs" | "stepUs" | "bins">): number[] {
  const span = view.stepUs * view.bins.length;
  return [0, 0.25, 0.5, 0.75, 1].map((share) => view.fromUs + span * share);
}

/** What stands under it, in milliseconds: with days or with seconds where its range asks for them, and what was said just before is not said again. */
export function marks(view: Pick<HistogramView, "fromUs" | "stepUs" | "bins">): { at: number; form: TimeForm; isAgain: boolean }[] {
  const span = view.stepUs * view.bins.length;
  const form = span > 86_400_000_000 ? "short" : span < 600_000_000 ? "seconds" : "clock";
  const words = ticks(view).map((us) => timeText(us / 1000, form));
  return ticks(view).map((us, i) => ({ at: us / 1000, form, isAgain: words[i] === words[i - 1] }));
}
