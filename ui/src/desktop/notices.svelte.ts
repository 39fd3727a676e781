import type { ErrorView, Notice } from "../bindings/ipc";
import { asError } from "../host";

const MOST = 4;
const SHOWN_MS = 8000;

/** What is said at the foot of the window: news, and the failure of a command that has no place of its own. */
class Notices {
  list = $state.raw<readonly (Notice & { id: number })[]>([]);
  failure = $state.raw<ErrorView | null>(null);
}

export const notices = new Notices();

let last = 0;

export function notify(notice: Notice): void {
  const id = ++last;
  // What is said again is said once, as of now.
  const others = notices.list.filter(({ text }) => text !== notice.text);
  notices.list = [...others.slice(1 - MOST), { ...notice, id }];
  if (notice.level !== "danger") setTimeout(() => dismiss(id), SHOWN_MS);
}

export function dismiss(id: number): void {
  notices.list = notices.list.filter((notice) => notice.id !== id);
}

/** Puts away what was said of a session: whoever put that away has seen what became of it. */
export function dismissOf(session: string): void {
  notices.list = notices.list.filter((notice) => notice.session !== session);
}

/** Shows a failure, or with none puts the last one away. What the person broke off is none. */
export function fail(error: ErrorView | null): void {
  notices.failure = error?.code === "cancelled" ? null : error;
}

/** Runs a command whose failure has no place of its own. */
export async function attempt<T>(run: Promise<T>): Promise<T | null> {
  try {
    return await run;
  } catch (thrown) {
    const error = asError(thrown);
    if (error.code !== "cancelled") fail(error);
    return null;
  }
}
