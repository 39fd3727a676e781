// Gives each file of a fresh clone the time at which its content was first seen beside this target folder, so that cargo,
// which compares times, builds what changed and nothing else: `times.mjs TARGET`.
//
// A content that is not the last one seen counts as changed now, whatever its time says, so nothing that was built of
// another content passes for this one's. That holds as long as nothing else builds into the folder: `.ci/run` has one
// of its own and a lock on it.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [target] = process.argv.slice(2);
if (!target) throw new Error("times.mjs TARGET");
const notes = join(target, "sallyport-times.json");

/** What was seen before: each path's content and time, in milliseconds. */
const before = (() => {
  try {
    return JSON.parse(readFileSync(notes, "utf8"));
  } catch {
    return {};
  }
})();

const tracked = execFileSync("git", ["-c", "safe.directory=*", "ls-files", "-z"], { encoding: "utf8", maxBuffer: 64 << 20 });
const now = Date.now();
const seen = {};
let same = 0;
for (const path of tracked.split("\0").filter(Boolean)) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) continue;
  const content = createHash("sha256").update(readFileSync(path)).digest("hex");
  const known = before[path]?.content === content ? before[path] : null;
  seen[path] = known ?? { content, time: now };
  same += known ? 1 : 0;
  utimesSync(path, seen[path].time / 1000, seen[path].time / 1000);
}
mkdirSync(target, { recursive: true });
writeFileSync(`${notes}.new`, JSON.stringify(seen));
renameSync(`${notes}.new`, notes);
console.error(`times: ${same} of ${Object.keys(seen).length} files are as they were last built here`);
