import type { ITerminalOptions } from "@xterm/xterm";

/** How a terminal looks, whether it is typed into or replayed: a recording is seen as it was. */
export const LOOK: ITerminalOptions = {
  fontFamily: '"IBM Plex Mono", ui-monospace, monospace',
  lineHeight: 1.2,
  // A blinking cursor would wake an idle machine twice a second.
  cursorBlink: false,
  minimumContrastRatio: 4.5,
  theme: {
    background: "#0a0c0d", foreground: "#d3dadd", cursor: "#d3dadd", cursorAccent: "#0a0c0d", selectionBackground: "#2f5f8f99",
    black: "#22292e", red: "#f07561", green: "#5fd0a5", yellow: "#e6ad50", blue: "#86b7e8", magenta: "#c79be0", cyan: "#6cc7cf", white: "#d3dadd",
    brightBlack: "#7d8b93", brightRed: "#ff9a88", brightGreen: "#86e6c1", brightYellow: "#f4c77c", brightBlue: "#a9cdf2", brightMagenta: "#dbb8ee", brightCyan: "#95dde3", brightWhite: "#f3f6f7",
  },
  // Links in what is shown are text: nothing remote is ever opened from here.
  linkHandler: { activate: () => {} },
};
