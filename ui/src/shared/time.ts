import { zone } from "./zone.svelte";

const two = (n: number) => String(n).padStart(2, "0");

/** Time left, counted down: `41:52`, `6:12:40`. */
export function countdown(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** A length: `45 min`, `1 h`, `1 h 30 min`, `40 s`. */
export function span(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  const [h, m] = [Math.floor(minutes / 60), minutes % 60];
  return [h > 0 ? `${h} h` : "", m > 0 ? `${m} min` : ""].filter(Boolean).join(" ");
}

/** How long ago, coarsely: `now`, `12 min`, `2 h`, `5 d`. */
export function ago(at: number, now: number): string {
  const s = Math.max(0, (now - at) / 1000);
  if (s < 60) return "now";
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} d`;
}

/** What a step took: `12 ms`, `9.9 s`. */
export function took(ms: number | null): string {
  if (ms === null) return "";
  if (ms < 10) return `${Math.round(ms * 10) / 10} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/**
 * How much of a moment is written: `clock` 14:52, `seconds` 14:52:07, `precise` 14:52:07.112, `moment` the clock, with its day
 * where that is another than today, `short` 24 Nov 14:52, `minute` 24 Nov 2026, 14:52, `full` 24 Nov 2026, 14:52:07.112, and
 * `day` 24 Nov 2026, `date` 24 Nov.
 */
export type TimeForm = "clock" | "seconds" | "precise" | "moment" | "short" | "minute" | "full" | "day" | "date";

/** What no calendar has: what others wrote may be any number. */
const NEVER = "a time that no calendar has";

/** A moment in the viewer's zone, or in UTC, without the other: for `Time` and what is built like it. */
export function written(at: number, form: TimeForm, utc: boolean, now = Date.now()): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return NEVER;
  const [h, m, s, ms] = utc
    ? [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(), date.getUTCMilliseconds()]
    : [date.getHours(), date.getMinutes(), date.getSeconds(), date.getMilliseconds()];
  const [d, month, year] = utc ? [date.getUTCDate(), date.getUTCMonth(), date.getUTCFullYear()] : [date.getDate(), date.getMonth(), date.getFullYear()];
  const clock = `${two(h)}:${two(m)}`;
  const precise = `${clock}:${two(s)}.${String(ms).padStart(3, "0")}`;
  const short = `${d} ${MONTHS[month]}`;
  const day = `${short} ${year}`;
  switch (form) {
    case "clock": return clock;
    case "seconds": return `${clock}:${two(s)}`;
    case "precise": return precise;
    case "moment": return day === written(now, "day", utc) ? clock : `${day}, ${clock}`;
    case "short": return `${short} ${clock}`;
    case "minute": return `${day}, ${clock}`;
    case "full": return `${day}, ${precise}`;
    case "day": return day;
    case "date": return short;
  }
}

const CLOCKS: Record<TimeForm, TimeForm> = { clock: "clock", seconds: "seconds", precise: "precise", moment: "clock", short: "clock", minute: "clock", full: "precise", day: "day", date: "date" };
const dayAndMonth = (at: number, utc: boolean) => written(at, "date", utc);
const isUtc = (at: number) => new Date(at).getTimezoneOffset() === 0;

/**
 * A moment in the viewer's zone with UTC beside, for sentences and names read out: `14:52 (13:52 UTC)`, with UTC's day where
 * that is another. What stands alone is a `Time`.
 */
export function timeText(at: number, form: TimeForm = "moment", now = Date.now()): string {
  const here = written(at, form, false, now);
  if (here === NEVER) return here;
  const isSameDay = dayAndMonth(at, false) === dayAndMonth(at, true);
  if (form === "day" || form === "date") return isSameDay ? here : `${here} (${written(at, form, true)} UTC)`;
  if (isUtc(at)) return `${here} UTC`;
  return `${here} (${isSameDay ? "" : `${dayAndMonth(at, true)}, `}${written(at, CLOCKS[form], true)} UTC)`;
}

/** A moment for machines: what `datetime` holds. None of what no calendar has. */
export function machineTime(at: number): string | undefined {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** The day under which a row stands, by the clock its own time is shown by. */
export function shownDay(at: number): string {
  return written(at, "day", zone.utc);
}

/** How long until `at`, coarsely and never more than it is: `under a minute`, `41 min`, `2 h`. */
export function leftText(at: number, now: number): string {
  const long = ago(now, at);
  return long === "now" ? "under a minute" : long;
}

/** `text` with its `14:47 UTC` as this machine's clock shows them, with UTC beside, as every other time in the window. */
export function localTimes(text: string, now = Date.now()): string {
  return text.replace(/(?<!\d\d:\d\d \(|\(\d{1,2} [A-Z][a-z]{2}, )\b([01]\d|2[0-3]):([0-5]\d) UTC\b/g, (all, h, m) => {
    const at = new Date(now).setUTCHours(Number(h), Number(m), 0, 0);
    return isUtc(at) ? all : timeText(at, "clock");
  });
}

/** `24 Nov 14:52–15:31 (13:52–14:31 UTC)`, or with both days where they differ; of microseconds. */
export function rangeText(from: number, to: number): string {
  const [a, b] = [from / 1000, to / 1000];
  if (Number.isNaN(new Date(a).getTime()) || Number.isNaN(new Date(b).getTime())) return NEVER;
  const form = to - from < 600_000_000 ? "seconds" : "clock";
  const days = (utc: boolean) => [dayAndMonth(a, utc), dayAndMonth(b, utc)] as const;
  const between = (utc: boolean, withDays: boolean) => {
    const [first, last] = days(utc);
    const [low, high] = [written(a, form, utc), written(b, form, utc)];
    if (first === last) return `${withDays ? `${first} ` : ""}${low}–${high}`;
    return withDays ? `${first} ${low} – ${last} ${high}` : `${low} – ${high}`;
  };
  if (isUtc(a) && isUtc(b)) return `${between(false, true)} UTC`;
  return `${between(false, true)} (${between(true, days(true).join() !== days(false).join())} UTC)`;
}

/** `2026-11-24` in UTC, as a field for dates holds it. */
export function utcDate(at: number): string {
  return machineTime(at)?.slice(0, 10) ?? "";
}

/** `24 Nov 2026` in UTC, for what ends with a day of UTC. */
export function utcDay(at: number): string {
  return written(at, "day", true);
}

/** When a day began in the viewer's zone: the one that `at` lies in, or so many before it. */
export function dayBegin(at: number, before = 0): number {
  const date = new Date(at);
  date.setHours(0, 0, 0, 0);
  return date.setDate(date.getDate() - before);
}

/** As a field for a day and a clock holds it, in the viewer's zone. */
export function fieldTime(at: number): string {
  return machineTime(at - new Date(at).getTimezoneOffset() * 60_000)?.slice(0, 16) ?? "";
}
