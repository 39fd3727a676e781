import type { WhoCanView, WhoCluster, WhoMay, WhoProfile, WhoSubject, WhoThere } from "../../bindings/ipc";

/** What can be done with a profile. */
export type Verb = "request" | "approve" | "revoke";
export const VERBS: readonly Verb[] = ["request", "approve", "revoke"];

/** Somebody who may do something with a profile. */
export interface Holder {
  readonly subject: number;
  readonly holds: WhoMay;
}

/** The view with what is looked up in it: by profile, on which clusters and by whom. */
export interface Model {
  readonly view: WhoCanView;
  /** The clusters that each profile covers. */
  readonly covers: readonly (readonly number[])[];
  /** Who holds something on each profile. */
  readonly holders: readonly (readonly Holder[])[];
}

export function modelOf(view: WhoCanView): Model {
  const covers: number[][] = view.profiles.map(() => []);
  const holders: Holder[][] = view.profiles.map(() => []);
  view.clusters.forEach((cluster, at) => cluster.profiles.forEach(({ profile }) => covers[profile]?.push(at)));
  view.subjects.forEach((one, subject) => one.may.forEach((holds) => holders[holds.profile]?.push({ subject, holds })));
  return { view, covers, holders };
}

export function profileOf(model: Model, at: number): WhoProfile {
  return model.view.profiles[at] as WhoProfile;
}

export function clustersOf(model: Model, profile: number): WhoCluster[] {
  return (model.covers[profile] ?? []).map((at) => model.view.clusters[at] as WhoCluster);
}

/** Who holds a verb on a profile, in the order of the view. */
export function holdersOf(model: Model, profile: number, verb: Verb): { subject: WhoSubject; by: string[] }[] {
  return (model.holders[profile] ?? []).filter(({ holds }) => holds[verb]).map(({ subject, holds }) => ({ subject: model.view.subjects[subject] as WhoSubject, by: byText(model, holds) }));
}

/** The bindings by which somebody holds something. */
export function byText(model: Model, holds: WhoMay): string[] {
  return holds.by.map((at) => model.view.bindings[at] ?? "");
}

export function teamsOf(model: Model, teams: readonly number[]): string[] {
  return teams.map((at) => model.view.teams[at] ?? "");
}

/** The clusters somebody may ask for. */
export function reachedBy(model: Model, subject: WhoSubject): Set<number> {
  const reached = new Set<number>();
  for (const holds of subject.may) if (holds.request) for (const at of model.covers[holds.profile] ?? []) reached.add(at);
  return reached;
}

/** Those who may ask for something on a cluster. */
export function askersOf(model: Model, cluster: WhoCluster): Set<number> {
  const all = new Set<number>();
  for (const { profile } of cluster.profiles) for (const { subject, holds } of model.holders[profile] ?? []) if (holds.request) all.add(subject);
  return all;
}

/** The id of a row of a subject, a cluster, the hub or a change: what is selected stays so when it is read again. */
export const subjectId = (subject: WhoSubject) => `s:${subject.kind}:${subject.name}`;
export const clusterId = (cluster: WhoCluster) => `c:${cluster.name}`;
export const HUB = "hub";

/** The profiles of a cluster, those that are looked for first. */
export function sorted(model: Model, there: readonly WhoThere[], focus: ReadonlySet<number>): WhoThere[] {
  const name = (one: WhoThere) => profileOf(model, one.profile).name;
  return [...there].sort((a, b) => Number(focus.has(b.profile)) - Number(focus.has(a.profile)) || (name(a) < name(b) ? -1 : 1));
}
