import type { PostureArea, PostureCell, PostureCluster, PostureSeverity } from "../../bindings/ipc";

/** The columns of the grid, in the order of a cluster's cells. */
export const AREAS: readonly { id: PostureArea; title: string }[] = [
  { id: "reach", title: "TLS & reach" },
  { id: "signIn", title: "Sign-in" },
  { id: "credentials", title: "Credentials" },
  { id: "rights", title: "RBAC" },
  { id: "admission", title: "Admission" },
  { id: "audit", title: "Audit" },
  { id: "encryption", title: "Encryption" },
  { id: "version", title: "Version" },
];

export const areaTitle = (area: PostureArea): string => AREAS.find(({ id }) => id === area)?.title ?? area;

/** From the worst to the least. */
export const SEVERITIES: readonly PostureSeverity[] = ["critical", "high", "medium", "low", "info"];

/** How bad, as a number: the worse the higher; nothing is 0. */
export const rank = (severity: PostureSeverity | null): number => (severity === null ? 0 : SEVERITIES.length - SEVERITIES.indexOf(severity));

export type CellTone = "pass" | PostureSeverity | "unknown" | "provider" | "none" | "excepted";

/** What a cell says, and how it is coloured; the word alone is enough. */
export function cellText(cell: PostureCell): { text: string; tone: CellTone } {
  const { verdict, worst, count, excepted } = cell;
  switch (verdict) {
    case "fail": return worst === null ? { text: `${excepted} excepted`, tone: "excepted" } : { text: `${count} ${worst}`, tone: worst };
    case "pass": return excepted > 0 ? { text: `${excepted} excepted`, tone: "excepted" } : { text: "pass", tone: "pass" };
    case "unknown": return { text: "unknown", tone: "unknown" };
    case "provider": return { text: "provider", tone: "provider" };
    case "notApplicable": return { text: "n/a", tone: "none" };
  }
}

/** The same as a sentence for whoever hears it, with what the cell has no room for. */
export function cellSentence(area: PostureArea, cell: PostureCell): string {
  const { text } = cellText(cell);
  const checks = cell.unknown === 1 ? "1 check is unknown" : `${cell.unknown} checks are unknown`;
  const rest = [
    cell.unknown > 0 ? checks : "",
    cell.excepted > 0 && !text.endsWith("excepted") ? `${cell.excepted} excepted` : "",
  ].filter(Boolean);
  return [`${areaTitle(area)}: ${text}`, ...rest].join(", ");
}

/** How bad a cell is when the worst come first: what was found, then what nobody knows, then the rest. */
export function badness(cell: PostureCell | undefined): number {
  if (cell === undefined) return 0.5;
  if (cell.verdict === "fail") return rank(cell.worst) * 1000 + Math.min(999, cell.count);
  return cell.verdict === "unknown" ? 1 : 0;
}

/** How bad a whole cluster is: by the worst of its cells, then by all of them. */
function worst({ cells }: PostureCluster): readonly [number, number] {
  const bad = cells.map(badness);
  return cells.length === 0 ? [badness(undefined), 0] : [Math.max(...bad), bad.reduce((n, one) => n + one, 0)];
}

/** By what the rows are ordered: their names, the worst clusters first, the oldest scans first, or the worst of one column. */
export type Order = "name" | "worst" | "scanned" | PostureArea;

/** The clusters whose name or environment holds every word, in the order that is chosen. */
export function ordered(clusters: readonly PostureCluster[], query: string, order: Order): readonly PostureCluster[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length === 0 ? clusters : clusters.filter((one) => {
    const text = `${one.name} ${one.environmentWord}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  if (order === "name") return found;
  // Never is older than any day.
  if (order === "scanned") return [...found].sort((a, b) => (a.scannedAt ?? -1) - (b.scannedAt ?? -1));
  if (order === "worst") {
    const bad = new Map(found.map((one) => [one, worst(one)]));
    const of = (one: PostureCluster) => bad.get(one) ?? [0, 0];
    return [...found].sort((a, b) => of(b)[0] - of(a)[0] || of(b)[1] - of(a)[1]);
  }
  const at = AREAS.findIndex(({ id }) => id === order);
  // Equal ones keep their order: sorting is stable.
  return [...found].sort((a, b) => badness(b.cells[at]) - badness(a.cells[at]));
}

/** Where one is in the grid: column 0 is the cluster itself, 1 to 8 are its areas. */
export interface Cursor {
  readonly cluster: string;
  readonly column: number;
}

/** Where a key leads from there; null: it is none of the grid's. */
export function moved(rows: readonly PostureCluster[], from: Cursor | null, key: string): Cursor | null {
  const moves: Record<string, readonly [number, number]> = { ArrowDown: [1, 0], ArrowUp: [-1, 0], PageDown: [10, 0], PageUp: [-10, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], Home: [0, -99], End: [0, 99], "Ctrl+Home": [-1e9, -99], "Ctrl+End": [1e9, 99] };
  const by = moves[key];
  if (by === undefined || rows.length === 0) return null;
  const at = from === null ? -1 : rows.findIndex(({ name }) => name === from.cluster);
  // Whoever was on a row that is not shown any more begins at the top.
  const row = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by[0]));
  const column = at < 0 ? from?.column ?? 0 : Math.min(AREAS.length, Math.max(0, (from?.column ?? 0) + by[1]));
  return { cluster: rows[row]?.name ?? "", column };
}

/** How many clusters a scan is kept of, and what of their checks came to an answer, of 100. */
export function covered(clusters: readonly PostureCluster[]): { scanned: number; coverage: number } {
  const kept = clusters.filter(({ scannedAt }) => scannedAt !== null);
  const sum = kept.reduce((n, { coverage }) => n + coverage, 0);
  // Never rounded up: 100 % is said when it is.
  return { scanned: kept.length, coverage: kept.length === 0 ? 0 : Math.floor(sum / kept.length) };
}
