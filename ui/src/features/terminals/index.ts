export { actions } from "./actions";
export { shells } from "./shells.svelte";
export { default as TerminalPane } from "./TerminalPane.svelte";
