import type { ExportForm, ExportLook } from "../../bindings/ipc";

/** As what a selection can be handed on, in the order of the form. */
export const FORMS = [
  { form: "pack", ending: ".tar", title: "Evidence pack", what: "Entries of this desktop, checkpoints, the key's public half, and a page to read; with the clusters' events and with recordings, if you choose them. Anybody can check it, with nothing of ours but the command line." },
  { form: "jsonl", ending: ".jsonl", title: "JSON lines", what: "Entries, and the clusters' events as they were written, without their secrets. Proves nothing." },
  { form: "csv", ending: ".csv", title: "CSV", what: "One line for each, for a spreadsheet. Proves nothing." },
  { form: "ocsf", ending: ".ocsf.jsonl", title: "OCSF", what: "One OCSF event on each line, for a SIEM. Proves nothing." },
  { form: "report", ending: ".html", title: "Access report", what: "Who had access, by whose word, and what proves that it ended, with charts, as one page. Of the filter it takes the time alone." },
] as const satisfies readonly { form: ExportForm; ending: string; title: string; what: string }[];

/** A place with the ending of a form, in place of that of another. */
export function ended(place: string, form: ExportForm): string {
  const ending = FORMS.find((one) => one.form === form)?.ending ?? "";
  // The longest first: one ends as another does.
  const other = FORMS.map((one) => one.ending).sort((a, b) => b.length - a.length).find((one) => place.endsWith(one));
  return place === "" ? "" : `${other ? place.slice(0, -other.length) : place}${ending}`;
}

/** Whether clusters' events may go with a pack: some fit, or may, and the archive can be read. */
export const tells = (look: ExportLook): boolean => look.why === null && (look.calls > 0 || look.isCut);

/** Whether a form can hold anything of what is selected; `events`: clusters' events are wanted in a pack. */
export function holds(form: ExportForm, look: ExportLook, events: boolean): boolean {
  if (form === "report") return true;
  if (form === "pack") return look.isSealed && (look.own > 0 || (events && tells(look)));
  return look.own + look.calls > 0 || look.isCut;
}

/** Why it can't. */
export function whyNot(form: ExportForm, look: ExportLook): string {
  if (form === "pack" && !look.isSealed) return "This history is not sealed, so that a pack of it would prove nothing: sealing needs a keyring.";
  if (form === "pack" && tells(look)) return "Nothing of this desktop's history fits, and nothing else is chosen for the pack.";
  return "Nothing fits the filter.";
}

/** So many bytes, for people: `812 kB`. */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  const [unit, step] = n < 1e6 ? ["kB", 1e3] as const : n < 1e9 ? ["MB", 1e6] as const : ["GB", 1e9] as const;
  return `${(n / step).toFixed(n / step < 10 ? 1 : 0)} ${unit}`;
}
