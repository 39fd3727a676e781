import type { PostureArea, PostureDriftLine, PostureView, Weakness } from "../../bindings/ipc";

/** What is looked at beside the list. By what it is and never by its place: a scan that ends puts other lines there. */
export type Selected =
  | { readonly kind: "cluster"; readonly cluster: string; readonly area: PostureArea | null }
  | { readonly kind: "practice"; readonly number: number }
  | { readonly kind: "weakness"; readonly id: string; /** Of which of its clusters; null: of the first. */ readonly cluster: string | null }
  | { readonly kind: "finding"; readonly cluster: string; readonly finding: string }
  | { readonly kind: "change"; readonly cluster: string; readonly way: PostureDriftLine["way"]; readonly text: string }
  | { readonly kind: "exception"; readonly id: string }
  | { readonly kind: "who"; readonly at: number };

/** The lists that each remember what is looked at beside them; the fleet and the findings tell of the same. */
export type Side = "weak" | "changed" | "exceptions" | "who";

/** Beside which list it is looked at. */
export function sideOf({ kind }: Selected): Side {
  return kind === "change" ? "changed" : kind === "exception" ? "exceptions" : kind === "who" ? "who" : "weak";
}

/** A change as what is looked at. */
export const changed = ({ cluster, way, text }: PostureDriftLine): Selected => ({ kind: "change", cluster, way, text });

/** Whether it is there (still), as far as the view tells. */
export function exists(view: PostureView, one: Selected): boolean {
  switch (one.kind) {
    case "cluster": return view.clusters.some(({ name }) => name === one.cluster);
    case "practice": return view.practices.some(({ number }) => number === one.number);
    case "weakness": return view.weaknesses.some(({ id }) => id === one.id);
    case "change": return changeOf(view, one) >= 0;
    case "exception": return view.exceptions.some(({ id }) => id === one.id);
    case "finding":
    case "who": return true;
  }
}

/** The cluster that it is about, where it is about one. */
export function clusterOf(view: PostureView, one: Selected | null): string | null {
  switch (one?.kind) {
    case "cluster":
    case "finding": return one.cluster;
    case "weakness": return placeOf(view, one)?.cluster ?? null;
    case "change": return one.cluster;
    default: return null;
  }
}

export function weaknessOf(view: PostureView, id: string): Weakness | null {
  return view.weaknesses.find((one) => one.id === id) ?? null;
}

/** The cluster of a weakness that is looked at, with its finding; where that cluster has it no more, the first that has. */
export function placeOf(view: PostureView, one: { readonly id: string; readonly cluster: string | null }): Weakness["places"][number] | null {
  const places = weaknessOf(view, one.id)?.places ?? [];
  return places.find(({ cluster }) => cluster === one.cluster) ?? places[0] ?? null;
}

/** Where a change is listed; -1: nowhere any more. */
export function changeOf(view: PostureView, one: Omit<PostureDriftLine, "since">): number {
  return view.drift.findIndex(({ cluster, way, text }) => cluster === one.cluster && way === one.way && text === one.text);
}

/** The weakness of the fleet that a finding of one cluster is part of. */
export function weaknessWith(view: PostureView, at: { cluster: string; finding: string }): Weakness | null {
  return view.weaknesses.find(({ places }) => places.some(({ cluster, finding }) => cluster === at.cluster && finding === at.finding)) ?? null;
}

/** The finding that is looked at: of a weakness that of the chosen cluster. A setting of the cloud has none. */
export function findingOf(view: PostureView, one: Selected | null): { cluster: string; finding: string } | null {
  if (one?.kind === "finding") return { cluster: one.cluster, finding: one.finding };
  if (one?.kind !== "weakness") return null;
  const place = placeOf(view, one);
  return place === null || place.finding === "" ? null : { cluster: place.cluster, finding: place.finding };
}

/** What is looked at as a list has it: one of the findings of cluster `only`; where that is empty, of the weaknesses of all. */
export function rowOf(view: PostureView, only: string, one: Selected | null): Selected | null {
  if (only !== "" && one?.kind === "weakness") {
    const at = findingOf(view, one);
    return at?.cluster === only ? { kind: "finding", ...at } : one;
  }
  if (only === "" && one?.kind === "finding") {
    const weakness = weaknessWith(view, one);
    return weakness === null ? one : { kind: "weakness", id: weakness.id, cluster: one.cluster };
  }
  return one;
}

/** A finding as one key, and back. */
export const keyOf = (at: { cluster: string; finding: string }): string => JSON.stringify([at.cluster, at.finding]);
export function ofKey(key: string): { cluster: string; finding: string } {
  const [cluster, finding] = JSON.parse(key) as [string, string];
  return { cluster, finding };
}
