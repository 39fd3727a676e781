export { default as EntryDetail } from "./EntryDetail.svelte";
export { default as EntryRow } from "./EntryRow.svelte";
export { history } from "./history.svelte";
export { default as Verdict } from "./Verdict.svelte";
