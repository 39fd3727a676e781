export { default as JoinForm } from "./JoinForm.svelte";
