import type { OfferView, Right } from "../../bindings/ipc";

/**
 * How a right of an offer stands beside what its requester has open. What is added is told in the same words as what is
 * offered, with less behind them where only a part is new: a right is open already only if nothing of its words is added.
 */
export function openAlready({ beside, adds }: OfferView, right: Right): string | null {
  if (beside.length === 0) return null;
  const added = adds.filter((one) => one.title === right.title);
  if (added.length === 0) return "open already";
  return added.some((one) => one.detail === right.detail && one.namespaces.join() === right.namespaces.join()) ? null : "partly open already";
}
