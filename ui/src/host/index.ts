import { fake } from "./fake";
import { tauri } from "./tauri";
import type { Host } from "./types";

export { asError, type Host, type Output } from "./types";

/** The host of this build. The other one is dropped by the bundler. */
export const host: Host = __FAKE__ ? fake(new URLSearchParams(location.search)) : tauri();
