export { actions } from "./actions";
export { shells } from "./shells.svelte";
export { largest, reset, smallest, step, textSize, USUAL } from "./size";
export { default as TerminalPane } from "./TerminalPane.svelte";
