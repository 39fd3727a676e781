import type { TimelineRow } from "../../bindings/ipc";
import { shownDay } from "../../shared/time";

export type Item = { readonly kind: "day"; readonly id: string } | { readonly kind: "row"; readonly at: number };

/** Days begin at a whole quarter of an hour of UTC in every zone there is. */
const QUARTER_US = 900_000_000;

/** Rows with their days, which stand in their own rows so that a time is never read as another day's. */
export function itemsOf(rows: readonly TimelineRow[]): Item[] {
  const out: Item[] = [];
  let last = "";
  let quarter = NaN;
  rows.forEach((row, at) => {
    // Its day is worked out once a quarter: thousands of rows come at a time.
    const of = Math.floor(row.atUs / QUARTER_US);
    const id = of === quarter ? last : shownDay(row.atUs / 1000);
    quarter = of;
    if (id !== last) out.push({ kind: "day", id });
    last = id;
    out.push({ kind: "row", at });
  });
  return out;
}
