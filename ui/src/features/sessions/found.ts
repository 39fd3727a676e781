import SquareTerminal from "@lucide/svelte/icons/square-terminal";
import { mirror } from "../../desktop/mirror.svelte";
import { namespacesText } from "../../desktop/words";
import type { Found } from "../../shared/found";
import { index, search } from "../../shared/search";
import { ofTheirOwn } from "./extension";
import { show } from "./sessions.svelte";

/** The sessions that a query finds. */
export function found(query: string): Found[] {
  const all = ofTheirOwn(mirror.sessions).map((s): Found => ({
    id: `s:${s.id}`, group: "Sessions", icon: SquareTerminal, title: s.cluster, note: `${s.state} · ${s.profile} · ${namespacesText(s.namespaces)}`, run: () => show(s.id),
  }));
  return search(index(all, (one) => one.title, (one) => one.note), query);
}
