import type { RequestView } from "../../bindings/ipc";

/** The part of the team's requests that is looked at. */
export type Tab = "forMe" | "mine" | "team";

export const TABS: readonly { id: Tab; title: string }[] = [
  { id: "forMe", title: "For me" },
  { id: "mine", title: "Mine" },
  { id: "team", title: "Team" },
];

/** What waits for this person's yes or no, what is their own, or everything. */
export function inTab(request: RequestView, tab: Tab): boolean {
  if (tab === "team") return true;
  return tab === "mine" ? request.own : request.decide === "yes" || request.decide === "noOffer";
}

/** The narrowest tab that shows it. */
export function tabOf(request: RequestView): Tab {
  return TABS.find(({ id }) => inTab(request, id))?.id ?? "team";
}

/** How many each tab shows. */
export function counts(requests: readonly RequestView[]): Record<Tab, number> {
  const n = { forMe: 0, mine: 0, team: requests.length };
  for (const request of requests) for (const tab of ["forMe", "mine"] as const) if (inTab(request, tab)) n[tab] += 1;
  return n;
}
