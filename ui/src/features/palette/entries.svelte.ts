import type { ClusterView } from "../../bindings/ipc";
import { host } from "../../host";
import { app, attempt, show } from "../../shared/app.svelte";
import { keyText, type KeyId } from "../../shared/keys";
import { click, leave } from "../../shared/opening";
import { index, search } from "../../shared/search";
import { count, namespacesText } from "../../shared/text";
import { inventory } from "../clusters/inventory.svelte";

export interface Entry {
  id: string;
  kind: "session" | "cluster" | "command";
  title: string;
  note: string;
  key?: string;
  cluster?: ClusterView;
  run: () => void;
}

const MOST = 40;

function commands(): Entry[] {
  const command = (id: string, title: string, run: () => void, key?: KeyId): Entry => ({
    id, kind: "command", title, note: "", run, ...(key ? { key: keyText(key, app.mac) } : {}),
  });
  const theme = app.state?.theme;
  const session = app.shown;
  return [
    ...(session?.state === "open" ? [command("leave", `Leave ${session.cluster}`, () => void leave(session.id), "leave")] : []),
    command("clusters", "Clusters", () => (app.view = "clusters"), "goClusters"),
    command("sessions", "Sessions", () => (app.view = "sessions"), "goSessions"),
    command("audit", "Audit", () => (app.view = "audit"), "goAudit"),
    command("help", "Keys", () => (app.dialog = "help"), "help"),
    ...(["dark", "light", "system"] as const).filter((t) => t !== theme).map((t) =>
      command(`theme-${t}`, `Theme: ${t}`, () => void attempt(host.call("theme_set", { theme: t })))),
    command("signOut", "Sign out", () => (app.dialog = "signOut")),
    command("quit", "Quit Sallyport", () => (app.dialog = "quit")),
  ];
}

function sessions(): Entry[] {
  return app.sessions.map((s) => ({
    id: `s:${s.id}`, kind: "session", title: s.cluster, note: `${s.state} · ${s.profile} · ${namespacesText(s.namespaces)}`, run: () => show(s.id),
  }));
}

export function wayText(cluster: ClusterView): string {
  const { way } = cluster;
  switch (way.kind) {
    case "open": return "show the session";
    case "oneClick": return `open ${way.profile}`;
    case "ask": return `ask · ${count(way.approvals, "approval")}`;
    case "notYours": return "not yours";
    case "unknown": return "not known yet";
  }
}

function ofCluster(cluster: ClusterView): Entry {
  return { id: `c:${cluster.name}`, kind: "cluster", title: cluster.name, note: wayText(cluster), cluster, run: () => void click(cluster) };
}

/** What the palette shows for a query: sessions, then clusters in the list's own ranking, then commands. */
export function entries(query: string): Entry[] {
  const few = (list: Entry[]) => search(index(list, (e) => e.title, (e) => e.note), query);
  const clusters = query.trim() === ""
    ? inventory.clusters.filter((c) => c.pinned || c.lastUsed !== null).sort((a, b) => Number(b.pinned) - Number(a.pinned) || (b.lastUsed ?? 0) - (a.lastUsed ?? 0)).slice(0, 8)
    : search(inventory.indexed, query, MOST);
  return [...few(sessions()), ...clusters.map(ofCluster), ...few(commands())];
}
