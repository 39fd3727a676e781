export { actions } from "./actions";
export { default as Progress } from "./Progress.svelte";
export { default as StepUpDialog } from "./StepUpDialog.svelte";
export { askStepUp, signIn, stepsUp, stepUpDone } from "./signin.svelte";
