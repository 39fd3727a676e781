import type { Output } from "../types";

const PODS = `NAME                         READY   STATUS             RESTARTS      AGE\r
api-6c7d9f5b8d-4kq2m         2/2     Running            0             3d\r
api-6c7d9f5b8d-x9w7p         2/2     Running            0             3d\r
ledger-0                     1/1     Running            0             41d\r
\x1b[31mworker-7f9c4d6f6b-2m8ln      0/1     CrashLoopBackOff   14 (2m ago)   52m\x1b[0m\r
worker-7f9c4d6f6b-tz5rh      1/1     Running            0             3d\r
`;

/** A pretend shell: echoes, knows a few commands, and `flood` prints many lines. */
export class FakeTerminal {
  private line = "";
  private unacknowledged = 0;
  private waiting: Uint8Array[] = [];
  private readonly encoder = new TextEncoder();
  /** All bytes ever printed, and the most that were unacknowledged at once: tests look at both. */
  printed = 0;
  /** All that was ever typed. */
  heard = "";
  /** What a window that attaches is told was said before. */
  before = "";
  mostOpen = 0;

  constructor(
    private output: Output,
    private readonly cluster: string,
    private readonly namespace: string,
    private readonly ran: (verb: string, resource: string, status: number) => void,
    banner: string,
  ) {
    this.print(`\x1b[90m${banner}\x1b[0m\r\n`);
    this.prompt();
  }

  attach(output: Output): void {
    this.output = output;
    this.print(this.before);
    this.prompt();
  }

  write(data: string): void {
    this.heard += data;
    for (const char of data) {
      if (char === "\r") this.run();
      else if (char === "\x7f") this.erase();
      else if (char >= " ") {
        this.line += char;
        this.print(char);
      }
    }
  }

  acknowledge(bytes: number): void {
    this.unacknowledged -= bytes;
    while (this.waiting.length > 0 && this.unacknowledged < 256 * 1024) this.send(this.waiting.shift() as Uint8Array);
  }

  private run(): void {
    const line = this.line.trim();
    this.line = "";
    this.print("\r\n");
    if (/^kubectl get (po|pods)/.test(line)) {
      this.print(PODS);
      this.ran("list", "pods", 200);
    } else if (/^kubectl logs/.test(line)) {
      this.print("2026-11-24T14:58:01Z INFO  consumer starting group=settlement\r\n2026-11-24T14:58:02Z \x1b[31mERROR\x1b[0m broker handshake: x509: certificate has expired\r\n2026-11-24T14:58:02Z \x1b[31mERROR\x1b[0m giving up after 3 attempts\r\n");
      this.ran("get", "pods/log", 200);
    } else if (/^kubectl get secret/.test(line)) {
      this.print(`\x1b[33mError from server (Forbidden): secrets is forbidden: not part of this session's profile\x1b[0m\r\n`);
      this.ran("get", "secrets", 403);
    } else if (line === "flood") {
      for (let i = 0; i < 200; i++) this.print(`\x1b[3${1 + (i % 6)}m${"flood ".repeat(680)}${i}\x1b[0m\r\n`);
    } else if (line !== "") this.print(`sh: ${line.split(" ")[0]}: not found\r\n`);
    this.prompt();
  }

  private erase(): void {
    if (this.line === "") return;
    this.line = this.line.slice(0, -1);
    this.print("\b \b");
  }

  private prompt(): void {
    this.print(`\x1b[32m${this.cluster}\x1b[0m \x1b[34m${this.namespace}\x1b[0m $ `);
  }

  private print(text: string): void {
    const bytes = this.encoder.encode(text);
    if (this.unacknowledged >= 256 * 1024) this.waiting.push(bytes);
    else this.send(bytes);
  }

  private send(bytes: Uint8Array): void {
    this.unacknowledged += bytes.length;
    this.printed += bytes.length;
    this.mostOpen = Math.max(this.mostOpen, this.unacknowledged);
    setTimeout(() => this.output(bytes), 0);
  }
}
