import type { Commands } from "../../bindings/ipc";

/** What answers each command. */
export type Handlers = { [N in keyof Commands]: (args: Commands[N]["args"]) => Commands[N]["result"] | Promise<Commands[N]["result"]> };
