import type { AuditEntryView, AuditPage, ErrorView, RecordingView } from "../../bindings/ipc";
import { openDialog } from "../../desktop/dialogs.svelte";
import { asError, host } from "../../host";

const ENTRIES = 500;
/** Of a session with more entries than these many pages the earlier ones are not listed, and that is said. */
const PAGES = 20;

/** What is watched: the recordings of a session, one of them, and the session's entries beside it. */
class Replay {
  session = $state.raw<string | null>(null);
  all = $state.raw<readonly RecordingView[] | null>(null);
  shown = $state.raw<RecordingView | null>(null);
  /** Where to go in it, Unix milliseconds; another object each time. */
  at = $state.raw<{ readonly ms: number } | null>(null);
  entries = $state.raw<readonly AuditEntryView[]>([]);
  /** There are earlier ones than those. */
  hasEarlier = $state(false);
  error = $state.raw<ErrorView | null>(null);
  private asked = 0;

  /** Opens what is kept of a session; at a moment, the terminal that was there then. */
  async watch(session: string, ms: number | null = null): Promise<void> {
    const mine = ++this.asked;
    [this.session, this.all, this.shown, this.at, this.entries, this.error] = [session, null, null, null, [], null];
    openDialog("replay");
    try {
      const [all, listed] = await Promise.all([host.call("recordings_list", { session }), entriesOf(session)]);
      if (mine !== this.asked) return;
      [this.all, this.entries, this.hasEarlier] = [all, listed.entries, listed.hasEarlier];
      const then = ms === null ? all[0] : (all.find((one) => covers(one, ms)) ?? nearest(all, ms));
      if (then) await this.choose(then, ms);
    } catch (thrown) {
      if (mine === this.asked) this.error = asError(thrown);
    }
  }

  /** Opens one of them, which is noted in the history. */
  async choose(one: RecordingView, ms: number | null = null): Promise<void> {
    const mine = this.asked;
    this.error = null;
    if (one.problem !== null) {
      this.shown = one;
      return;
    }
    try {
      const opened = await host.call("recording_open", { session: one.session, terminal: one.terminal });
      if (mine !== this.asked) return;
      [this.shown, this.at] = [opened, ms === null ? null : { ms }];
    } catch (thrown) {
      if (mine === this.asked) this.error = asError(thrown);
    }
  }

  /** Goes to a moment, in the terminal that was there then. */
  seek(ms: number): void {
    const { shown } = this;
    if (shown && covers(shown, ms)) this.at = { ms };
    else {
      const other = this.all?.find((one) => covers(one, ms));
      if (other) void this.choose(other, ms);
      else if (shown) this.at = { ms };
    }
  }

  /** Deletes the one that is shown, and shows what is left. */
  async remove(): Promise<void> {
    const { shown, session } = this;
    if (!shown || !session) return;
    const mine = this.asked;
    this.error = null;
    try {
      await host.call("recording_delete", { session: shown.session, terminal: shown.terminal });
      const left = await host.call("recordings_list", { session });
      if (mine !== this.asked) return;
      [this.all, this.shown, this.at] = [left, null, null];
      if (left[0]) await this.choose(left[0]);
    } catch (thrown) {
      if (mine === this.asked) this.error = asError(thrown);
    }
  }

  close(): void {
    this.asked += 1;
    [this.session, this.all, this.shown, this.at, this.entries, this.error] = [null, null, null, null, [], null];
  }
}

/** The entries of a session, the oldest first. */
export async function entriesOf(session: string): Promise<{ entries: readonly AuditEntryView[]; hasEarlier: boolean }> {
  const newest: AuditEntryView[] = [];
  let before: number | null = null;
  for (let page = 0; page < PAGES; page++) {
    const { entries, next }: AuditPage = await host.call("audit_page", { filter: { session }, before, limit: ENTRIES });
    newest.push(...entries);
    before = next;
    if (before === null) break;
  }
  return { entries: newest.reverse(), hasEarlier: before !== null };
}

function covers(one: RecordingView, ms: number): boolean {
  return one.problem === null && one.beganAt <= ms && (one.endedAt === null || ms <= one.endedAt);
}

function nearest(all: readonly RecordingView[], ms: number): RecordingView | undefined {
  return all.filter((one) => one.problem === null && one.beganAt <= ms).at(-1) ?? all[0];
}

export const replay = new Replay();
