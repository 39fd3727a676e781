import { beforeEach, expect, test, vi } from "vitest";
import type { SealView } from "../src/bindings/ipc";
import { at } from "./window";

const { host } = await at(() => import("../src/host"));
const { sealing } = await import("../src/features/audit/sealing.svelte");

const view = (over: Partial<SealView> = {}): SealView => ({ fingerprint: "aa".repeat(32), since: 1, former: null, until: 10, entries: 10, isHandingOver: false, ...over });

/** A desktop that answers so, and what it was asked. */
function desktop(answers: { seal: () => SealView; renew?: () => Promise<SealView> }) {
  const asked: [string, unknown][] = [];
  vi.spyOn(host, "call").mockImplementation((async (name: string, args: unknown) => {
    asked.push([name, args]);
    await Promise.resolve();
    return name === "audit_seal" ? answers.seal() : answers.renew?.();
  }) as typeof host.call);
  return asked;
}

beforeEach(() => {
  vi.restoreAllMocks();
  sealing.forget();
});

test("a key is replaced after it was said what that means, and the one that was shown", async () => {
  const next = view({ fingerprint: "bb".repeat(32), former: "aa".repeat(32) });
  const asked = desktop({ seal: view, renew: () => Promise.resolve(next) });
  await sealing.load();
  await sealing.renew();
  expect([asked.length, sealing.asked]).toEqual([1, true]);
  const once = sealing.renew();
  void sealing.renew();
  await once;
  expect(asked.slice(1)).toEqual([["audit_seal_renew", { fingerprint: "aa".repeat(32) }]]);
  expect([sealing.view, sealing.asked, sealing.busy, sealing.error]).toEqual([next, false, false, null]);
});

test("where it does not work, what is so by then is looked at, and the reason stays", async () => {
  let now = view();
  desktop({ seal: () => now, renew: () => { now = view({ isHandingOver: true, until: 7 }); return Promise.reject({ code: "failed", message: "the disk did not take it", hint: null, retry: false }); } });
  await sealing.load();
  await sealing.renew();
  await sealing.renew();
  expect(sealing.error?.message).toBe("the disk did not take it");
  expect([sealing.view?.isHandingOver, sealing.may, sealing.asked]).toEqual([true, false, false]);
});

test("nothing is replaced where nothing is sealed, or one is still handing over", async () => {
  for (const of of [view({ fingerprint: null }), view({ isHandingOver: true })]) {
    const asked = desktop({ seal: () => of });
    await sealing.load();
    await sealing.renew();
    await sealing.renew();
    expect([asked.length, sealing.asked]).toEqual([1, false]);
    vi.restoreAllMocks();
  }
});

test("whoever signs out meanwhile finds nothing of it on screen", async () => {
  let answer: (view: SealView) => void = () => {};
  desktop({ seal: view, renew: () => new Promise((done) => { answer = done; }) });
  await sealing.load();
  await sealing.renew();
  const renewing = sealing.renew();
  await Promise.resolve();
  await Promise.resolve();
  sealing.forget();
  answer(view({ fingerprint: "bb".repeat(32) }));
  await renewing;
  expect(sealing.view).toBeNull();
});
