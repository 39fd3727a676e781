import Users from "@lucide/svelte/icons/users";
import { go } from "../../desktop/place.svelte";
import type { Found } from "../../shared/found";
import { visible } from "../../shared/text";
import { subjectsFound } from "./find";
import { subjectId } from "./model";
import { reach, VIEW } from "./reach.svelte";
import { KINDS, subjectText } from "./words";

const MOST = 12;

/** Those that a query finds among whom was read of already; nothing is read for it. */
export function found(query: string): Found[] {
  const { model } = reach;
  if (model === null || query.trim() === "") return [];
  return subjectsFound(model, query).slice(0, MOST).flatMap(({ at, focus }): Found[] => {
    const subject = model.view.subjects[at];
    if (!subject) return [];
    const id = subjectId(subject);
    return [{ id, group: "Who can", icon: Users, title: visible(subject.name), note: `${KINDS[subject.kind]}: ${subjectText(model, subject, focus)}`, run: () => (go({ view: VIEW }), reach.show(id)) }];
  });
}
