export { default as KeptTable } from "./KeptTable.svelte";
export { default as NotificationChoice } from "./NotificationChoice.svelte";
export { settings } from "./settings.svelte";
export { default as ShellChoice } from "./ShellChoice.svelte";
export { default as TextSize } from "./TextSize.svelte";
export { default as ThemeChoice } from "./ThemeChoice.svelte";
