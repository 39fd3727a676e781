export { default as RecordedMark } from "./RecordedMark.svelte";
export { default as Replay } from "./Replay.svelte";
export { default as ReplayDialog } from "./ReplayDialog.svelte";
export { replay } from "./replay.svelte";
export { recordedText } from "./words";
