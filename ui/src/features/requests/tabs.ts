import type { RequestView } from "../../bindings/ipc";

/** The part of the team's requests that is looked at, or what is held. */
export type Tab = "forMe" | "mine" | "team" | "held";

export const TABS: readonly { id: Tab; title: string }[] = [
  { id: "forMe", title: "For me" },
  { id: "mine", title: "Mine" },
  { id: "team", title: "Team" },
  { id: "held", title: "Held" },
];

/** What is or may become this person's to decide, what is their own, or everything. */
export function inTab({ own, decide }: RequestView, tab: Tab): boolean {
  if (tab === "team" || tab === "held") return tab === "team";
  return tab === "mine" ? own : decide === "yes" || decide === "noOffer" || decide === "notKnown" || decide === "unsound";
}

/** It waits for this person's yes or no now: the desktop counts the same for the rail. */
export function waitsForMe({ decide }: RequestView): boolean {
  return decide === "yes";
}

/** The narrowest tab that shows it. */
export function tabOf(request: RequestView): Tab {
  return TABS.find(({ id }) => inTab(request, id))?.id ?? "team";
}

/** The number at each tab: what waits for this person, is their own, or is there at all. What is held is no request. */
export function counts(requests: readonly RequestView[]): Record<Exclude<Tab, "held">, number> {
  const n = { forMe: 0, mine: 0, team: requests.length };
  for (const request of requests) {
    if (waitsForMe(request)) n.forMe += 1;
    if (inTab(request, "mine")) n.mine += 1;
  }
  return n;
}
