import { Channel, invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import { EVENT, type Event } from "../bindings/ipc";
import type { Host, Output } from "./types";

/** The desktop under this window. */
export function tauri(): Host {
  return {
    call: (name, ...args) => invoke(name, args[0] ?? {}),
    async listen(hear) {
      await listen<Event>(EVENT, (event) => hear(event.payload));
    },
    openTerminal: (session, size, output) => invoke("terminal_open", { session, size, output: channel(output) }),
    attachTerminal: (terminal, size, output) => invoke("terminal_attach", { terminal, size, output: channel(output) }),
  };
}

function channel(output: Output): Channel<ArrayBuffer | number[]> {
  return new Channel((message) => {
    // Raw messages arrive as buffers; an array of numbers is what Tauri falls back to where its protocol is blocked.
    output(message instanceof ArrayBuffer ? new Uint8Array(message) : Uint8Array.from(message));
  });
}
