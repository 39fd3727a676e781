import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { World } from "../src/host/fake/world";
import { at } from "./window";

const { inventory } = await at(() => import("../src/features/clusters/inventory.svelte"));
const { mirror } = await at(() => import("../src/desktop/mirror.svelte"));
const { press, rest, touch } = await at(() => import("../src/features/clusters/rest"));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.advanceTimersByTime(10_000);
  vi.useRealTimers();
});

/** Whether rows may change places by now. */
function resting(): () => boolean {
  let done = false;
  void rest().then(() => (done = true));
  return () => done;
}

test("rows stay while the pointer moves, but only for so long", async () => {
  touch();
  const short = resting();
  await vi.advanceTimersByTimeAsync(390);
  expect(short()).toBe(false);
  await vi.advanceTimersByTimeAsync(60);
  expect(short()).toBe(true);
  const long = resting();
  for (let ms = 0; ms < 1600; ms += 50) {
    touch();
    await vi.advanceTimersByTimeAsync(50);
  }
  expect(long()).toBe(true);
});
test("no row moves between a press and its click, or between two clicks, however long is waited", async () => {
  touch();
  press();
  const waits = resting();
  for (let ms = 0; ms < 3000; ms += 50) {
    touch();
    if (ms % 300 === 0) press();
    await vi.advanceTimersByTimeAsync(50);
    expect(waits()).toBe(false);
  }
  await vi.advanceTimersByTimeAsync(450);
  expect(waits()).toBe(true);
});
test("whoever comes back finds the rows where they stay, however short ago they pointed at one; later they wait", async () => {
  await mirror.start();
  const loading = inventory.load();
  await vi.advanceTimersByTimeAsync(100);
  await loading;
  const { world } = (globalThis as unknown as { sallyportFake: { world: World } }).sallyportFake;
  const firsts = () => inventory.items.slice(0, 3).map((item) => item.id);
  const before = firsts();
  expect(before[0]).toBe("pinned");
  world.open({ cluster: "ledger-us-1" });
  await vi.advanceTimersByTimeAsync(10);
  touch();
  press();
  inventory.arrange(true);
  expect(firsts()).toEqual(["open", "ledger-us-1", "pinned"]);
  world.open({ cluster: "search-ap-1" });
  await vi.advanceTimersByTimeAsync(10);
  inventory.arrange(false);
  await vi.advanceTimersByTimeAsync(300);
  expect(firsts()).toEqual(["open", "ledger-us-1", "pinned"]);
  await vi.advanceTimersByTimeAsync(200);
  expect(firsts()).toEqual(["open", "ledger-us-1", "search-ap-1"]);
  world.open({ cluster: "sandbox-12" });
  await vi.advanceTimersByTimeAsync(10);
  touch();
  inventory.arrange(false)();
  await vi.advanceTimersByTimeAsync(2000);
  expect(inventory.items.slice(0, 4).map((item) => item.id)).toEqual(["open", "ledger-us-1", "search-ap-1", "pinned"]);
});
