import type { DayView } from "../../bindings/ipc";
import { span } from "../../shared/time";

/** The shortest session, in seconds. */
const SHORTEST = 900;

/** The lengths offered up to `max` seconds, shortest first, with `chosen` among them; a session lasts at least 15 minutes. */
export function durations(max: number, chosen = max): number[] {
  const offered = [15, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720].map((m) => m * 60).filter((s) => s <= max);
  const more = [max, chosen].filter((s) => s >= SHORTEST && s <= max && !offered.includes(s));
  return [...offered, ...new Set(more)].sort((a, b) => a - b);
}

/** As much of `seconds` as is left of the day, in whole minutes; all of it where that is no session, or is not known. */
export function withinDay(seconds: number, day: DayView | null): number {
  const left = Math.floor((day?.leftSeconds ?? 0) / 60) * 60;
  return day === null || day.fits || left < SHORTEST ? seconds : Math.min(seconds, left);
}

/** Why less is offered than the person's default; empty where it is not. */
export function lessText(seconds: number, most: number, usual: number | null, byDay: boolean): string {
  const yours = usual === null || usual <= seconds ? "" : `; your default is ${span(usual)}`;
  if (byDay) return `What is left of your day here${yours}.`;
  return yours !== "" && seconds === most ? `All that this profile allows${yours}.` : "";
}
