import type { HeatRow } from "../../bindings/ipc";

/** Ninety clusters, each with its own noise: the same at every start. */
export function fleet(days: number): HeatRow[] {
  let seed = 7;
  const next = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
  return Array.from({ length: 90 }, (_, n) => {
    const loud = 10 ** (next() * 6);
    const day = () => {
      const calls = next() < 0.06 ? 0 : Math.floor(loud * (0.4 + next()));
      const denied = next() < 0.12 ? Math.floor(calls * next() * 0.2) : 0;
      return { calls, writes: Math.floor(calls * 0.07), denied, failed: denied + Math.floor(calls * 0.01) };
    };
    const name = n === 41 ? `prod-\u202e-${"very-long-".repeat(6)}name` : `${["prod", "stage", "dev"][n % 3]}-${["eu", "us", "ap"][Math.floor(n / 3) % 3]}-${n + 1}`;
    return { cluster: name, days: Array.from({ length: days }, day) };
  }).sort((a, b) => a.cluster.localeCompare(b.cluster));
}
