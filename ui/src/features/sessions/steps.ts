import CircleCheck from "@lucide/svelte/icons/circle-check";
import DoorOpen from "@lucide/svelte/icons/door-open";
import FileX2 from "@lucide/svelte/icons/file-x-corner";
import Fingerprint from "@lucide/svelte/icons/fingerprint-pattern";
import KeyRound from "@lucide/svelte/icons/key-round";
import Megaphone from "@lucide/svelte/icons/megaphone";
import Scissors from "@lucide/svelte/icons/scissors";
import Send from "@lucide/svelte/icons/send";
import ShieldCheck from "@lucide/svelte/icons/shield-check";
import SquareX from "@lucide/svelte/icons/square-x";
import Unlink from "@lucide/svelte/icons/unlink";
import UserRoundX from "@lucide/svelte/icons/user-round-x";
import type { Component } from "svelte";
import type { Proof, ProofKind, SessionView, StepKind } from "../../bindings/ipc";
import { namespacesText } from "../../desktop/words";
import { count, visible } from "../../shared/text";
import { span, timeText, took } from "../../shared/time";

/** `title` states a fact, so it stands only once it is one; `running` says what is waited for until then. */
type Line = { icon: Component<{ class?: string }>; title: string; running: string };

export const STEPS: Record<StepKind, Line> = {
  signedIn: { icon: Fingerprint, title: "Signed in", running: "Signing in" },
  asked: { icon: Send, title: "Asked", running: "Asking the hub" },
  approved: { icon: CircleCheck, title: "Approved", running: "Waiting for the broker's decision" },
  granted: { icon: KeyRound, title: "Granted", running: "Waiting for the broker" },
  ready: { icon: DoorOpen, title: "Ready", running: "Making the first call" },
};

export const PROOFS: Record<ProofKind, Line> = {
  streamsCut: { icon: Scissors, title: "Streams cut", running: "Cutting streams" },
  terminalsEnded: { icon: SquareX, title: "Terminals ended", running: "Ending terminals" },
  kubeconfigDeleted: { icon: FileX2, title: "Private kubeconfig deleted", running: "Deleting the private kubeconfig" },
  rightsGone: { icon: Unlink, title: "Rights gone", running: "Probing until the rights are gone" },
  accountRemoved: { icon: UserRoundX, title: "Bindings and ServiceAccount removed", running: "Waiting until bindings and ServiceAccount are removed" },
  tokenRefused: { icon: ShieldCheck, title: "Token refused", running: "Probing until the token is refused" },
  byBroker: { icon: Megaphone, title: "Reported gone by the broker", running: "Waiting for the broker's word" },
};

/** A line of the proof as it stands: what is not proven is not said as a fact. */
export function proofTitle({ kind, state }: Pick<Proof, "kind" | "state">): string {
  const { title, running } = PROOFS[kind];
  if (state === "running") return running;
  return state === "unproven" ? `Not proven: ${title.charAt(0).toLowerCase()}${title.slice(1)}` : title;
}

export type Closing = "first" | "second" | "proven" | "byBroker" | "unproven";

/** How far the proof is. Green only after both probes, and only where no line is open; the broker's word is told apart (P13). */
export function closing(session: SessionView): Closing {
  const state = (kind: ProofKind) => session.proof.find((line) => line.kind === kind)?.state;
  const over = session.state === "closed";
  if (session.proof.some((line) => line.state === "unproven")) return over ? "unproven" : state("rightsGone") === "done" ? "second" : "first";
  const all = session.proof.every((line) => line.state === "done");
  if (state("rightsGone") === "done" && state("tokenRefused") === "done") return !over ? "second" : all ? "proven" : "unproven";
  if (over) return state("byBroker") === "done" ? "byBroker" : "unproven";
  return state("rightsGone") === "done" ? "second" : "first";
}

/** Why it ended, in words; empty when the person left by themself. */
export function endedText(session: SessionView): string {
  const { ended } = session;
  if (!ended) return "";
  const by = ended.by ? ` by ${visible(ended.by)}` : "";
  // The broker's words begin with who did it, which is said already.
  const again = `${ended.reason} by ${ended.by}: `;
  const words = ended.message?.startsWith(again) ? ended.message.slice(again.length) : ended.message;
  const said = words ? `: “${visible(words)}”` : "";
  switch (ended.reason) {
    case "left": return "";
    case "expired": return "Its time was up.";
    case "revoked": return `Revoked${by}${said}.`;
    case "denied": return `Denied${by}${said}.`;
    case "unanswered": return "Nobody answered in time.";
    case "failed": return `It could not be carried out${said}.`;
  }
}

/** The whole session as text for a ticket. */
export function summary(session: SessionView): string {
  const { calls, openedAt, ended } = session;
  const lines = [
    `${session.cluster} (${session.environmentWord}): ${session.profile} on ${namespacesText(session.namespaces)}`,
    session.reason ? `Why: ${visible(session.reason)}` : "",
    openedAt && ended ? `Open ${timeText(openedAt, "seconds")} to ${timeText(ended.at, "seconds")}, ${span((ended.at - openedAt) / 1000)}` : "",
    `${count(calls.total, "call")}, ${calls.refused} refused`,
    ...session.proof.map((line) => `${PROOFS[line.kind].title}: ${line.state === "done" ? took(line.ms) : line.state} ${visible(line.detail)}`.trimEnd()),
    endedText(session),
    session.request ? `Request ${session.request}` : "",
  ];
  return lines.filter(Boolean).join("\n");
}
