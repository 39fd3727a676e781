import type { UseView } from "../../bindings/ipc";
import { NOTHING } from "./evidence";

const NAME = "Name its audit log as a source in Audit (S there), let it be read, and ask again. `sallyport audit policy` says what an API server has to write.";

/** What somebody was seen to use, by logs that never were. */
export function used(scene: string, cluster: string, subject: string | null): UseView {
  const none: UseView = { subject, why: null, next: null, calls: 0, refused: 0, firstUs: null, lastUs: null, reachFromUs: null, reachToUs: null, held: [], heldMore: 0, role: [], roleRules: 0, difference: [], dangers: [], notKnown: [], lacks: NOTHING };
  if (scene === "postureUsedNone") return { ...none, why: `No audit log of ${cluster} was read on this desktop.`, next: NAME };
  if (scene === "postureUsedGroup") return { ...none, why: "It is held by a group. An audit log tells who called and in which groups they were; what is kept of it here tells who called.", next: "Ask for its people one by one: `sallyport audit propose --person NAME` says what each used." };
  const now = Date.now() * 1000;
  const reach = { reachFromUs: now - 30 * 86_400e6, reachToUs: now - 60e6 };
  const notKnown = ["What is done less often than these logs reach back is not in it, nor is what failed elsewhere first.", "The policy told these calls at the levels Metadata 408; at None it told nothing, and nobody knows of what."];
  const held = { binding: "ClusterRoleBinding deployer", role: "ClusterRole deployer", used: [], usedMore: 0, unused: ["any verb on secrets", "bind clusterroles.rbac.authorization.k8s.io"], unusedMore: 21, tooLarge: 0 };
  const gone = ["# ClusterRoleBinding deployer gives ClusterRole deployer everywhere", "-- apiGroups: [\"\"]", "-  resources: [secrets]", "-  verbs: [\"*\"]"];
  if (scene === "postureUsedNothing") return { ...none, ...reach, notKnown, held: [held], difference: gone, why: "Nothing that a role gives was seen to be used, as far as this log was read: there is no role to propose.", next: "Where the log reaches back over all that they do now and then, the grant may go: the fix says how." };
  return {
    ...none, ...reach, notKnown, calls: 412, refused: 3, firstUs: now - 26 * 86_400e6, lastUs: now - 3_600e6, roleRules: 2,
    held: [{ ...held, used: ["get deployments.apps", "patch deployments.apps", "get secrets named broker-tls\u202e"] }],
    role: ["apiVersion: rbac.authorization.k8s.io/v1", "kind: Role", "metadata:", "  name: proposed-deployer", "  namespace: ci", "rules:", "- apiGroups: [\"\"]", "  resources: [secrets]", "  resourceNames: [broker-tls]", "  verbs: [get]", "- apiGroups: [apps]", "  resources: [deployments]", "  verbs: [get, patch]"],
    difference: [...gone, "# instead, in ci", "+- apiGroups: [\"\"]", "+  resources: [secrets]", "+  resourceNames: [broker-tls]", "+  verbs: [get]", "+- apiGroups: [apps]", "+  resources: [deployments]", "+  verbs: [get, patch]"],
    dangers: ["get on secrets in ci: reads what is secret"],
    lacks: scene === "postureUsedPart" ? { isCut: true, damaged: 12, unreadFiles: 0, why: null, stores: [] } : NOTHING,
  };
}
