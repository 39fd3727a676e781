/** Time left, counted down: `41:52`, `6:12:40`. */
export function countdown(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
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

/** `15:42`, with seconds when asked. */
export function clock(at: number, seconds = false): string {
  return new Intl.DateTimeFormat(undefined, {
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds ? { second: "2-digit" } : {}),
    hourCycle: "h23",
  }).format(at);
}

/** `14:52:07.112` of microseconds. */
export function preciseClock(us: number): string {
  return `${clock(us / 1000, true)}.${String(Math.floor(us / 1000) % 1000).padStart(3, "0")}`;
}

/** `24 Nov 2026`. */
export function day(at: number): string {
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" }).format(at);
}

/** How long until `at`, coarsely and never more than it is: `under a minute`, `41 min`, `2 h`. */
export function leftText(at: number, now: number): string {
  const long = ago(now, at);
  return long === "now" ? "under a minute" : long;
}

/** `14:05`, with its day where that is another than today. */
export function moment(at: number, now: number): string {
  return day(at) === day(now) ? clock(at) : `${day(at)}, ${clock(at)}`;
}

/** `text` with its `14:47 UTC` as this machine's clock shows them, as every other time in the window. */
export function localTimes(text: string, now = Date.now()): string {
  return text.replace(/\b([01]\d|2[0-3]):([0-5]\d) UTC\b/g, (_all, h, m) => clock(new Date(now).setUTCHours(Number(h), Number(m), 0, 0)));
}

/** `13:52:07.112 UTC` of microseconds. */
export function utcClock(us: number): string {
  return `${new Date(Math.floor(us / 1000)).toISOString().slice(11, 23)} UTC`;
}

/** `24 Nov 2026, 14:52:07.112 (13:52:07.112 UTC)` of microseconds: in the viewer's zone, with UTC beside where that is another. */
export function preciseMoment(us: number): string {
  const here = `${day(us / 1000)}, ${preciseClock(us)}`;
  const utc = utcClock(us);
  return utc === `${preciseClock(us)} UTC` ? `${here} UTC` : `${here} (${utc})`;
}

/** `24 Nov 14:52–15:31`, or with both days where they differ; of microseconds. */
export function rangeText(from: number, to: number): string {
  const short = (us: number) => new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" }).format(us / 1000);
  const fine = to - from < 600_000_000;
  const at = (us: number) => clock(us / 1000, fine);
  return short(from) === short(to) ? `${short(from)} ${at(from)}–${at(to)}` : `${short(from)} ${at(from)} – ${short(to)} ${at(to)}`;
}
