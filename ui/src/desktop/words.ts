import { visible } from "../shared/text";

/** Namespaces in words; none means all of them. */
export function namespacesText(namespaces: readonly string[]): string {
  return namespaces.length === 0 ? "cluster-wide" : namespaces.map(visible).join(", ");
}

/** A user's name without what says that it comes from the identity provider. */
export function shortName(user: string): string {
  return user.replace(/^oidc:/, "");
}
