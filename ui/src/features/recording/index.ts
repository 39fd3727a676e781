export { Calls, isCall } from "./calls.svelte";
export { default as RecordedMark } from "./RecordedMark.svelte";
export { default as Replay } from "./Replay.svelte";
export { default as ReplayDialog } from "./ReplayDialog.svelte";
export { Replay as Watching, replay } from "./replay.svelte";
export { named, recordedText } from "./words";
