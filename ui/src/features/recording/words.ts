import type { Recording, RecordingView } from "../../bindings/ipc";
import { visible } from "../../shared/text";
import { countdown, timeText } from "../../shared/time";

/** What a profile has recorded, for whoever is about to ask or to say yes. */
export function recordedText(recording: Recording): string {
  return recording === "output" ? "what terminals show" : "what terminals show and what is typed";
}

/** What is true of a recording and is not seen in it. */
export function notes(view: RecordingView): string[] {
  return [
    view.cutOff ? "It was cut off when Sallyport ended without notice: up to a second before that is missing." : "",
    view.endedAt === null ? "It is still being recorded." : "",
    view.sealed || view.problem !== null ? "" : "It is not sealed: there was no keyring.",
  ].filter(Boolean);
}

/** `bash, 14:05 to 14:21`. */
export function named(view: RecordingView): string {
  const shell = visible(view.shell) || "terminal";
  if (view.problem !== null) return `${shell}, not readable`;
  return `${shell}, ${timeText(view.beganAt, "seconds")}${view.endedAt === null ? ", still recorded" : ` to ${timeText(view.endedAt, "seconds")}`}`;
}

/** How far into it: `1:05 of 12:40`. */
export function position(view: RecordingView, at: number, end: number): string {
  // Rounded down, as a clock runs.
  const since = (to: number) => countdown(Math.floor(Math.max(0, to - view.beganAt) / 1000) * 1000);
  return `${since(at)} of ${since(end)}`;
}
