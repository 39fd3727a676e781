import type { Component } from "svelte";

/** One answer of the palette to what is looked for. */
export interface Found {
  readonly id: string;
  /** The heading it stands under. */
  readonly group: string;
  readonly icon: Component<{ class?: string }>;
  readonly title: string;
  /** What choosing it does, or how it stands. */
  readonly note: string;
  readonly badge?: { kind: "prod" | "stage" | "dev" | "other"; word: string };
  readonly facts?: string;
  /** The text of its key. */
  readonly key?: string;
  readonly run: () => void;
}
