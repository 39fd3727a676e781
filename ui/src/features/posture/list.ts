import type { ExceptionView, FindingLine, PostureArea, PostureSeverity, Weakness } from "../../bindings/ipc";
import { areaTitle } from "./grid";

/** What of the findings is looked for; no severity and no area: all of them. */
export interface Filter {
  readonly query: string;
  readonly severities: ReadonlySet<PostureSeverity>;
  readonly area: PostureArea | null;
  readonly onlyNew: boolean;
  /** Those that somebody answers for too. */
  readonly excepted: boolean;
}

export const ALL: Filter = { query: "", severities: new Set(), area: null, onlyNew: false, excepted: false };

/** A row of the list of findings: a weakness of the fleet, a finding of one cluster, or what is folded away. */
export type Row =
  | { readonly kind: "weakness"; readonly id: string; readonly weakness: Weakness }
  | { readonly kind: "finding"; readonly id: string; readonly line: FindingLine }
  | { readonly kind: "fold"; readonly id: "default" | "vendor"; readonly count: number; readonly open: boolean };

const words = (query: string) => query.toLowerCase().split(/\s+/).filter(Boolean);

function passes(filter: Filter, severity: PostureSeverity, area: PostureArea, isExcepted: boolean, text: string): boolean {
  if (filter.severities.size > 0 && !filter.severities.has(severity)) return false;
  if (filter.area !== null && filter.area !== area) return false;
  if (isExcepted && !filter.excepted) return false;
  const all = `${text} ${severity} ${areaTitle(area)}`.toLowerCase();
  return words(filter.query).every((word) => all.includes(word));
}

/** The weaknesses of the fleet that are looked for, in their order. */
export function weaknessesOf(all: readonly Weakness[], filter: Filter): Weakness[] {
  return all.filter((one) => passes(filter, one.severity, one.area, one.isExcepted, `${one.check} ${one.title} ${one.about} ${one.places.map(({ cluster }) => cluster).join(" ")}`));
}

/** The findings of one cluster that are looked for: the team's own, then what is folded away but not hidden. */
export function findingsOf(all: readonly FindingLine[], filter: Filter, unfolded: ReadonlySet<string>): Row[] {
  const found = all.filter((line) => (!filter.onlyNew || line.isNew) && passes(filter, line.severity, line.area, line.excepted !== null, `${line.check} ${line.said}`));
  const rows = (origin: FindingLine["origin"]) => found.filter((line) => line.origin === origin).map((line): Row => ({ kind: "finding", id: line.id, line }));
  const folded = (["vendor", "default"] as const).flatMap((id): Row[] => {
    const inside = rows(id);
    if (inside.length === 0) return [];
    const open = unfolded.has(id);
    return [{ kind: "fold", id, count: inside.length, open }, ...(open ? inside : [])];
  });
  return [...rows("own"), ...folded];
}

/** Those that want something first: over, then for nothing, then by their end. */
export function exceptionsOf(all: readonly ExceptionView[]): ExceptionView[] {
  const wants = (one: ExceptionView) => (one.isExpired ? 0 : one.matches === 0 ? 1 : 2);
  return [...all].sort((a, b) => wants(a) - wants(b) || a.until - b.until);
}

/** How many there are of each severity, whatever of them is looked for. */
export function tally(all: readonly { severity: PostureSeverity }[]): Map<PostureSeverity, number> {
  const n = new Map<PostureSeverity, number>();
  for (const { severity } of all) n.set(severity, (n.get(severity) ?? 0) + 1);
  return n;
}
