import type { LimitsInput, RequestView } from "../../bindings/ipc";
import { goesOn } from "./closing";
import type { Row } from "./rows";

/** What can be said to a request. */
export type Kind = "approve" | "deny" | "revoke";

/** Sent without a question: an end that the hub has not heard is dropped. */
export type Sent = Kind | "drop";

/** What this person said, once the hub has taken it. */
export interface Done {
  readonly kind: Kind;
  /** The digest of the offer that was approved. */
  readonly offer: string | null;
  /** What they took off, where they approved less. */
  readonly limits: LimitsInput | null;
  readonly at: number;
}

export type May = Readonly<Record<Sent, boolean>>;

const NOTHING: May = { approve: false, deny: false, revoke: false, drop: false };

/** What can be said to a request now. `busy`: something is on its way already. */
export function mayOf(row: Row | null, done: Done | null, busy: boolean): May {
  if (row === null || row.gone || busy || row.request.ended !== null || done?.kind === "deny") return NOTHING;
  const { decide, offer, phase, mayDeny, mayRevoke } = row.request;
  // The hub has a yes of this person, and the list does not know of it yet. Another offer asks for another one.
  const said = done?.kind === "approve" && done.offer === (offer?.digest ?? null);
  return {
    approve: decide === "yes" && offer !== null && offer.problem === null && !said,
    // Also after a yes: one that was a mistake is taken back by a no.
    deny: mayDeny,
    revoke: mayRevoke && phase !== "pending" && done?.kind !== "revoke",
    drop: goesOn(row.request),
  };
}

/** Where one key is enough. Production has many names: whatever is not known to be none of it may be one. */
const LIGHT: ReadonlySet<string> = new Set(["dev", "stage"]);

/** Whether a yes wants to be confirmed: everywhere but there, and where something could outlive the end. */
export function wantsEnter({ environment, offer }: RequestView): boolean {
  return !LIGHT.has(environment) || (offer?.warnings.length ?? 0) > 0;
}
