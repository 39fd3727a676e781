import type { RecordingPage, RecordingView } from "../../bindings/ipc";

/** What shows a recording: a terminal that answers nothing. */
export interface Screen {
  write(data: string): void;
  resize(cols: number, rows: number): void;
  reset(): void;
  /** When all that was written is shown. */
  drawn(): Promise<void>;
}

/** Where a recording comes from, page by page. */
interface Source {
  page(segment: number, from: number): Promise<RecordingPage>;
  /** The recording as it is by now, where it goes on. */
  again(): Promise<RecordingView>;
}

/** A segment that is not as it was written. */
export interface Hole {
  readonly segment: number;
  readonly state: "damaged" | "missing";
}

interface Step {
  readonly at: number;
  readonly data: string | null;
  readonly size: readonly [number, number] | null;
}

/** What nothing happens in for longer is passed over, milliseconds. */
export const IDLE = 2000;
/** How much is read ahead, in moments. */
const AHEAD = 200;

/**
 * Plays a recording to a screen. Holds what is read ahead and nothing else of it; going back begins anew, since what a
 * terminal shows is all that came before.
 */
export class Player {
  /** Where it is, Unix milliseconds. */
  clock: number;
  playing = false;
  speed = 1;
  cutsIdle = true;
  holes: readonly Hole[] = [];
  /** It shows all there is by now of a recording that goes on. */
  waits = false;
  private ahead: Step[] = [];
  private segment = 1;
  private from = 0;
  private shown: number;
  private exhausted = false;
  private loading: Promise<void> | null = null;
  private turn = 0;
  private settling = 0;

  constructor(public recording: RecordingView, private readonly screen: Screen, private readonly source: Source, private readonly changed: () => void) {
    this.clock = recording.beganAt;
    this.shown = recording.beganAt;
  }

  /** The last moment that is known of. */
  get end(): number {
    const last = this.recording.segments.at(-1)?.endedAt ?? this.recording.beganAt;
    return this.recording.endedAt ?? Math.max(last, this.clock);
  }

  get over(): boolean {
    return this.exhausted && this.ahead.length === 0;
  }

  play(): void {
    if (this.over) void this.seek(this.recording.beganAt).then(() => this.start());
    else this.start();
  }

  pause(): void {
    this.playing = false;
    this.changed();
  }

  /** Shows how it was at a moment, Unix milliseconds. */
  async seek(to: number): Promise<void> {
    const mine = ++this.turn;
    this.settling += 1;
    const at = Math.min(Math.max(to, this.recording.beganAt), this.end);
    if (at < this.shown) {
      await this.screen.drawn();
      if (mine === this.turn) this.begin();
    }
    this.clock = at;
    while (mine === this.turn) {
      this.feed();
      if (this.ahead.length > 0 || this.exhausted || this.waits) break;
      await this.load();
    }
    this.settling -= 1;
    this.changed();
  }

  /** So many milliseconds of the person's time went by. */
  tick(ms: number): void {
    if (!this.playing || this.settling > 0) return;
    const next = this.ahead[0];
    if (next) {
      this.clock += ms * this.speed;
      if (this.cutsIdle && next.at - this.clock > IDLE) this.clock = next.at - IDLE / 4;
      this.feed();
    }
    if (this.over) {
      this.clock = this.end;
      this.playing = false;
    } else if (this.ahead.length < AHEAD && !this.waits) void this.load();
    this.changed();
  }

  /** Looks whether a recording that goes on has more by now. */
  async more(): Promise<void> {
    if (!this.waits) return;
    const mine = this.turn;
    const recording = await this.source.again().catch(() => null);
    if (mine !== this.turn || !recording) return;
    this.recording = recording;
    this.waits = false;
    await this.load();
    this.changed();
  }

  private start(): void {
    this.playing = true;
    this.changed();
  }

  private begin(): void {
    this.screen.reset();
    [this.ahead, this.segment, this.from, this.exhausted, this.waits, this.holes] = [[], 1, 0, false, false, []];
    this.shown = this.recording.beganAt;
  }

  private feed(): void {
    let count = 0;
    for (const step of this.ahead) {
      if (step.at > this.clock) break;
      if (step.size) this.screen.resize(...step.size);
      if (step.data !== null) this.screen.write(step.data);
      this.shown = step.at;
      count += 1;
    }
    if (count > 0) this.ahead = this.ahead.slice(count);
  }

  // One page at a time, and none before the last one is drawn: a screen holds only so much that waits.
  private load(): Promise<void> {
    const turn = this.turn;
    this.loading ??= this.read().finally(() => (this.loading = null));
    const mine = this.loading;
    return turn === this.turn ? mine : Promise.resolve();
  }

  private async read(): Promise<void> {
    const [segment, from, mine] = [this.segment, this.from, this.turn];
    const known = this.recording.segments.some((one) => one.number === segment);
    if (!known && this.recording.endedAt !== null) return this.atEnd();
    await this.screen.drawn();
    const page = await this.source.page(segment, from).catch((): null => null);
    // Somebody went elsewhere meanwhile, and what is wanted is another page.
    if (mine !== this.turn && (segment !== this.segment || from !== this.from)) return;
    if (page === null || page.state === "missing" || page.state === "damaged") {
      // Behind the last segment that is known of there need not be any: a recording that goes on may be deleted meanwhile.
      if (!known) return this.atEnd();
      this.holes = [...this.holes, { segment, state: page?.state === "missing" ? "missing" : "damaged" }];
    }
    if (page !== null) {
      if (from === 0 && page.state !== "missing") this.ahead.push({ at: page.beganAt, data: null, size: [page.size.cols, page.size.rows] });
      for (const moment of page.moments) {
        const at = page.beganAt + moment.afterMs;
        if (moment.kind === "output") this.ahead.push({ at, data: moment.data, size: null });
        else if (moment.kind === "resize") this.ahead.push({ at, data: null, size: sizeOf(moment.data) });
      }
      if (page.next !== null) return void (this.from = page.next);
      if (page.state === "open") {
        this.from = from + page.moments.length;
        if (page.moments.length === 0 || this.recording.endedAt === null) this.atEnd();
        return;
      }
    }
    [this.segment, this.from] = [segment + 1, 0];
  }

  private atEnd(): void {
    if (this.recording.endedAt === null) this.waits = true;
    else this.exhausted = true;
  }
}

function sizeOf(data: string): readonly [number, number] | null {
  const [cols, rows] = data.split("x").map(Number);
  return cols !== undefined && rows !== undefined && cols >= 1 && rows >= 1 && cols <= 2000 && rows <= 2000 ? [cols, rows] : null;
}
