import { afterEach, beforeEach, expect, test } from "vitest";
import { clearMocks, mockIPC } from "@tauri-apps/api/mocks";
import { Channel } from "@tauri-apps/api/core";
import { tauri } from "./tauri";
import { asError } from "./types";

const seen: { command: string; args: Record<string, unknown> }[] = [];
let answer: (command: string, args: Record<string, unknown>) => unknown = () => null;

beforeEach(() => {
  (globalThis as { window?: unknown }).window = globalThis;
  seen.length = 0;
  mockIPC((command, args) => {
    seen.push({ command, args: args as Record<string, unknown> });
    return answer(command, args as Record<string, unknown>);
  });
});
afterEach(() => clearMocks());

test("a command goes out under its own name with the arguments the Rust side declares", async () => {
  answer = () => null;
  await tauri().call("cluster_pin", { name: "payments-eu-1", on: true });
  await tauri().call("app_state");
  expect(seen).toEqual([
    { command: "cluster_pin", args: { name: "payments-eu-1", on: true } },
    { command: "app_state", args: {} },
  ]);
});

test("a terminal's bytes arrive in order, raw or as numbers", async () => {
  const got: number[] = [];
  answer = () => ({ id: "t1" });
  await tauri().openTerminal("s1", { cols: 80, rows: 24 }, (bytes) => got.push(...bytes));
  const { session, size, output } = seen[0]?.args ?? {};
  expect([session, size]).toEqual(["s1", { cols: 80, rows: 24 }]);
  expect(output).toBeInstanceOf(Channel);
  const { id, onmessage } = output as Channel<ArrayBuffer | number[]>;
  expect((output as Channel).toJSON()).toBe(`__CHANNEL__:${id}`);
  onmessage(Uint8Array.from([1, 2]).buffer);
  onmessage([3, 255]);
  expect(got).toEqual([1, 2, 3, 255]);
});

test("an error of the desktop passes unchanged, anything else becomes one", async () => {
  const error = { code: "reasonNeeded", message: "A reason is needed.", hint: null, retry: false, stepUp: null };
  answer = () => Promise.reject(error);
  expect(asError(await tauri().call("quit").catch((e: unknown) => e))).toEqual(error);
  expect(asError("not allowed by ACL").code).toBe("failed");
  expect(asError(new Error("x")).message).toBe("x");
});
