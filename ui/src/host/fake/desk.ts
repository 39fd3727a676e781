import type { WorkspacePreview } from "../../bindings/ipc";
import type { Handlers } from "./handlers";
import { failure } from "./sessions";
import type { World } from "./world";

/** The window itself, the workspace and who is signed in. */
export function desk(world: World) {
  const leaveAll = () => [...world.sessions.values()].forEach((s) => void s.close("left"));
  return {
    app_state: async () => {
      if (world.scene === "broken") throw failure("failed", "The history file could not be opened: it is locked by another Sallyport.", { hint: "Close the other window, then try again.", retry: true });
      return world.state;
    },
    theme_set: ({ theme }) => (world.change({ theme }), null),
    quit: async () => {
      leaveAll();
      await world.pause(800);
      return null;
    },
    workspace_preview: ({ text }) => preview(text),
    workspace_join: ({ text }) => {
      const seen = preview(text);
      return world.change({ phase: "signedOut", workspace: { name: seen.name, hubHost: seen.hubHost, issuer: seen.issuer, signsInAt: null, codeGoesTo: null } });
    },
    demo_workspace: async () => {
      void (async () => {
        for (const line of ["Starting etcd and the API servers", "Starting the identity provider", "Starting brokers and pods"]) {
          world.change({ demo: { kind: "starting", detail: line } });
          await world.pause(1500);
        }
        world.change({ demo: { kind: "running" }, phase: "signedOut", workspace: { name: "Demo", hubHost: "127.0.0.1:6443", issuer: "https://127.0.0.1:8443", signsInAt: null, codeGoesTo: null } });
      })();
      return world.state;
    },
    sign_in: async ({ step }) => (await world.signIn(step), world.state),
    sign_in_cancel: () => (world.change({ signIn: null }), null),
    sign_out: async () => {
      leaveAll();
      await world.endExport();
      return world.change({ phase: "signedOut", user: null });
    },
  } satisfies Partial<Handlers>;
}

function preview(text: string): WorkspacePreview {
  let file: { name?: unknown; hub?: { url?: unknown }; oidc?: { issuer?: unknown; clientId?: unknown } };
  try {
    file = JSON.parse(text);
  } catch {
    throw failure("badInput", "This is not a workspace file: it is not JSON.", { hint: "Ask your admin for the file again, and paste all of it." });
  }
  const url = String(file.hub?.url ?? "");
  if (!url.startsWith("https://")) throw failure("badInput", "The hub's address must begin with https://.");
  return { name: String(file.name ?? ""), hubHost: url.slice(8), hubCaFingerprint: "9F:12:7C:44:0A:BE:61:5D:88:E3:21:90:4B:7D:C6:F5:13:2A:99:0E:5C:71:D8:34:AB:6F:02:EE:41:97:B0:3D", issuer: String(file.oidc?.issuer ?? ""), clientId: String(file.oidc?.clientId ?? ""), scopes: ["openid", "email", "groups"], issuerCaFingerprint: null, redirectAddresses: ["http://127.0.0.1/callback/5f1c0a9e3b7d42860c1e9f5a7b3d2e64"], clientAuthenticates: false, extraAudiences: [], replaces: null };
}
