import Inbox from "@lucide/svelte/icons/inbox";
import ScrollText from "@lucide/svelte/icons/scroll-text";
import Server from "@lucide/svelte/icons/server";
import Cog from "@lucide/svelte/icons/settings";
import ShieldHalf from "@lucide/svelte/icons/shield-half";
import SquareTerminal from "@lucide/svelte/icons/square-terminal";
import UserSearch from "@lucide/svelte/icons/user-search";
import type { Component } from "svelte";
import * as audit from "../features/audit";
import * as clusters from "../features/clusters";
import * as posture from "../features/posture";
import * as reach from "../features/reach";
import * as requests from "../features/requests";
import * as sessions from "../features/sessions";
import * as settings from "../features/settings";
import * as terminals from "../features/terminals";
import type { Action } from "../shared/actions";
import type { Found } from "../shared/found";
import Audit from "./Audit.svelte";
import Clusters from "./Clusters.svelte";
import Posture from "./Posture.svelte";
import Requests from "./Requests.svelte";
import Sessions from "./Sessions.svelte";
import Settings from "./Settings.svelte";
import WhoCan from "./WhoCan.svelte";

export interface View {
  readonly id: string;
  readonly title: string;
  readonly icon: Component<{ class?: string }>;
  /** Its key, after `g`. */
  readonly key: string;
  readonly component: Component;
  /** At the foot of the rail: not what one works with. */
  readonly foot?: true;
  /** What can be done in it. */
  readonly actions?: readonly Action[];
  /** How many of what it shows want to be seen, their word, and whether they wait for this person. */
  readonly count?: { word: string; of: () => number; waits?: true };
  /** Forgets what belongs to whoever was signed in. */
  readonly forget?: () => void;
}

/** Every view, in the order of the rail. The first is home. */
export const VIEWS: readonly View[] = [
  { id: clusters.VIEW, title: "Clusters", icon: Server, key: "c", component: Clusters, actions: clusters.actions, forget: () => clusters.inventory.forget() },
  { id: sessions.VIEW, title: "Sessions", icon: SquareTerminal, key: "s", component: Sessions, actions: [...sessions.actions, ...terminals.actions], count: { word: "open", of: sessions.openCount } },
  { id: requests.VIEW, title: "Requests", icon: Inbox, key: "r", component: Requests, actions: requests.actions, count: { word: "yours to decide", of: requests.toDecide, waits: true }, forget: requests.forget },
  { id: reach.VIEW, title: "Who can", icon: UserSearch, key: "w", component: WhoCan, actions: reach.actions, forget: () => reach.reach.forget() },
  { id: audit.VIEW, title: "Audit", icon: ScrollText, key: "a", component: Audit, actions: audit.actions, forget: audit.forget },
  { id: posture.VIEW, title: "Posture", icon: ShieldHalf, key: "p", component: Posture, actions: posture.actions, forget: posture.forget },
  { id: "settings", title: "Settings", icon: Cog, key: ",", component: Settings, actions: settings.actions, foot: true },
];

/** What the palette looks in, in the order it answers. */
export const FINDERS: readonly ((query: string) => Found[])[] = [sessions.found, clusters.found, reach.found, posture.found];
