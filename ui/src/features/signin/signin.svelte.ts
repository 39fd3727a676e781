import type { ErrorView, StepUp } from "../../bindings/ipc";
import { closeDialog, dialogs, openDialog } from "../../desktop/dialogs.svelte";
import { mirror } from "../../desktop/mirror.svelte";
import { attempt, fail } from "../../desktop/notices.svelte";
import { asError, host } from "../../host";

/** Something that waits for a stronger sign-in. */
export interface Waiting {
  step: StepUp;
  /** What happens once it is confirmed: "payments-eu-1 opens". */
  what: string;
  /** Who waits, so that it can be told that it does no longer. */
  by: string | null;
  /** What to do once it is confirmed, where that does not go on by itself. */
  then?: () => void;
}

class SignIns {
  waiting = $state.raw<Waiting | null>(null);
}

export const signIns = new SignIns();

/** How long the state, which tells of the same failure, may come after the answer, in ms. */
const STATE_MS = 500;

/** Signs in; with `step`, again and stronger. True when it is through. Its failure is told with the state. */
export async function signIn(step: StepUp | null): Promise<boolean> {
  try {
    await host.call("sign_in", { step });
    return true;
  } catch (thrown) {
    const error = asError(thrown);
    // The sign-in page and the step-up show it with the state.
    const hasPlace = mirror.state?.phase !== "ready" || dialogs.name === "stepUp";
    const tell = () => {
      if (error.code !== "cancelled" && !(hasPlace && mirror.state?.signIn?.error)) fail(error);
    };
    setTimeout(tell, hasPlace ? STATE_MS : 0);
    return false;
  }
}

/** Asks for a stronger sign-in. */
export function askStepUp(waiting: Waiting): void {
  signIns.waiting = waiting;
  openDialog("stepUp");
}

/** Asks for the stronger sign-in that a refusal names, and does `then` once it is confirmed. False where it names none. */
export function stepsUp(error: ErrorView, what: string, then: () => void): boolean {
  if (error.code !== "stepUpNeeded" || !error.stepUp) return false;
  askStepUp({ step: error.stepUp, what, by: null, then });
  return true;
}

/** Takes the question back: what waited does so no longer. A sign-in that is under way for it goes on. */
export function stepUpDone(by: string): void {
  if (signIns.waiting?.by !== by) return;
  signIns.waiting = null;
  closeDialog("stepUp");
}

/** Whose sign-in is under way. */
let underWay: Waiting | null = null;

/** The stronger sign-in that was asked for. What waits for it goes on only while its question is in front of the person. */
export async function confirmStepUp(): Promise<void> {
  const { waiting } = signIns;
  if (!waiting) return;
  underWay = waiting;
  const through = await signIn(waiting.step);
  if (underWay === waiting) underWay = null;
  if (!through || signIns.waiting !== waiting || dialogs.name !== "stepUp") return;
  signIns.waiting = null;
  closeDialog("stepUp");
  waiting.then?.();
}

/** The question is gone without an answer, however that came about: nothing is done that waited for one. */
export function dropStepUp(waiting: Waiting): void {
  if (signIns.waiting !== waiting) return;
  signIns.waiting = null;
  if (underWay === waiting) void attempt(host.call("sign_in_cancel"));
}
