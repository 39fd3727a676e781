import type { ErrorView, RecordingView } from "../../bindings/ipc";
import { openDialog } from "../../desktop/dialogs.svelte";
import { asError, host } from "../../host";
import { Calls } from "./calls.svelte";

/** What is watched: the recordings of a session, one of them, and what was called beside it. */
export class Replay {
  session = $state.raw<string | null>(null);
  all = $state.raw<readonly RecordingView[] | null>(null);
  shown = $state.raw<RecordingView | null>(null);
  /** Where to go in it, Unix milliseconds; another object each time. */
  at = $state.raw<{ readonly ms: number } | null>(null);
  readonly calls = new Calls();
  error = $state.raw<ErrorView | null>(null);
  private asked = 0;

  /** Opens what is kept of a session, in a dialog; at a moment, the terminal that was there then. */
  async watch(session: string, ms: number | null = null): Promise<void> {
    this.calls.begin({ session });
    openDialog("replay");
    if (!(await this.list(session))) return;
    const began = this.all?.[0]?.beganAt;
    if (began === undefined) return;
    void this.calls.around(ms ?? began);
    await this.open(ms);
  }

  /** Looks for what is kept of a session, and opens none of it: that is noted in the history. */
  async list(session: string): Promise<boolean> {
    const mine = ++this.asked;
    [this.session, this.all, this.shown, this.at, this.error] = [session, null, null, null, null];
    try {
      const all = await host.call("recordings_list", { session });
      if (mine !== this.asked) return false;
      this.all = all;
      return true;
    } catch (thrown) {
      if (mine === this.asked) this.error = asError(thrown);
      return false;
    }
  }

  /** Opens the terminal that was there at a moment, else the first. */
  async open(ms: number | null): Promise<void> {
    const all = this.all ?? [];
    const then = ms === null ? all[0] : (all.find((one) => covers(one, ms)) ?? nearest(all, ms));
    if (then) await this.choose(then, ms);
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
    [this.session, this.all, this.shown, this.at, this.error] = [null, null, null, null, null];
    this.calls.begin({});
  }
}

function covers(one: RecordingView, ms: number): boolean {
  return one.problem === null && one.beganAt <= ms && (one.endedAt === null || ms <= one.endedAt);
}

function nearest(all: readonly RecordingView[], ms: number): RecordingView | undefined {
  return all.filter((one) => one.problem === null && one.beganAt <= ms).at(-1) ?? all[0];
}

export const replay = new Replay();
