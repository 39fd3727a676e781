import type { TimelineFilter } from "../../bindings/ipc";
import { visible } from "../../shared/text";
import { rangeText, timeText } from "../../shared/time";

export type Part = keyof TimelineFilter;

/** The parts that are typed, in the order they stand in the form, with an example of each. */
export const PARTS = [
  { part: "cluster", title: "Cluster", example: "prod-eu-1" },
  { part: "person", title: "Person", example: "oidc:dana@example.test" },
  { part: "verb", title: "Verb", example: "delete" },
  { part: "resource", title: "Resource", example: "deployments.apps, pods/exec" },
  { part: "namespace", title: "Namespace", example: "payments" },
  { part: "name", title: "Name", example: "checkout" },
  { part: "code", title: "Status", example: "403, 4xx" },
  { part: "request", title: "Request", example: "its UID" },
  { part: "session", title: "Session", example: "its id" },
  { part: "action", title: "Step", example: "of this desktop: granted" },
] as const satisfies readonly { part: Part; title: string; example: string }[];

/** How a call or a step went. It stands in a filter where a status does: a status says that as well. */
export const DECISIONS = [
  { code: "allowed", title: "allowed, and done" },
  { code: "denied", title: "denied" },
  { code: "failed", title: "allowed, and failed" },
] as const;

export function isDecision(code: string | null | undefined): boolean {
  return DECISIONS.some((one) => one.code === code);
}

/** A filter with some parts changed; what is empty is left out. */
export function changed(filter: TimelineFilter, parts: { [P in Part]?: TimelineFilter[P] | null | undefined }): TimelineFilter {
  const all = { ...filter, ...parts };
  const said = Object.entries(all).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return Object.fromEntries(said) as TimelineFilter;
}

export interface Chip {
  readonly words: string;
  /** The parts it stands for. */
  readonly parts: readonly Part[];
}

/** A filter as chips, each of which can be taken away. */
export function chips(filter: TimelineFilter): Chip[] {
  const out: Chip[] = [];
  const { fromUs, toUs } = filter;
  if (fromUs !== undefined || toUs !== undefined) {
    const words = fromUs !== undefined && toUs !== undefined ? rangeText(fromUs, toUs) : fromUs !== undefined ? `since ${timeText(fromUs / 1000, "short")}` : `before ${timeText((toUs ?? 0) / 1000, "short")}`;
    out.push({ words, parts: ["fromUs", "toUs"] });
  }
  if (filter.side) out.push({ words: filter.side === "own" ? "this desktop alone" : "clusters' logs alone", parts: ["side"] });
  for (const { part } of PARTS) {
    const value = filter[part];
    if (value) out.push({ words: part === "code" && isDecision(value) ? value : part === "request" || part === "session" ? `${part} ${short(value)}` : part === "action" ? visible(value.replaceAll("_", " ")) : part === "cluster" || part === "person" ? visible(value) : `${part} ${visible(value)}`, parts: [part] });
  }
  return out;
}

/** As much of an id as tells it from others at a glance. */
export function short(id: string): string {
  return visible(id.slice(0, 8));
}
