import type { ExportForm, ExportLook } from "../../bindings/ipc";
import type { FakeEvidence } from "./evidence";
import type { Handlers } from "./handlers";
import { failure } from "./sessions";
import type { World } from "./world";

const ENDINGS: Record<ExportForm, string> = { pack: ".tar", jsonl: ".jsonl", csv: ".csv", ocsf: ".ocsf.jsonl", report: ".html" };
const STEPS = 20;

/** Handing on: what is selected is counted, and written in steps that can be stopped. A place says what becomes of it. */
export function exports(world: World, evidence: FakeEvidence) {
  const taken = new Set(["/home/dev/taken.tar"]);
  let stopped: boolean | null = null;
  const look = (filter: Parameters<FakeEvidence["rows"]>[0]): ExportLook => {
    const rows = evidence.rows(filter);
    const own = rows.filter((row) => row.side === "own");
    const found = own.map((row) => row.entry?.ids.session ?? "").find((id) => id !== "");
    const recorded = found === undefined ? [] : filter.session ? [found] : [found, `${found}-2`, `${found}-3`];
    return {
      own: own.length, calls: rows.length - own.length, isCut: world.scene === "auditedPart", why: world.scene === "auditBusy" ? "the archive of the clusters' audit events is in use by process 4711" : null,
      stores: evidence.sources.filter((one) => one.isStore).map((one) => one.path), isSealed: world.scene !== "memoryOnly",
      recorded: recorded.map((session, at) => ({ session, cluster: "ledger-us-1", who: at === 2 ? `oidc:${"a-very-long-name-".repeat(8)}\u202e@example.test` : "oidc:dev@example.test", beganAt: world.began - (at + 1) * 3600_000, terminals: at + 1, bytes: 812_000 * (at + 1) })),
      hasMore: false, place: "/home/dev/sallyport-audit-20261129-201500",
    };
  };
  return {
    audit_export_look: async ({ filter }) => {
      await world.pause(60);
      if (world.scene === "auditFails") throw failure("failed", "The history can't be read.", { hint: "Run verify; the log has the details." });
      return look(filter);
    },
    audit_export: async ({ export: { filter, form, recordings, events, place } }) => {
      if (!place.endsWith(ENDINGS[form])) throw failure("badInput", `the place does not end in the name of ${form === "pack" ? "an archive" : "such a file"}`, { hint: `Let it end in a name like audit${ENDINGS[form]}.` });
      if (taken.has(place)) throw failure("badInput", `there is something at ${place} already`, { hint: "Name another file; nothing is written over." });
      if (stopped !== null) throw failure("failed", "another selection is being written", { hint: "Wait until it is there, or stop it." });
      const { own, calls } = look(filter);
      const of = form === "pack" ? world.history.entries.length : own + calls;
      stopped = false;
      let signedOut = false;
      let over = () => {};
      const end = new Promise<void>((done) => (over = done));
      world.endExport = () => ((signedOut = true), end);
      try {
        for (let step = 1; step <= STEPS; step++) {
          await world.pause(150);
          world.hear({ kind: "exporting", done: Math.round((of * step) / STEPS), of });
          if (signedOut) throw failure("failed", "what was being handed on was given up by the sign-out; nothing is left of it", { hint: "Sign in and hand it on again." });
          if (stopped as boolean) throw failure("cancelled", "it was given up; nothing was written");
          if (place.startsWith("/full/") && step > 3) throw failure("failed", `${place} could not be written: the disk is full`, { hint: "Make room, or name a place on another disk. Nothing is left of what was written." });
          // A disk that takes nothing on.
          if (place.startsWith("/slow/") && step > 7) step -= 1;
        }
      } finally {
        [stopped, world.endExport] = [null, async () => {}];
        // Whoever asked for it hears of its end first.
        setTimeout(over, 0);
      }
      taken.add(place);
      const isPack = form === "pack";
      const told = form === "report" || (isPack && !events) ? 0 : calls;
      world.log("exported", `Handed on as ${form}: ${own} entries and ${told} calls; selected: ${JSON.stringify(filter)}`);
      return { place, own, calls: told, recordings: isPack ? recordings.length * 3 : 0, bytes: own * 612 + recordings.length * 812_000, sha256: "4be1c9d07f3a5286".repeat(4), fingerprint: isPack ? "9c41d2e86a0b3f57".repeat(4) : null, lacks: recordings.length > 1 ? ["1 segment of a recording is on record and was not there any more, or not as it was"] : [] };
    },
    audit_export_stop: async () => {
      if (stopped !== null) stopped = true;
      return null;
    },
  } satisfies Partial<Handlers>;
}
