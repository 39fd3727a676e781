/**
 * `path` in at most `most` characters: what is too long is left out of its middle, as the start says where it is and
 * the end what. The end keeps whole names where they fit.
 */
export function shortened(path: string, most: number): string {
  const all = [...path];
  if (all.length <= most) return path;
  const room = Math.max(2, most - 1);
  const end = all.slice(all.length - Math.ceil(room * 0.6));
  // From the first name that is whole, unless that leaves too little of it.
  const slash = end.indexOf("/");
  const tail = slash > 0 && slash <= end.length / 2 ? end.slice(slash) : end;
  return `${all.slice(0, room - tail.length).join("")}…${tail.join("")}`;
}
