import ShieldAlert from "@lucide/svelte/icons/shield-alert";
import { go } from "../../desktop/place.svelte";
import type { Found } from "../../shared/found";
import { count, visible } from "../../shared/text";
import { ALL, weaknessesOf } from "./list";
import { posture, VIEW } from "./posture.svelte";
import { SEVERITY_WORDS } from "./words";

const MOST = 8;

/** The weaknesses that a query finds among what was read already; nothing is read for it. */
export function found(query: string): Found[] {
  if (posture.view === null || query.trim() === "") return [];
  return weaknessesOf(posture.view.weaknesses, { ...ALL, query, excepted: true }).slice(0, MOST).map((one): Found => ({
    id: `p:${one.id}`, group: "Posture", icon: ShieldAlert, title: visible(one.title), note: `${SEVERITY_WORDS[one.severity]} on ${count(one.places.length + one.more, "cluster")}`,
    run: () => (go({ view: VIEW }), posture.select({ kind: "weakness", id: one.id, cluster: null })),
  }));
}
