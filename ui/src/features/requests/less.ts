import type { LimitsInput, LimitsView, RequestView, Right } from "../../bindings/ipc";
import { number } from "../../shared/text";
import { span } from "../../shared/time";

/** Where and for how long; no namespaces: cluster-wide. */
export interface Terms {
  readonly namespaces: readonly string[];
  readonly seconds: number;
}

/** What is there to take from: what was asked for, or what the yeses so far leave of it. */
export function termsOf({ namespaces, durationSeconds, given }: RequestView): Terms {
  return { namespaces: given?.namespaces ?? namespaces, seconds: given?.durationSeconds ?? durationSeconds };
}

// No session is shorter than the first.
const LENGTHS = [15, 30, 60, 120, 240, 480].map((minutes) => minutes * 60);

/** The lengths that are less than `seconds`, the shortest first. */
export function shorter(seconds: number): number[] {
  return LENGTHS.filter((one) => one < seconds);
}

/** What is chosen, as it stands in the editor. */
export interface Choice {
  /** None: as asked. */
  readonly seconds: number | null;
  /** The namespaces that stay ticked, where some are asked for. */
  readonly ticked: readonly string[];
  /** Names of namespaces, where it is asked for cluster-wide; blank: as asked. */
  readonly names: string;
}

/** What a choice gives, and the limits that say so; or why it can't be sent. */
export type Less = { readonly given: Terms; readonly limits: LimitsInput } | { readonly problem: string; readonly name?: true };

export function lessOf(terms: Terms, { seconds, ticked, names }: Choice): Less {
  const wide = terms.namespaces.length === 0;
  const named = wide ? split(names) : terms.namespaces.filter((name) => ticked.includes(name));
  const wrong = named.find((name) => !isName(name));
  if (wide && wrong !== undefined) return { problem: `“${wrong}” is no name of a namespace: small letters, digits and hyphens, a letter or digit at both ends, 63 at most.`, name: true };
  if (!wide && named.length === 0) return { problem: "No namespace is left, and a yes to nothing is none. Leave one ticked, or go back and deny it." };
  const cut = wide ? named.length > 0 : named.length < terms.namespaces.length;
  const length = seconds !== null && seconds < terms.seconds ? seconds : null;
  if (!cut && length === null) return { problem: "Nothing is taken off yet. Choose less, or go back and approve it as it is." };
  return {
    given: { namespaces: cut ? named : terms.namespaces, seconds: length ?? terms.seconds },
    limits: { durationSeconds: length, namespaces: cut ? named : null },
  };
}

/** Names, once each, as written with commas or spaces between them. */
function split(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((name) => name !== ""))];
}

function isName(name: string): boolean {
  return name.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name);
}

const SPELT = 6;

/** `checkout + payments, 2 h`. */
export function termsText({ namespaces, seconds }: Terms): string {
  return `${namesText(namespaces)}, ${span(seconds)}`;
}

function namesText(namespaces: readonly string[]): string {
  if (namespaces.length === 0) return "cluster-wide";
  const more = namespaces.length > SPELT + 1 ? namespaces.length - SPELT : 0;
  return `${namespaces.slice(0, more > 0 ? SPELT : namespaces.length).join(" + ")}${more > 0 ? ` and ${number(more)} more` : ""}`;
}

/** What one approver took off: `for 30 min at most, in payments only`. */
export function limitsText({ durationSeconds, namespaces }: LimitsView): string {
  return [durationSeconds === null ? "" : `for ${span(durationSeconds)} at most`, namespaces === null ? "" : `in ${namesText(namespaces)} only`].filter(Boolean).join(", ");
}

/** What is left of a right in the namespaces that are given; none: nothing. */
export function rightIn(right: Right, { namespaces }: Terms): Right | null {
  if (namespaces.length === 0) return right;
  const left = right.namespaces.length === 0 ? [...namespaces] : right.namespaces.filter((name) => namespaces.includes(name));
  return left.length > 0 ? { ...right, namespaces: left } : null;
}

/** What is given of what was asked for, where that is less. */
export function givenText(request: RequestView): string | null {
  const { given, phase, ended } = request;
  if (given === null) return null;
  const text = termsText(termsOf(request));
  return phase === "pending" ? (ended === null ? `so far: ${text}` : `it would have been ${text}`) : text;
}
