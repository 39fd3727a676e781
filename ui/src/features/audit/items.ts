import type { TimelineRow } from "../../bindings/ipc";
import { day } from "../../shared/time";

export type Item = { readonly kind: "day"; readonly id: string } | { readonly kind: "row"; readonly at: number };

const DAY_US = 86_400_000_000;

/** Rows with their days, which stand in their own rows so that a time is never read as another day's. */
export function itemsOf(rows: readonly TimelineRow[]): Item[] {
  const out: Item[] = [];
  let last = "";
  let hour = NaN;
  rows.forEach((row, at) => {
    // Its day is worked out once an hour: thousands of rows come at a time.
    const of = Math.floor((row.atUs / DAY_US) * 24);
    const id = of === hour ? last : day(row.atUs / 1000);
    hour = of;
    if (id !== last) out.push({ kind: "day", id });
    last = id;
    out.push({ kind: "row", at });
  });
  return out;
}
