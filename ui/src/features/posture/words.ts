import type { FindingOrigin, Practice, PostureSeverity, PostureVerdict, ScanRun, ScanState } from "../../bindings/ipc";
import { count, number } from "../../shared/text";
import { ago, utcDate, utcDay } from "../../shared/time";
import type { CellTone } from "./grid";

export type Tone = "open" | "wait" | "danger" | "info" | "";

export const SEVERITY_TONES: Record<PostureSeverity, Tone> = { critical: "danger", high: "wait", medium: "wait", low: "", info: "" };
export const SEVERITY_WORDS: Record<PostureSeverity, string> = { critical: "Critical", high: "High", medium: "Medium", low: "Low", info: "Info" };

export const VERDICTS: Record<PostureVerdict, { text: string; tone: Tone }> = {
  pass: { text: "pass", tone: "open" },
  fail: { text: "fail", tone: "danger" },
  unknown: { text: "unknown", tone: "" },
  provider: { text: "provider", tone: "info" },
  notApplicable: { text: "n/a", tone: "" },
};

/** The tone of what a cell says, where it stands beside words. */
export const CELL_TONES: Record<CellTone, Tone> = { pass: "open", ...SEVERITY_TONES, unknown: "", provider: "info", none: "", excepted: "" };

/** What a practice comes to, in a word. */
export const KEPT: Record<PostureVerdict, string> = { pass: "kept", fail: "not kept", unknown: "unknown", provider: "provider", notApplicable: "not applicable" };

export const ORIGINS: Record<FindingOrigin, { text: string; about: string }> = {
  own: { text: "yours", about: "It is the team's." },
  vendor: { text: "vendor", about: "Its names or labels say that it is the cloud's or the distribution's." },
  default: { text: "default", about: "As it ships: nobody of the team made it." },
};

/** On how many clusters a practice is kept, in a line: `82 kept · 3 not · 1 unknown`. */
export function practiceCounts({ kept, broken, unknown }: Practice): string {
  return [kept > 0 ? `${number(kept)} kept` : "", broken > 0 ? `${number(broken)} not` : "", unknown > 0 ? `${number(unknown)} unknown` : ""].filter(Boolean).join(" · ") || "no cluster";
}

/** How far the scan of a cluster is, in a word or two; none of this run: when the last was. */
export function scanText(scan: ScanState, scannedAt: number | null, now: number): { text: string; tone: Tone } {
  switch (scan.kind) {
    case "none": return { text: scannedAt === null ? "never" : ago(scannedAt, now), tone: "" };
    case "waiting": return { text: "waiting", tone: "" };
    case "opening": return { text: "opening", tone: "info" };
    case "reading": return { text: `reading ${scan.done}/${scan.total}`, tone: "info" };
    case "closing": return { text: "closing", tone: "info" };
    case "done": return { text: "done", tone: "open" };
    case "unproven": return { text: "not proven", tone: "wait" };
    case "failed": return { text: "failed", tone: "danger" };
    case "cancelled": return { text: "cancelled", tone: "" };
  }
}

/** The same as a sentence. */
export function scanSentence(scan: ScanState): string {
  switch (scan.kind) {
    case "none": return "";
    case "waiting": return "It waits: four clusters are scanned at a time.";
    case "opening": return "Its session opens.";
    case "reading": return `It is read through the gateway: ${scan.done} of ${scan.total} kinds.`;
    case "closing": return "Its session is being closed, with proof.";
    case "done": return "It was read, and its session is proven closed.";
    case "unproven": return scan.error === null
      ? "It was read and what was read is kept, but something of the end of its session was not shown."
      : "Something of the end of its session was not shown, and nothing new is kept. What was kept before stays.";
    case "failed": return "It was not read, or not to its end. What was kept before stays.";
    case "cancelled": return "Its scan was stopped. What was kept before stays.";
  }
}

/** Whether a cluster is being scanned, or is about to be. */
export function isScanning({ kind }: ScanState): boolean {
  return kind === "waiting" || kind === "opening" || kind === "reading" || kind === "closing";
}

/** How far a scan of several is, in a line. */
export function runText({ total, done, failed, cancelled, isOver }: ScanRun): string {
  const rest = [failed > 0 ? `${number(failed)} failed` : "", cancelled > 0 ? `${number(cancelled)} cancelled` : ""].filter(Boolean);
  return [`${isOver ? "Scanned" : "Scanning"}: ${number(done)} of ${count(total, "cluster")} done`, ...rest].join(" · ");
}

/** How many of a run are over, of 100. */
export function runPart({ total, done, failed, cancelled }: ScanRun): number {
  return total === 0 ? 100 : Math.min(100, Math.floor(((done + failed + cancelled) / total) * 100));
}

const DAY_MS = 86_400_000;
/** An exception ends within a year. */
export const MOST_DAYS = 365;

/** What is wrong with when an exception ends; null: nothing. `until` is the end of the chosen day. */
export function untilProblem(until: number, now: number): string | null {
  if (!Number.isFinite(until)) return "Choose the day it ends.";
  if (until <= now) return "It would be over already. Choose a later day.";
  return until > now + MOST_DAYS * DAY_MS ? "An exception ends within a year. Choose an earlier day; it can be made again." : null;
}

/** The end of a day as a date field says it; NaN where it is no day. Exceptions end with a day of UTC, for everybody who reads them. */
export function endOfDay(date: string): number {
  const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date);
  return found ? Date.UTC(Number(found[1]), Number(found[2]) - 1, Number(found[3]), 23, 59, 59) : Number.NaN;
}

/** The same day for a date field. */
export function dateOf(at: number): string {
  return utcDate(at);
}

/** The last day on which an exception stands: `27 Feb 2027`. */
export function lastDay(until: number): string {
  return utcDay(until);
}
