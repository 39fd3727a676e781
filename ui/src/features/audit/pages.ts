import type { TimelinePage, TimelineRow } from "../../bindings/ipc";

export const PAGE = 200;
/** When all on screen is read anew: as far apart as rows that end a page lie at most. */
export const LARGE_PAGE = 500;
/** Rows of a timeline that are on screen at most. */
export const ROWS_MOST = 20_000;
/** Rows that stay while one looks on live, but for those that somebody went down to: nobody misses what comes by so fast, and all of it is gone through each time. */
export const LIVE_MOST = 2_000;
/** Pages in which what came since the last look is looked for, before the list begins anew. */
const NEW_MOST = 16;

type Pages = readonly TimelinePage[];
type Rows = readonly TimelineRow[];

const lastOf = (pages: Pages) => pages.findLast(({ rows }) => rows.length > 0)?.rows.at(-1);

/** Where the last row of pages is on screen. */
export function placeOf(pages: Pages, shown: Rows): number {
  const last = lastOf(pages)?.id;
  return last === undefined ? -1 : shown.findIndex((row) => row.id === last);
}

/** How many rows more are asked for behind pages that are to be all down to the oldest on screen; none once they are. */
export function restOf(pages: Pages, shown: Rows): number {
  // A page without a row goes on as well, and still comes to an end.
  const read = pages.reduce((sum, { rows }) => sum + Math.max(rows.length, 1), 0);
  const left = shown.length - read;
  const isThere = left <= 0 && (lastOf(pages)?.atUs ?? Infinity) <= (shown.at(-1)?.atUs ?? Infinity);
  return isThere || read >= ROWS_MOST ? 0 : left > 0 ? Math.min(left, LARGE_PAGE) : PAGE;
}

/** The same behind pages that are to touch what is on screen: a busy fleet tells more between two looks than a page has. */
export function newOf(pages: Pages, shown: Rows): number {
  return pages.length < NEW_MOST && shown.length > 0 && placeOf(pages, shown) < 0 ? PAGE : 0;
}
