import type { Kept } from "../../bindings/ipc";
import type { Handlers } from "./handlers";
import { failure } from "./sessions";
import type { World } from "./world";

/** What was chosen for this desktop, and what it keeps where. */
export function settings(world: World) {
  if (world.scene === "noShells") world.shells = [];
  return {
    font_size_set: ({ size }) => (world.change({ fontSize: Math.min(24, Math.max(9, size)) }), null),
    shell_set: ({ path }) => {
      if (path !== null && !world.shells.some((shell) => shell.path === path)) {
        throw failure("badInput", `${path} is not among this machine's shells`, { hint: "Choose one of the list; whoever looks after this machine can add one to /etc/shells." });
      }
      world.shell = path;
      return null;
    },
    default_duration_set: ({ seconds }) => {
      if (world.scene === "notTaken") throw failure("failed", "the default duration could not be remembered", { hint: "It holds until Sallyport ends. Check that the disk is not full." });
      world.change({ defaultSeconds: seconds });
      return null;
    },
    paste_set: ({ asks }) => (world.change({ paste: asks }), null),
    notifications_set: ({ chosen }) => {
      if (world.scene === "notTaken") throw failure("failed", "what is told could not be remembered", { hint: "It holds until Sallyport ends. Check that the disk is not full." });
      world.notifications = chosen;
      return null;
    },
    settings: async () => {
      if (world.scene === "settingsLoading") return new Promise<never>(() => {});
      if (world.scene === "settingsFail") throw failure("failed", "The preferences could not be read: the disk does not answer.", { hint: "Check the disk, then try again.", retry: true });
      await world.pause(30);
      return { shell: world.shell, ownShell: "/usr/bin/zsh", shells: world.shells, notifications: world.notifications, notificationsTrouble: world.notificationsTrouble, kept: kept(world) };
    },
  } satisfies Partial<Handlers>;
}

function kept({ scene, state }: World): Kept[] {
  const home = scene === "longPaths" ? "/net/fileserver-17.corp.example.test/export/home/departments/platform-engineering/\u202edev.user" : "/home/dev";
  const data = `${home}/.local/share/sallyport`;
  const keyring = state.vault.kind === "keyring";
  return [
    { what: "History", place: data, how: `Every step and every call, chained ${keyring ? "with a key from the keyring" : "without a key"}; secrets are taken out before they are written.` },
    { what: "Recordings", place: `${data}/recordings`, how: `What terminals showed where a profile has that recorded, ${keyring ? "encrypted" : "not encrypted for want of a keyring"}, secrets too; for 90 days and 4 GiB.` },
    { what: "Sign-in", place: keyring ? data : null, how: keyring ? "Encrypted; its key is in this desktop's keyring." : "In memory until Sallyport ends: there is no keyring to keep its key." },
    { what: "Session tokens", place: null, how: "In memory while the session is open, and nowhere else." },
    { what: "Private kubeconfigs", place: "/run/user/1000/sallyport", how: "One for each open session, for you alone; removed when it ends. They hold no token." },
    { what: "Team", place: `${home}/.config/sallyport`, how: "The workspace file, the hubs that were ever joined, and who signed in last." },
    { what: "Preferences", place: data, how: "Pins, recents, the last reason (8 hours), each cluster's port, who could ask for what when you last marked it as seen, these settings, and what a support bundle's other names are made with." },
    { what: "What kubectl learned", place: `${data}/kubectl-cache`, how: "The APIs of clusters that were open, each apart from the others. No object of theirs." },
  ];
}
