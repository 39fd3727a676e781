import Bot from "@lucide/svelte/icons/bot";
import Box from "@lucide/svelte/icons/box";
import Crown from "@lucide/svelte/icons/crown";
import KeyRound from "@lucide/svelte/icons/key-round";
import Lock from "@lucide/svelte/icons/lock";
import Server from "@lucide/svelte/icons/server";
import UserRound from "@lucide/svelte/icons/user-round";
import Users from "@lucide/svelte/icons/users";
import type { Component } from "svelte";

type Icon = Component<{ class?: string }>;

/** What stands at a step of a path, by its words: a ServiceAccount, pods, a node, a Secret, people, or everything. */
export function iconOf(text: string, isEnd: boolean): { icon: Icon; tone: string } {
  if (isEnd) return { icon: Crown, tone: "dg" };
  if (/service ?account/i.test(text)) return { icon: Bot, tone: "wt" };
  if (/\bpods?\b/i.test(text)) return { icon: Box, tone: "wt" };
  if (/\bnodes?\b/i.test(text)) return { icon: Server, tone: "wt" };
  if (/\bsecrets?\b/i.test(text)) return { icon: Lock, tone: "wt" };
  if (/\b(cluster)?roles?\b/i.test(text)) return { icon: KeyRound, tone: "wt" };
  return { icon: /^user\b/i.test(text) ? UserRound : Users, tone: "nf" };
}
