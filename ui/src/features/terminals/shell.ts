import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { Terminal } from "@xterm/xterm";
import type { ErrorView } from "../../bindings/ipc";
import { asError, host } from "../../host";
import { LOOK } from "../../shared/xterm";
import { Once } from "./once";
import { cleaned, type Paste } from "./paste";
import { USUAL } from "./size";

const ACK_AT = 64 * 1024;
const ACK_AFTER_MS = 30;

/**
 * One terminal on screen. It outlives the view: leaving a tab only takes its element out of the page, so its
 * scrollback stays and the shell goes on.
 */
export class Shell {
  readonly element = document.createElement("div");
  readonly search = new SearchAddon();
  private readonly fit = new FitAddon();
  private readonly term = new Terminal({
    ...LOOK,
    fontSize: USUAL,
    scrollback: 5000,
  });
  private opened = false;
  private started = false;
  private drawn = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private typed = "";
  private sending = false;
  /** While what was said before is drawn: what the terminal answers to it is not for the shell. */
  private replaying = false;
  private readonly once = new Once();

  /** A shell to be started in `session`, or with `id` one that runs there already. */
  constructor(
    readonly session: string,
    public id: string | null,
    private readonly on: { started: (shell: Shell) => void; failed: (error: ErrorView) => void; asks: (shell: Shell, paste: Paste) => boolean },
  ) {
    this.element.className = "shell";
    this.term.loadAddon(this.fit);
    this.term.loadAddon(this.search);
    this.term.onData((data) => this.heard(data));
    // Before the terminal's own handler, which types whatever is on the clipboard.
    this.element.addEventListener("paste", (event) => this.pasted(event), true);
    this.once.watch(this.element);
    this.term.onResize((size) => {
      if (this.id && this.started) void host.call("terminal_resize", { terminal: this.id, size }).catch(() => {});
    });
  }

  /** Puts the terminal into the page with its text in `size`, and starts or takes over its shell the first time. */
  async mount(into: HTMLElement, size: number): Promise<void> {
    into.append(this.element);
    this.term.options.fontSize = size;
    if (!this.opened) {
      this.opened = true;
      // Cells are measured once: with the fallback font they would stay too wide.
      await document.fonts.load('13px "IBM Plex Mono"').catch(() => []);
      this.term.open(this.element);
    }
    this.resize();
    this.term.focus();
    if (!this.started) await this.start();
  }

  /** Its text in `size` CSS pixels. Only in the page: elsewhere cells can't be measured, and mounting does it. */
  text(size: number): void {
    if (!this.element.isConnected || this.term.options.fontSize === size) return;
    this.term.options.fontSize = size;
    this.resize();
  }

  resize(): void {
    if (this.element.clientWidth > 0 && this.opened) this.fit.fit();
  }

  focus(): void {
    this.term.focus();
  }

  /** Types a paste, as one. */
  paste(text: string): void {
    this.term.paste(text);
    this.term.focus();
  }

  selection(): string {
    return this.term.getSelection();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.term.dispose();
    this.element.remove();
  }

  private async start(): Promise<void> {
    this.started = true;
    const size = { cols: this.term.cols, rows: this.term.rows };
    let first = true;
    const output = (bytes: Uint8Array) => {
      const replay = first;
      first = false;
      if (replay) this.replaying = true;
      this.term.write(bytes, () => {
        if (replay) this.replaying = false;
        this.acknowledge(bytes.length);
      });
    };
    try {
      const view = this.id
        ? await host.attachTerminal(this.id, size, output)
        : await host.openTerminal(this.session, size, output);
      this.id = view.id;
      this.acknowledge(0);
      this.on.started(this);
    } catch (thrown) {
      this.on.failed(asError(thrown));
    }
  }

  private heard(data: string): void {
    if (!this.replaying && this.once.takes(data)) this.type(data);
  }

  private pasted(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopPropagation();
    const paste = cleaned(event.clipboardData?.getData("text/plain") ?? "");
    // Also where nothing of it would be typed: the person learns why.
    if ((paste.text !== "" || paste.hidden) && !this.on.asks(this, paste)) this.paste(paste.text);
  }

  // Many small pieces are acknowledged together; the far end stops reading the PTY when too much is open.
  private acknowledge(bytes: number): void {
    this.drawn += bytes;
    clearTimeout(this.timer);
    if (this.drawn >= ACK_AT) this.flush();
    else if (this.drawn > 0) this.timer = setTimeout(() => this.flush(), ACK_AFTER_MS);
  }

  private flush(): void {
    if (!this.id || this.drawn === 0) return;
    const bytes = this.drawn;
    this.drawn = 0;
    void host.call("terminal_ack", { terminal: this.id, bytes }).catch(() => {});
  }

  // Commands may overtake each other: what is typed meanwhile waits for the one under way.
  private type(data: string): void {
    this.typed += data;
    if (!this.sending) void this.send();
  }

  private async send(): Promise<void> {
    this.sending = true;
    while (this.typed !== "" && this.id) {
      const data = this.typed;
      this.typed = "";
      await host.call("terminal_write", { terminal: this.id, data }).catch(() => {});
    }
    this.sending = false;
  }
}
