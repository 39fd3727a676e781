import type { Model } from "./model";

/** A row that was found, and the profiles that were looked for. */
export interface Hit {
  readonly at: number;
  readonly focus: ReadonlySet<number>;
}

const WORDS = 8;

const NONE: ReadonlySet<number> = new Set();

/** What is looked for, word by word. */
export function wordsOf(query: string): string[] {
  return query.toLowerCase().split(/\s+/).filter(Boolean);
}

/**
 * Who is found: every word is of their name, or of one profile that they hold something on and one cluster that it covers.
 * `payments-eu-1 operate` finds who can reach that, `oidc:payments-dev` finds them.
 */
export function subjectsFound(model: Model, query: string): Hit[] {
  const looked = look(model, query);
  if (looked === null) return model.view.subjects.map((_, at) => ({ at, focus: NONE }));
  const { all, own, profiles, clusters } = looked;
  return ranked(model.view.subjects, query, own.subjects, (subject, at) => {
    const mine = own.subjects[at] ?? 0;
    const focus = new Set<number>();
    let found = mine === all;
    for (const { profile } of subject.may) {
      const named = profiles[profile] ?? 0;
      for (const there of [0, ...(clusters[profile] ?? [])]) {
        if ((mine | named | there) !== all) continue;
        found = true;
        if (named !== 0) focus.add(profile);
      }
    }
    return found ? focus : null;
  });
}

/**
 * Which clusters are found: every word is of theirs, or of one profile that covers them and somebody who may ask for it.
 * `oidc:payments-dev` finds what they can reach.
 */
export function clustersFound(model: Model, query: string): Hit[] {
  const looked = look(model, query);
  if (looked === null) return model.view.clusters.map((_, at) => ({ at, focus: NONE }));
  const { all, own, profiles, askers } = looked;
  return ranked(model.view.clusters, query, own.clusters, (cluster, at) => {
    const mine = own.clusters[at] ?? 0;
    const focus = new Set<number>();
    let found = mine === all;
    for (const { profile } of cluster.profiles) {
      const named = profiles[profile] ?? 0;
      for (const who of [0, ...(askers[profile] ?? [])]) {
        if ((mine | named | who) !== all) continue;
        found = true;
        // What somebody who is looked for may ask for is looked for too.
        if (named !== 0 || who !== 0) focus.add(profile);
      }
    }
    return found ? focus : null;
  });
}

/** Which of the words each thing has, a bit for each; none without words. */
function look(model: Model, query: string) {
  const words = wordsOf(query).slice(0, WORDS);
  if (words.length === 0) return null;
  const { view } = model;
  const names = { subjects: view.subjects.map((s) => s.name.toLowerCase()), profiles: view.profiles.map((p) => p.name.toLowerCase()), clusters: view.clusters.map((c) => c.name.toLowerCase()) };
  const bits = (of: readonly string[], rest: readonly string[] = []) => of.map((name, at) => words.reduce((mask, word, bit) => (name.includes(word) || rest[at] === word ? mask | (1 << bit) : mask), 0));
  // What is named whole is meant, and not what its name begins: `operate` is not `operate-all`.
  const exact = (of: readonly string[]) => {
    const whole = words.map((word) => of.includes(word));
    return of.map((name) => words.reduce((mask, word, bit) => ((whole[bit] ? name === word : name.includes(word)) ? mask | (1 << bit) : mask), 0));
  };
  const environments = view.clusters.map((c) => c.environmentWord.toLowerCase());
  const [subjects, profiles, clusters] = [exact(names.subjects), exact(names.profiles), exact(names.clusters).map((mask, at) => mask | (bits([environments[at] ?? ""])[0] ?? 0))];
  return {
    all: (1 << words.length) - 1,
    own: { subjects: bits(names.subjects), clusters: bits(names.clusters, environments) },
    profiles,
    clusters: model.covers.map((those) => new Set(those.map((at) => clusters[at] ?? 0))),
    askers: model.holders.map((those) => new Set(those.filter(({ holds }) => holds.request).map(({ subject }) => subjects[subject] ?? 0))),
  };
}

/** What passes, that named whole first, then what is named by every word, then the others; in their order. */
function ranked<T extends { name: string }>(all: readonly T[], query: string, own: readonly number[], focusOf: (one: T, at: number) => ReadonlySet<number> | null): Hit[] {
  const wanted = query.trim().toLowerCase();
  const hits: { hit: Hit; rank: number }[] = [];
  all.forEach((one, at) => {
    const focus = focusOf(one, at);
    if (focus === null) return;
    const name = one.name.toLowerCase();
    hits.push({ hit: { at, focus }, rank: name === wanted || wanted.split(/\s+/).includes(name) ? 0 : name.startsWith(wanted) ? 1 : (own[at] ?? 0) !== 0 ? 2 : 3 });
  });
  return hits.sort((a, b) => a.rank - b.rank || a.hit.at - b.hit.at).map(({ hit }) => hit);
}

/** What is looked for first: among hundreds of names it would be behind those that are not shown. */
export function wantedFirst<T extends { name: string }>(all: readonly T[], query: string): readonly T[] {
  const words = wordsOf(query);
  if (words.length === 0) return all;
  const wanted = ({ name }: T) => Math.max(...words.map((word) => (name.toLowerCase() === word ? 2 : Number(name.toLowerCase().includes(word)))));
  return [...all].sort((a, b) => wanted(b) - wanted(a));
}
