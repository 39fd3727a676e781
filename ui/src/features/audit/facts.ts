import type { AuditEntryView } from "../../bindings/ipc";
import { number } from "../../shared/text";
import { timeText, took } from "../../shared/time";

/** The further facts of entries, as people call them. What is not listed is shown by its own name. */
const NAMES: Record<string, string> = {
  account: "Account",
  acr: "Class (acr)",
  amr: "Methods (amr)",
  auth_time: "Signed in at",
  bytes_in: "Bytes in",
  bytes_out: "Bytes out",
  code: "Exit code",
  digest: "Digest",
  duration: "For",
  kubectl_command: "Part of",
  kubectl_session: "kubectl’s id",
  ms: "Took",
  pid: "Process",
  reason: "Reason",
  uri: "Address",
  user_agent: "User agent",
  why: "Because",
};

interface Fact {
  name: string;
  value: string;
}

/** The further facts of an entry, without those that stand above them. */
export function facts(entry: Pick<AuditEntryView, "detail" | "via" | "status">): Fact[] {
  return entry.detail
    // Rules by the dozen are no fact to read: the session's page says what was used of them.
    .filter(([name, value]) => value !== "" && name !== "granted" && !(name === "via" && value === entry.via) && !(name === "status" && value === String(entry.status)))
    .map(([name, value]) => ({ name: NAMES[name] ?? titled(name), value: worded(name, value) }));
}

/** `rights_gone` as `Rights gone`. */
export function titled(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function worded(name: string, value: string): string {
  const n = /^\d+$/.test(value) ? Number(value) : null;
  if (n === null) return value;
  if (name === "ms") return took(n);
  if (name === "auth_time") return n === 0 ? "not said" : timeText(n * 1000, "full");
  return name === "bytes_in" || name === "bytes_out" ? number(n) : value;
}
