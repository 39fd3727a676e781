/** What is searched, prepared once so that a key stroke only compares. */
export interface Indexed<T> {
  item: T;
  name: string;
  rest: string;
  /** Breaks ties between equal matches: the higher comes first. */
  boost: number;
}

export function index<T>(items: readonly T[], name: (item: T) => string, rest: (item: T) => string, boost: (item: T) => number = () => 0): Indexed<T>[] {
  return items.map((item) => ({ item, name: name(item).toLowerCase(), rest: rest(item).toLowerCase(), boost: boost(item) }));
}

/** Items matching every word of `query`, best first; equal ones keep their order. */
export function search<T>(indexed: readonly Indexed<T>[], query: string, most = Infinity): T[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return indexed.slice(0, most).map((entry) => entry.item);
  const hits: { item: T; score: number; at: number }[] = [];
  for (let at = 0; at < indexed.length; at++) {
    const entry = indexed[at] as Indexed<T>;
    let score = 0;
    for (const word of words) {
      const points = rank(entry, word);
      if (points === 0) {
        score = 0;
        break;
      }
      score += points;
    }
    if (score > 0) hits.push({ item: entry.item, score: score + entry.boost, at });
  }
  hits.sort((a, b) => b.score - a.score || a.at - b.at);
  return hits.slice(0, most).map((hit) => hit.item);
}

// The whole name, its start, the start of a part of it, inside it, in the other facts, letters in order.
function rank<T>(entry: Indexed<T>, word: string): number {
  const { name, rest } = entry;
  if (name === word) return 100;
  const at = name.indexOf(word);
  if (at === 0) return 60;
  if (at > 0) return /[a-z0-9]/.test(name[at - 1] ?? "") ? 25 : 40;
  if (rest.includes(word)) return 10;
  return word.length > 2 && inOrder(name, word) ? 3 : 0;
}

function inOrder(name: string, word: string): boolean {
  let at = 0;
  for (const letter of word) {
    at = name.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}
