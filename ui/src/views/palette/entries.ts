import ChevronRight from "@lucide/svelte/icons/chevron-right";
import { possible, titleOf } from "../../shared/actions";
import type { Found } from "../../shared/found";
import { pressText } from "../../shared/keys";
import { index, search } from "../../shared/search";
import { ACTIONS } from "../actions";
import { FINDERS } from "../views";

function commands(query: string, mac: boolean): Found[] {
  const all = ACTIONS.filter((action) => action.palette !== false && possible(action)).map((action): Found => ({
    id: action.id, group: "Commands", icon: ChevronRight, title: titleOf(action), note: "", run: () => action.run(0),
    ...(action.key ? { key: pressText(action.key.press, mac) } : {}),
  }));
  return search(index(all, (one) => one.title, () => ""), query);
}

/** What the palette shows for a query: what the views find, then commands. */
export function entries(query: string, mac: boolean): Found[] {
  return [...FINDERS.flatMap((find) => find(query)), ...commands(query, mac)];
}
