export { editing } from "./editing.svelte";
export { default as ProfileDialog } from "./ProfileDialog.svelte";
export { WAYS } from "./words";
