import type { PostureArea, PostureView, Weakness } from "../../bindings/ipc";

/** What is looked at beside the list. */
export type Selected =
  | { readonly kind: "cluster"; readonly cluster: string; readonly area: PostureArea | null }
  | { readonly kind: "practice"; readonly number: number }
  | { readonly kind: "weakness"; readonly id: string; readonly place: number }
  | { readonly kind: "finding"; readonly cluster: string; readonly finding: string }
  | { readonly kind: "change"; readonly at: number }
  | { readonly kind: "exception"; readonly id: string }
  | { readonly kind: "who"; readonly at: number };

/** Whether it is there (still), as far as the view tells. */
export function exists(view: PostureView, one: Selected): boolean {
  switch (one.kind) {
    case "cluster": return view.clusters.some(({ name }) => name === one.cluster);
    case "practice": return view.practices.some(({ number }) => number === one.number);
    case "weakness": return view.weaknesses.some(({ id }) => id === one.id);
    case "change": return one.at < view.drift.length;
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
    case "weakness": return weaknessOf(view, one.id)?.places[one.place]?.cluster ?? null;
    case "change": return view.drift[one.at]?.cluster ?? null;
    default: return null;
  }
}

export function weaknessOf(view: PostureView, id: string): Weakness | null {
  return view.weaknesses.find((one) => one.id === id) ?? null;
}

/** The weakness of the fleet that a finding of one cluster is part of. */
export function weaknessWith(view: PostureView, at: { cluster: string; finding: string }): Weakness | null {
  return view.weaknesses.find(({ places }) => places.some(({ cluster, finding }) => cluster === at.cluster && finding === at.finding)) ?? null;
}

/** The finding that is looked at: of a weakness that of the chosen cluster. A setting of the cloud has none. */
export function findingOf(view: PostureView, one: Selected | null): { cluster: string; finding: string } | null {
  if (one?.kind === "finding") return { cluster: one.cluster, finding: one.finding };
  if (one?.kind !== "weakness") return null;
  const place = weaknessOf(view, one.id)?.places[one.place];
  return place === undefined || place.finding === "" ? null : { cluster: place.cluster, finding: place.finding };
}

/** A finding as one key, and back. */
export const keyOf = (at: { cluster: string; finding: string }): string => JSON.stringify([at.cluster, at.finding]);
export function ofKey(key: string): { cluster: string; finding: string } {
  const [cluster, finding] = JSON.parse(key) as [string, string];
  return { cluster, finding };
}
