import type { PostureCluster } from "../../bindings/ipc";
import { isScanning } from "./words";

/** Which clusters a scan is for. */
export type Scope = "selected" | "shown" | "prod" | "week" | "rest";

/** So old a scan is scanned again by "not scanned for a week". */
const WEEK_MS = 7 * 86_400_000;

export const SCOPES: readonly { id: Scope; title: string }[] = [
  { id: "selected", title: "The selected one" },
  { id: "shown", title: "All that are shown" },
  { id: "prod", title: "Production" },
  { id: "week", title: "Not scanned for a week, or never" },
  { id: "rest", title: "What the last scan did not get to" },
];

/** The clusters of a scope, by name. Those that are being scanned are left alone. */
export function scoped(scope: Scope, all: readonly PostureCluster[], shown: readonly PostureCluster[], selected: string | null, now: number): string[] {
  const from = scope === "shown" ? shown : all;
  const inScope = (one: PostureCluster) => {
    switch (scope) {
      case "selected": return one.name === selected;
      case "shown": return true;
      case "prod": return one.environment === "prod";
      case "rest": return one.scan.kind === "cancelled" || one.scan.kind === "failed" || (one.scan.kind === "unproven" && one.scan.error !== null);
      case "week": return one.scannedAt === null || one.scannedAt < now - WEEK_MS;
    }
  };
  return from.filter((one) => inScope(one) && !isScanning(one.scan)).map(({ name }) => name);
}
