import type { AuditEntryView, AuditFilter, AuditPage, Outcome } from "../../bindings/ipc";

type Written = Partial<AuditEntryView> & { action: string; sentence: string };

/** An invented history, newest last. */
export class FakeHistory {
  readonly entries: AuditEntryView[] = [];

  constructor(size: number, now: number) {
    const begin = (now - 36 * 3600_000) * 1000;
    const session = "5e55107f3k2";
    for (let i = 0; i < size; i++) {
      const write = SCRIPT[i % SCRIPT.length] as Written;
      this.append({ ...write, cluster: "ledger-us-1", ids: { request: "0b6f2c7e-2f1d-4d0e-9a51-6f4b1c2d3e4f", grant: "7d1e0a9c-5b43-4c6f-8f0a-1a2b3c4d5e6f", session, jti: "9c1e77aa-4a0b-4e3c-b1c4-2f6d8e9a0b1c", auditId: write.status ? `0195f0aa-${String(i).padStart(4, "0")}-7000-8000-00000000a81f` : null }, ...(write.via ? {} : { via: "" }) }, begin + (i * 36 * 3600_000_000) / size);
    }
  }

  append(write: Written, atUs: number): AuditEntryView {
    const entry: AuditEntryView = {
      sequence: this.entries.length + 1,
      atUs: Math.floor(atUs),
      outcome: "done",
      user: "dev@example.test",
      cluster: "",
      via: "",
      status: null,
      ids: { request: null, grant: null, session: null, jti: null, auditId: null },
      detail: [],
      redactions: 0,
      gap: false,
      ...write,
    };
    this.entries.push(entry);
    return entry;
  }

  page(filter: AuditFilter, before: number | null, limit: number): AuditPage {
    const text = filter.text?.toLowerCase();
    const matching = this.entries.filter(
      (e) =>
        (before === null || e.sequence < before) &&
        (!filter.cluster || e.cluster === filter.cluster) &&
        (!filter.session || e.ids.session === filter.session) &&
        (filter.from === undefined || e.atUs >= filter.from * 1000) &&
        (filter.to === undefined || e.atUs < filter.to * 1000) &&
        (!text || JSON.stringify(e).toLowerCase().includes(text)),
    );
    const entries = matching.slice(-limit).reverse();
    return { entries, next: matching.length > limit ? (entries.at(-1)?.sequence ?? null) : null, total: this.entries.length };
  }
}

const call = (sentence: string, via: string, status: number, over: Partial<AuditEntryView> = {}): Written => ({
  action: "call", sentence, via, status, outcome: (status >= 400 ? "refused" : "done") as Outcome, ...over,
});

const SCRIPT: readonly Written[] = [
  { action: "sign_in", sentence: "Signed in with a one-time code", detail: [["acr", "urn:sallyport:mfa"], ["amr", "pwd otp"]] },
  { action: "ask", sentence: "Asked for operate on ledger-us-1: “roll back worker”", detail: [["namespaces", "settlement"], ["duration", "1h"]] },
  { action: "approved", sentence: "Approved for 1 h, settlement only", user: "lead@example.test" },
  { action: "granted", sentence: "Granted: 1 binding, ServiceAccount s-7f3k2-1795535530", user: "broker" },
  { action: "terminal_open", sentence: "Terminal opened" },
  call("Listed pods in settlement", "kubectl get", 200),
  call("Rolled back deployment worker", "kubectl rollout", 200),
  call("Ran psql -c ‹redacted› in worker-5d7-k2x", "kubectl exec", 101, { redactions: 1, detail: [["container", "worker"], ["command", "psql -c ‹redacted›"]] }),
  call("Tried to read secret broker-tls", "kubectl get", 403),
  { action: "gap", sentence: "No evidence for 40 s: the app did not stop cleanly", gap: true, outcome: "unproven", user: "sallyport" },
  call("Read logs of worker-5d7-k2x", "kubectl logs", 200, { detail: [["query", "follow=true&tailLines=100\u202e"]] }),
  { action: "leave", sentence: "Left ledger-us-1: 2 streams cut in 9 ms" },
  { action: "rights_gone", sentence: "Rights gone after 104 ms: probe answered 403", status: 403 },
  { action: "token_refused", sentence: "Token refused after 9.9 s: probe answered 401", status: 401 },
];
