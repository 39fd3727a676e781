// What neither TypeScript nor Svelte checks: who may import whom, no markup from strings, no older Svelte, our words.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../src", import.meta.url));
const TIERS = ["bindings", "host", "shared", "features", "views"];
const LINES = 250;

const RULES = [
  [/\{@html/, "{@html} would show a cluster's text as markup (P24)"],
  [/\.(innerHTML|outerHTML)\b|insertAdjacentHTML|document\.write/, "markup from a string (P24)"],
  [/\beval\(|new Function\(/, "code from a string"],
  [/\bexport let\b|^\s*\$:|\son:[a-z]+=|<slot\b|createEventDispatcher/m, "Svelte 4; this window is written with runes"],
  [/\bfetch\(|XMLHttpRequest|WebSocket\(|EventSource\(/, "the window talks to nothing but its host"],
  [/localStorage|sessionStorage|indexedDB/, "the window keeps nothing; ask the host"],
];
// The words of the product have no synonyms. `Icon` names and comments are not on screen, text in components is.
const WORDS = /\b(ways? in|visits?|[Aa]ccounts?|tickets? out)\b/;

/** Every complaint about one file. */
export function complaints(path, text) {
  const found = [];
  const tier = TIERS.indexOf(path.split("/")[0]);
  for (const [pattern, why] of RULES) if (pattern.test(text)) found.push(`${path}: ${why}`);
  if (text.includes("@tauri-apps/") && tier !== 1) found.push(`${path}: only host imports @tauri-apps`);
  if (text.split("\n").length > LINES && tier > 0) found.push(`${path}: more than ${LINES} lines`);
  for (const [, from] of text.matchAll(/(?:from|import)\s+["'](\.[^"']+)["']/g)) {
    const other = TIERS.indexOf(relative(SRC, resolve(SRC, dirname(path), from)).split("/")[0]);
    if (tier >= 0 && other > Math.max(tier, 1)) found.push(`${path}: ${TIERS[tier]} may not import ${TIERS[other]}`);
    if (tier === 0 && other !== 0) found.push(`${path}: bindings import nothing`);
  }
  if (path.endsWith(".svelte")) {
    const seen = text.replace(/<script[\s\S]*?<\/script>|<style[\s\S]*?<\/style>|<!--[\s\S]*?-->/g, "");
    const word = WORDS.exec(seen);
    if (word) found.push(`${path}: “${word[0]}” is not one of our words`);
  }
  return found;
}

function files(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = files(SRC).filter((p) => /\.(ts|svelte|css)$/.test(p)).flatMap((p) => complaints(relative(SRC, p), readFileSync(p, "utf8")));
  for (const line of found) console.error(line);
  process.exitCode = found.length > 0 ? 1 : 0;
}
