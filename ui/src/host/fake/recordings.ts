import type { RecordedMoment, RecordingPage, RecordingView } from "../../bindings/ipc";
import type { Handlers } from "./handlers";
import { failure } from "./sessions";
import type { World } from "./world";

/** What asks, orders, links and hides: nothing of it may leave the screen that shows it. */
const HOSTILE = [
  "\x1b[6n\x1b[5n\x1b[c\x1b[>c\x1b[=c\x1b[18t\x1b[21t\x1b[?2026$p\x1bP$qm\x1b\\\x1bZ",
  "\x1b]52;c;ZXZpbA==\x07\x1b]52;c;?\x07\x1b]0;owned\x07\x1b]2;owned\x07\x1b]10;?\x07\x1b]4;1;?\x07\x1b]9;told\x07\x1b]777;notify;a;b\x07\x1b]1337;File=inline=1:AAAA\x07",
  "\x1b]8;;https://evil.example/\x07click me\x1b]8;;\x07\x1b[?2004h\x1b[?1000h\x1b[?1003h\x1b[?1006h\x1b[?1004h",
  `\x1b]${"9".repeat(200_000)}`, "\x07\x1b[999999999;999999999H\x1b[8;9999;9999t", `\x1bP${"q".repeat(100_000)}\x1b\\`, "\x1b[1;1Hstill a screen",
];

/** One of an earlier session: a segment that is whole, one that was changed, and one that follows. */
function kept(session: string, now: number): { view: RecordingView; pages: RecordingPage[] } {
  const began = now - 3600_000;
  const size = { cols: 100, rows: 30 };
  const out = (afterMs: number, data: string): RecordedMoment => ({ afterMs, kind: "output", data });
  const prompt = "\x1b[32mprod-eu-1/checkout\x1b[0m $ ";
  const first: RecordedMoment[] = [
    out(0, "# ledger-us-1 · settlement · operate\r\n"), out(10, prompt), out(900, "kubectl get pods\r\n"),
    out(1400, "NAME                      READY   STATUS             RESTARTS\r\nledger-0                  1/1     Running            0\r\n\x1b[31mworker-7f9c4d6f6b-2m8ln   0/1     CrashLoopBackOff   14\x1b[0m\r\n"), out(1410, prompt),
    { afterMs: 60_000, kind: "resize", data: "120x30" }, out(61_000, "kubectl rollout undo deploy/worker\r\n"), out(61_500, "deployment.apps/worker rolled back\r\n"), out(61_510, prompt),
  ];
  const third: RecordedMoment[] = [out(0, "kubectl get pods -w\r\n"), out(500, "worker-5d9c4d6f6b-tz5rh   1/1     Running            0\r\n"), ...(session.includes("hostile") ? HOSTILE.map((data, at) => out(600 + at, data)) : []), out(900, "\r\nexit\r\n")];
  const page = (state: RecordingPage["state"], beganAt: number, moments: RecordedMoment[]): RecordingPage => ({ state, beganAt, size, moments, next: null });
  const pages = [page("whole", began, first), page("damaged", began + 300_000, []), page("whole", began + 600_000, third)];
  const segments = pages.map((one, at) => ({ number: at + 1, beganAt: one.beganAt, endedAt: one.beganAt + (one.moments.at(-1)?.afterMs ?? 1000), size }));
  const view: RecordingView = { session, terminal: "t-1", cluster: "ledger-us-1", user: "oidc:dev@example.test", shell: "bash", input: false, sealed: true, beganAt: began, endedAt: began + 601_000, cutOff: true, segments, problem: null };
  return { view, pages };
}

/** Recordings: those of the history's session, and whatever a session's name asks for. */
export function recordings(world: World) {
  const opened = new Set<string>();
  const gone = new Set<string>();
  const of = (session: string) => {
    if (session.includes("none") || world.scene === "auditedNone" || gone.has(session)) return null;
    const found = kept(session, world.began);
    if (session.includes("live")) Object.assign(found.view, { endedAt: null, cutOff: false, segments: found.view.segments.slice(0, 1) });
    if (session.includes("unread") || world.scene === "auditedUnread") found.view.problem = "the index of a recording is damaged: a hash is none";
    return found;
  };
  return {
    recordings_list: ({ session }) => {
      const found = of(session);
      return found ? [found.view] : [];
    },
    recording_open: ({ session }) => {
      const found = of(session);
      if (!found) throw failure("failed", "There is no such recording.");
      opened.add(session);
      return found.view;
    },
    recording_page: ({ session, segment }) => {
      const found = of(session);
      if (!found || !opened.has(session)) throw failure("failed", "This recording was not opened.");
      const live = found.view.endedAt === null && segment > 1;
      const page = live ? undefined : found.pages[segment - 1];
      return page ?? { state: "missing", beganAt: found.view.beganAt, size: { cols: 80, rows: 24 }, moments: [], next: null };
    },
    recording_delete: ({ session }) => (gone.add(session), null),
  } satisfies Partial<Handlers>;
}
