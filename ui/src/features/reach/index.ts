export { actions } from "./actions";
export { found } from "./found";
export { default as ReachList } from "./ReachList.svelte";
export { default as ReachPane } from "./ReachPane.svelte";
export { reach, VIEW } from "./reach.svelte";
