import { describe, expect, it } from "vitest";
import type { RecordedMoment, RecordingPage, RecordingView } from "../src/bindings/ipc";
import { IDLE, Player, type Screen } from "../src/features/recording/player";
import { named, notes, position, recordedText } from "../src/features/recording/words";

const BEGAN = 1_700_000_000_000;
const size = { cols: 80, rows: 24 };
const out = (afterMs: number, data: string): RecordedMoment => ({ afterMs, kind: "output", data });

class Paper implements Screen {
  text = "";
  sizes: string[] = [];
  resets = 0;
  write(data: string) { this.text += data; }
  resize(cols: number, rows: number) { this.sizes.push(`${cols}x${rows}`); }
  reset() { this.text = ""; this.resets += 1; }
  drawn() { return Promise.resolve(); }
}

function view(over: Partial<RecordingView> = {}): RecordingView {
  const segments = [1, 2].map((number) => ({ number, beganAt: BEGAN + (number - 1) * 10_000, endedAt: BEGAN + (number - 1) * 10_000 + 9000, size }));
  return { session: "s", terminal: "t", cluster: "c", user: "u", shell: "bash", input: false, sealed: true, beganAt: BEGAN, endedAt: BEGAN + 19_000, cutOff: false, segments, problem: null, ...over };
}

// Segments of three moments, handed out two at a time: pages are no larger than what is on screen.
function source(states: Record<number, RecordingPage["state"]> = {}) {
  const asked: string[] = [];
  return {
    asked,
    page(segment: number, from: number): Promise<RecordingPage> {
      asked.push(`${segment}/${from}`);
      const beganAt = BEGAN + (segment - 1) * 10_000;
      const state = states[segment] ?? (segment > 2 ? "missing" : "whole");
      const all = state === "missing" || state === "damaged" ? [] : [out(0, `${segment}a `), out(1000, `${segment}b `), out(9000, `${segment}c `)];
      const next = from + 2 < all.length ? from + 2 : null;
      return Promise.resolve({ state, beganAt, size, moments: all.slice(from, from + 2), next });
    },
    again: () => Promise.resolve(view()),
  };
}
const settled = () => new Promise((done) => setTimeout(done, 5));

describe("a player", () => {
  it("shows how it was at a moment, forth and back", async () => {
    const [paper, from] = [new Paper(), source()];
    const player = new Player(view(), paper, from, () => {});
    await player.seek(BEGAN + 1500);
    expect(paper.text).toBe("1a 1b ");
    await player.seek(BEGAN + 11_000);
    expect(paper.text).toBe("1a 1b 1c 2a 2b ");
    await player.seek(BEGAN + 500);
    expect([paper.text, paper.resets]).toEqual(["1a ", 1]);
    await player.seek(player.end);
    expect(paper.text).toBe("1a 1b 1c 2a 2b 2c ");
    expect(player.over).toBe(true);
  });

  it("plays in its time, passes over pauses, and stops at its end", async () => {
    const paper = new Paper();
    const player = new Player(view(), paper, source(), () => {});
    await player.seek(BEGAN);
    player.play();
    player.tick(900);
    expect(paper.text).toBe("1a ");
    player.tick(200);
    expect(paper.text).toBe("1a 1b ");
    await settled();
    // Eight seconds of nothing: it goes on shortly before the next moment.
    player.tick(33);
    expect(player.clock).toBe(BEGAN + 9000 - IDLE / 4);
    player.cutsIdle = false;
    player.speed = 16;
    for (let i = 0; i < 40; i++) {
      player.tick(33);
      await settled();
    }
    expect(paper.text).toBe("1a 1b 1c 2a 2b 2c ");
    expect([player.playing, player.clock]).toEqual([false, BEGAN + 19_000]);
    player.play();
    await settled();
    expect(paper.resets).toBe(1);
  });

  it("plays what is left where a segment is damaged or missing, and says which", async () => {
    for (const state of ["damaged", "missing"] as const) {
      const paper = new Paper();
      const player = new Player(view(), paper, source({ 1: state }), () => {});
      await player.seek(BEGAN + 19_000);
      expect(paper.text).toBe("2a 2b 2c ");
      expect(player.holes).toEqual([{ segment: 1, state }]);
    }
  });

  it("waits for more of one that goes on, and shows it", async () => {
    const paper = new Paper();
    const live = view({ endedAt: null, segments: view().segments.slice(0, 1) });
    const states: Record<number, RecordingPage["state"]> = { 2: "missing" };
    const from = source(states);
    const player = new Player(live, paper, from, () => {});
    await player.seek(BEGAN + 9000);
    player.play();
    await settled();
    player.tick(100);
    await settled();
    expect(paper.text).toBe("1a 1b 1c ");
    expect(player.waits).toBe(true);
    delete states[2];
    await player.more();
    for (let i = 0; i < 60; i++) {
      player.tick(500);
      await settled();
    }
    expect(paper.text).toBe("1a 1b 1c 2a 2b 2c ");
  });

  it("waits, and asks for nothing else, where one that goes on is deleted", async () => {
    const live = view({ endedAt: null, segments: view().segments.slice(0, 1) });
    const from = source();
    let gone = false;
    let asked = 0;
    const page = (segment: number, at: number): Promise<RecordingPage> => {
      if (!gone) return from.page(segment, at);
      // One that spins would never let go of the page.
      if (++asked > 100) return new Promise(() => {});
      return Promise.reject(new Error("there is no such recording"));
    };
    const again = () => Promise.reject(new Error("there is no such recording"));
    const player = new Player(live, new Paper(), { page, again }, () => {});
    await player.seek(BEGAN + 500);
    gone = true;
    player.play();
    for (let i = 0; i < 60; i++) {
      player.tick(500);
      await settled();
    }
    expect([asked, player.waits]).toEqual([2, true]);
    expect(player.holes).toEqual([{ segment: 1, state: "damaged" }]);
    await player.more();
    expect(asked).toBe(2);
    // Nor does going forth and back.
    await player.seek(BEGAN);
    await player.seek(BEGAN + 9000);
    expect(asked).toBeLessThan(10);
  });

  it("asks for one page at a time, and for none twice unless it goes back", async () => {
    const from = source();
    const player = new Player(view(), new Paper(), from, () => {});
    await Promise.all([player.seek(BEGAN + 15_000), player.seek(BEGAN + 16_000)]);
    expect(from.asked).toEqual(["1/0", "1/2", "2/0", "2/2"]);
  });

  it("takes no size that is none", async () => {
    const paper = new Paper();
    const bad = ["0x0", "x", "", "1e9x5", "-1x5", "80x24x1", "NaNxNaN"].map((data, at): RecordedMoment => ({ afterMs: at, kind: "resize", data }));
    const page = (): Promise<RecordingPage> => Promise.resolve({ state: "whole", beganAt: BEGAN, size, moments: bad, next: null });
    const player = new Player(view({ segments: view().segments.slice(0, 1) }), paper, { page, again: () => Promise.resolve(view()) }, () => {});
    await player.seek(BEGAN + 50);
    expect(paper.sizes.every((one) => one === "80x24")).toBe(true);
  });
});

describe("what is said of a recording", () => {
  it("says what is not seen in it", () => {
    expect(notes(view())).toEqual([]);
    expect(notes(view({ cutOff: true, sealed: false, endedAt: null }))).toHaveLength(3);
    expect(named(view({ shell: "", problem: "x" }))).toBe("terminal, not readable");
    expect(position(view(), BEGAN + 65_900, BEGAN + 3_600_000)).toBe("1:05 of 1:00:00");
    expect(recordedText("outputAndInput")).toContain("typed");
  });
});
