import { expect, test } from "vitest";
import type { ProofKind, ProofState, SessionState, SessionView } from "../src/bindings/ipc";
import { closing, endedText, proofTitle, summary } from "../src/features/sessions/steps";

const KINDS: ProofKind[] = ["streamsCut", "terminalsEnded", "kubeconfigDeleted", "rightsGone", "accountRemoved", "tokenRefused"];
const STATES: ProofState[] = ["waiting", "running", "done", "unproven"];

function session(state: SessionState, proof: SessionView["proof"]): SessionView {
  return {
    id: "1", extends: null, isScan: false, cluster: "payments-eu-1", environment: "prod", environmentWord: "prod", namespaces: ["payments"], profile: "debug", reason: "INC-1\u202e",
    durationSeconds: 900, state, steps: [], waitingFor: null, vouching: null, recording: null, extendedAt: null, openedAt: 0, endsAt: 900_000, endsInMs: 0, clickToPromptMs: 1,
    calls: { total: 3, refused: 1, recent: [] }, streams: [], terminals: [], proof, ended: { reason: "left", by: null, message: null, at: 60_000 }, error: null, request: "r-1", grant: null,
  };
}

test("p13_the_closing_is_never_green_without_both_probes", () => {
  let proven = 0;
  // All 4^6 proofs, in every state.
  for (let n = 0; n < STATES.length ** KINDS.length; n++) {
    const proof = KINDS.map((kind, i) => ({ kind, state: STATES[Math.floor(n / STATES.length ** i) % STATES.length] as ProofState, ms: 1, detail: "" }));
    const state = (kind: ProofKind) => proof.find((p) => p.kind === kind)?.state;
    for (const at of ["closing", "closed"] as const) {
      const stage = closing(session(at, proof));
      const both = state("rightsGone") === "done" && state("tokenRefused") === "done";
      const bad = proof.some((p) => p.state === "unproven");
      if (stage === "proven") {
        proven += 1;
        expect(both && !bad && at === "closed").toBe(true);
        expect(proof.every((p) => p.state === "done")).toBe(true);
      }
      if (stage === "second") expect(state("rightsGone")).toBe("done");
      if (at === "closed" && (!both || bad)) expect(stage).toBe("unproven");
    }
  }
  expect(proven).toBeGreaterThan(0);
}, 60_000);

test("fault_d2_p13_a_line_that_is_still_open_is_never_proven", () => {
  const done = KINDS.map((kind) => ({ kind, state: "done" as ProofState, ms: 1, detail: "" }));
  expect(closing(session("closed", done))).toBe("proven");
  for (const kind of ["streamsCut", "terminalsEnded", "kubeconfigDeleted", "accountRemoved"]) {
    for (const state of ["waiting", "running", "unproven"] as const) {
      const proof = done.map((line) => (line.kind === kind ? { ...line, state } : line));
      expect(closing(session("closed", proof))).toBe("unproven");
    }
  }
});

test("p13_the_brokers_word_is_told_apart_from_a_probe", () => {
  expect(closing(session("closed", [{ kind: "byBroker", state: "done", ms: 100, detail: "" }]))).toBe("byBroker");
  expect(closing(session("closed", [{ kind: "byBroker", state: "unproven", ms: 100, detail: "" }]))).toBe("unproven");
  expect(closing(session("closed", []))).toBe("unproven");
});

test("fault_a1_p13_refusals_of_some_rights_are_no_tick", () => {
  const running = { kind: "rightsGone" as const, state: "running" as const, ms: null, firstMs: 28, detail: "3 of 4 refused" };
  expect(closing(session("closing", [running, { kind: "tokenRefused", state: "waiting", ms: null, detail: "" }]))).toBe("first");
  const open = { ...running, state: "unproven" as const, detail: "3 of 4 refused; payments/sallyport:debug still allowed by RoleBinding \"x\u202e\"" };
  const over = session("closed", [open, { kind: "tokenRefused", state: "done", ms: 9900, detail: "" }]);
  expect(closing(over)).toBe("unproven");
  expect(summary(over)).toContain("Rights gone: unproven 3 of 4 refused; payments/sallyport:debug still allowed by RoleBinding \"x⟨U+202E⟩\"");
});

test("who ended it is said, and hidden characters in their words are shown", () => {
  const view = { ...session("closed", []), ended: { reason: "revoked" as const, by: "lead\u200b", message: "over\u202e", at: 1 } };
  expect(endedText(view)).toBe("Revoked by lead⟨U+200B⟩: “over⟨U+202E⟩”.");
  expect(endedText(session("closed", []))).toBe("");
  const again = { reason: "revoked", by: "oidc:lead", message: "revoked by oidc:lead: over; 2 bindings removed", at: 0 } as const;
  expect(endedText({ ...view, ended: again }), "who did it is said once").toBe("Revoked by oidc:lead: “over; 2 bindings removed”.");
  expect(endedText({ ...view, ended: { ...again, by: "oidc:other" } })).toBe("Revoked by oidc:other: “revoked by oidc:lead: over; 2 bindings removed”.");
});

test("what is not proven is not said as a fact", () => {
  expect(proofTitle({ kind: "rightsGone", state: "unproven" })).toBe("Not proven: rights gone");
  expect(proofTitle({ kind: "rightsGone", state: "done" })).toBe("Rights gone");
  expect(proofTitle({ kind: "rightsGone", state: "running" })).toBe("Probing until the rights are gone");
});

test("the summary names what was not shown", () => {
  const text = summary(session("closed", [{ kind: "rightsGone", state: "unproven", ms: null, detail: "no answer" }, { kind: "streamsCut", state: "done", ms: 9, detail: "2" }]));
  expect(text).toContain("Rights gone: unproven no answer");
  expect(text).toContain("Streams cut: 9 ms 2");
  expect(text).toContain("INC-1⟨U+202E⟩");
});
