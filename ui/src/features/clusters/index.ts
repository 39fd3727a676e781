export { actions } from "./actions";
export { default as ClusterDetailPane } from "./ClusterDetailPane.svelte";
export { default as ClusterList } from "./ClusterList.svelte";
export { found } from "./found";
export { inventory } from "./inventory.svelte";
export { default as RightRows } from "./RightRows.svelte";
export { VIEW } from "./opening";
