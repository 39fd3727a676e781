import type { BundleView } from "../../bindings/ipc";
import type { Handlers } from "./handlers";
import { failure } from "./sessions";
import type { World } from "./world";

/** The support bundle: what would be written, and what was. */
export function support(world: World) {
  let shown: BundleView | null = null;
  let made = 0;
  const taken = new Set(["/home/dev/taken.tar.gz"]);
  return {
    support_preview: async ({ names }) => {
      if (world.scene === "supportLoading") return new Promise<never>(() => {});
      if (world.scene === "supportFails") throw failure("failed", "the support bundle could not be made", { hint: "Check that the disk is not full, then try again.", retry: true });
      await world.pause(60);
      return (shown = bundle(`fake-bundle-${++made}`, names));
    },
    support_write: async ({ bundle, place }) => {
      await world.pause(60);
      if (shown?.id !== bundle) throw failure("badInput", "this bundle is not the one that was shown last", { hint: "Look at the new one; what you see is what is written." });
      if (!place.endsWith(".tar.gz")) throw failure("badInput", "the place does not end in the name of an archive", { hint: "Let it end in a name like support.tar.gz." });
      if (taken.has(place)) throw failure("badInput", `there is something at ${place} already`, { hint: "Name another file; nothing is written over." });
      taken.add(place);
      world.bundles.push({ place, view: shown });
      world.log("support_bundle", `Support bundle written, ${shown.files.length} files`);
      return place;
    },
  } satisfies Partial<Handlers>;
}

function bundle(id: string, names: boolean): BundleView {
  const [who, where] = names ? ["oidc:dev@example.test", "payments-eu-1"] : ["person-3kq7x2ab", "cluster-7m2qd5xo"];
  const log = Array.from({ length: 120 }, (_, i) => `2026-11-29T12:${String(Math.floor(i / 60)).padStart(2, "0")}:${String(i % 60).padStart(2, "0")}.104211Z  INFO sallyport_app::inventory: the watch of ${where} goes on`);
  log.push(
    `2026-11-29T12:02:00.104211Z  WARN sallyport_app::desk::error: code=Unreachable the broker of ${where} did not answer within 10 s`,
    "2026-11-29T12:02:01.230001Z  WARN sallyport_app::desk::error: code=Failed the provider said: Authorization: [redacted]",
    "[left out: something in this line looks like a secret]",
    `2026-11-29T12:02:02.000000Z  WARN sallyport_hub: ${"a-line-that-goes-on-and-on-".repeat(12)}⟨U+202E⟩ end`,
  );
  const files = [
    { name: "about.txt", lines: ["version: 0.1.0", "platform: linux x86_64", "XDG_SESSION_TYPE: wayland"] },
    { name: "settings.txt", lines: ["theme: System", "text size: 13 px", "default duration: as last time", "paste is asked about: SeveralLines"] },
    { name: "workspace.txt", lines: ["phase: Ready", "hub: hub.example.test:6443", "issuer: https://id.example.test/realms/platform", `signed in: ${who}`, "requests known: 11, to decide: 5"] },
    { name: "health.txt", lines: ["vault: keyring", "hub: Live, 62 s ago", "gateway: takes calls", "history: Verified, 1400 entries, 1 gaps, checked in 12 ms"] },
    { name: "clusters.txt", lines: ["known: 2000, as of 1 s ago", `${where}: Prod, Kubernetes v1.36.4, broker 0.1.0 seen 4 s ago`] },
    { name: "sessions.txt", lines: ["nothing"] },
    { name: "errors.txt", lines: ["2026-11-29 12:02:00 UTC session_open: Unreachable"] },
    { name: "log.txt", lines: log },
  ];
  const readme = { name: "README.txt", lines: ["Sallyport support bundle of 2026-11-29 12:02:03 UTC", "", "It holds no token, key or kubeconfig, nothing of what was typed or called, and none of the reasons people gave.", ...files.map((file) => `${file.name} (${file.lines.length} lines)`)] };
  return { id, files: [readme, ...files], place: "/home/dev/sallyport-support-20261129-120203.tar.gz", redactions: 2 };
}
