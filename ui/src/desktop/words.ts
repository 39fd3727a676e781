import { visible } from "../shared/text";

/** Namespaces in words; none means all of them. */
export function namespacesText(namespaces: readonly string[]): string {
  return namespaces.length === 0 ? "cluster-wide" : namespaces.map(visible).join(", ");
}
