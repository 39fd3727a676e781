import { Terminal } from "@xterm/xterm";
import { LOOK } from "../../shared/xterm";
import type { Screen } from "./player";

/** Orders to whatever runs the terminal: titles, links, notes, the clipboard. Nothing of a recording is an order. */
const INERT_OSC = [0, 1, 2, 7, 8, 9, 52, 133, 633, 777, 1337];
const LARGEST = 14;
/** What is wider then is scrolled to: smaller letters nobody reads. */
const SMALLEST = 9;

/**
 * A terminal that shows and does nothing else: it has no ear for keys, pastes or the mouse, what it would answer goes
 * nowhere, and what a recording says to the window around it is dropped.
 */
export class ReplayScreen implements Screen {
  readonly element = document.createElement("div");
  private readonly term = new Terminal({
    ...LOOK,
    fontSize: LARGEST,
    scrollback: 1000,
    disableStdin: true,
  });
  private readonly watch = new ResizeObserver(() => this.fit());

  constructor() {
    this.element.className = "replay-screen";
    // Neither onData nor onBinary is heard: what a terminal answers to a question is never sent.
    for (const code of INERT_OSC) this.term.parser.registerOscHandler(code, () => true);
  }

  mount(into: HTMLElement): void {
    into.append(this.element);
    this.term.open(this.element);
    // It is looked at, not typed into: what is pressed is for the player.
    if (this.term.textarea) {
      this.term.textarea.tabIndex = -1;
      this.term.textarea.readOnly = true;
      this.term.textarea.setAttribute("aria-hidden", "true");
    }
    this.watch.observe(into);
    this.fit();
  }

  write(data: string): void {
    this.term.write(data);
  }

  resize(cols: number, rows: number): void {
    // After what was written before it.
    this.term.write("", () => {
      this.term.resize(Math.max(2, cols), Math.max(1, rows));
      this.fit();
    });
  }

  reset(): void {
    this.term.reset();
  }

  drawn(): Promise<void> {
    return new Promise((done) => this.term.write("", done));
  }

  /** What is on it, line by line; for tests and for whoever reads a screen aloud. */
  text(): string {
    const { active } = this.term.buffer;
    const lines: string[] = [];
    for (let at = 0; at < this.term.rows; at++) lines.push(active.getLine(active.viewportY + at)?.translateToString(true) ?? "");
    return lines.join("\n").trimEnd();
  }

  dispose(): void {
    this.watch.disconnect();
    this.term.dispose();
    this.element.remove();
  }

  // The recorded size is kept, so its text is made to fit.
  private fit(): void {
    const room = this.element.parentElement;
    if (!room || room.clientWidth === 0) return;
    const [wide, high] = [room.clientWidth / (this.term.cols * 0.602), room.clientHeight / (this.term.rows * 1.32)];
    const size = Math.floor(Math.min(LARGEST, Math.max(SMALLEST, Math.min(wide, high))) * 2) / 2;
    if (size !== this.term.options.fontSize) this.term.options.fontSize = size;
    // What has to be scrolled can be by keys as well.
    if (Math.min(wide, high) < SMALLEST) room.tabIndex = 0;
    else room.removeAttribute("tabindex");
  }
}
