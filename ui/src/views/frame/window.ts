import { openDialog, closeDialog, dialogs } from "../../desktop/dialogs.svelte";
import { mirror } from "../../desktop/mirror.svelte";
import { attempt } from "../../desktop/notices.svelte";
import { host } from "../../host";
import type { Action } from "../../shared/actions";
import { zone } from "../../shared/zone.svelte";

/** The keys of the palette; from a terminal, where the shell keeps its own, the second. */
export const PALETTE = "Mod+K";
export const PALETTE_ALWAYS = "Ctrl+Shift+P";

const EVERYWHERE = { group: "Everywhere" } as const;
const palette = () => (dialogs.name === "palette" ? closeDialog() : openDialog("palette"));

/** Puts the cursor into the search of the list that is shown. */
function find(): void {
  const field = document.querySelector<HTMLInputElement>("main input[data-find]");
  field?.focus();
  field?.select();
}

/** What can be done with the window itself, before what its views offer. */
export const first: readonly Action[] = [
  { id: "paletteAlways", title: "Palette", does: "Palette, from a terminal too", palette: false, key: { ...EVERYWHERE, press: PALETTE_ALWAYS, inTerminal: true, inField: true, inDialog: true }, run: palette },
  { id: "palette", title: "Palette", palette: false, key: { ...EVERYWHERE, press: PALETTE, inField: true, inDialog: true }, run: palette },
  { id: "find", title: "Search the list", palette: false, key: { group: "In a list", press: "/" }, run: find },
];

/** The same, after them. */
export const last: readonly Action[] = [
  { id: "keys", title: "Keys", does: "This sheet", key: { ...EVERYWHERE, press: "?" }, run: () => openDialog("keys") },
  {
    id: "utc", title: () => (zone.utc ? "Times of rows: this machine's zone" : "Times of rows: UTC"), does: "Times of rows in UTC, or in this machine's zone",
    key: { ...EVERYWHERE, press: "Z", inDialog: true }, run: () => void (zone.utc = !zone.utc),
  },
  ...(["dark", "light", "system"] as const).map((theme): Action => ({
    id: `theme-${theme}`, title: `Theme: ${theme}`, can: () => mirror.state?.theme !== theme, run: () => void attempt(host.call("theme_set", { theme })),
  })),
];

export const quit: Action = { id: "quit", title: "Quit Sallyport", run: () => openDialog("quit") };
