// What neither TypeScript nor Svelte checks: who may import whom, who may write what, no circles, no markup from
// strings, no older Svelte, our words.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../src", import.meta.url));
const TIERS = ["bindings", "host", "shared", "desktop", "features", "views"];
const LINES = 250;

const RULES = [
  [/\{@html/, "{@html} would show a cluster's text as markup (P24)"],
  [/\.(innerHTML|outerHTML)\b|insertAdjacentHTML|document\.write/, "markup from a string (P24)"],
  [/\beval\(|new Function\(/, "code from a string"],
  [/\bexport let\b|^\s*\$:|\son:[a-z]+=|<slot\b|createEventDispatcher/m, "Svelte 4; this window is written with runes"],
  [/\bfetch\(|XMLHttpRequest|WebSocket\(|EventSource\(/, "the window talks to nothing but its host"],
  [/localStorage|sessionStorage|indexedDB/, "the window keeps nothing; ask the host"],
];
// Each thing that everybody reads has one owner that writes it. What is private to its file needs no rule here.
const OWNED = [
  [/\bmirror\s*(\.\w+\s*([-+|&?*]{0,2}=(?!=)|\+\+|--)|as\b)/, "desktop/mirror.svelte.ts", "only events write the mirror"],
  [/\bhost\s*\.\s*listen\(/, "desktop/mirror.svelte.ts", "only the mirror hears events; use mirror.heard"],
  [/import\s+\{[^}]*\b(?<!type )(fold|first)\b[^}]*\}\s+from\s+"[^"]*\/fold"/, "desktop/mirror.svelte.ts", "only the mirror folds events"],
  [/\bplace\s*(\.\w+\s*([-+|&?*]{0,2}=(?!=)|\+\+|--)|as\b)/, "desktop/place.svelte.ts", "only go() writes the place"],
  [/\bdialogs\s*(\.\w+\s*([-+|&?*]{0,2}=(?!=)|\+\+|--)|as\b)/, "desktop/dialogs.svelte.ts", "only openDialog() and closeDialog() write the dialogs"],
];
// What a view is called stands in views/views.ts; a feature may ask for its own by a constant.
const VIEW_NAMED = /\bview\s*[!=]==?\s*["'`]|["'`]\s*[!=]==?\s*[\w.]*\bview\b|switch\s*\([^)]*\bview\b/;
// A moment is shown in the viewer's zone with UTC beside, everywhere: what writes it otherwise is in shared/time alone.
const OWN_TIME = /Intl\.DateTimeFormat|toLocale(Date|Time)?String\(|toISOString|getTimezoneOffset|\.get(UTC)?(Hours|Minutes|Seconds|Date|Day|Month|FullYear)\(/;
const RAW_TIME = /import\s+\{[^}]*\b(written|clock|day|machineTime)\b[^}]*\}\s+from\s+"[^"]*\/time"/;
const TIME_TEXT = /\b(timeText|rangeText)\(/;
const UNSHOWN_TIME = /\{[^{}]*?\b(\w+(At|Us|At \/ 1000|Us \/ 1000)|\w+\.at)\}/;
// What is shared knows nothing of what this window is about.
const DOMAIN = /\b(sessions?|clusters?|sign(ing|ed)?[- ]?in|audits?|brokers?|hubs?|grants?|profiles?|namespaces?|leave|leaving)\b/i;
// The words of the product have no synonyms. `Icon` names and comments are not on screen, text in components is.
const WORDS = /\b(ways? in|visits?|[Aa]ccounts?|tickets? out)\b/;

/** Every complaint about one file. */
export function complaints(path, text) {
  const found = [];
  const tier = TIERS.indexOf(path.split("/")[0]);
  for (const [pattern, why] of RULES) if (pattern.test(text)) found.push(`${path}: ${why}`);
  if (text.includes("@tauri-apps/") && tier !== 1) found.push(`${path}: only host imports @tauri-apps`);
  if (text.split("\n").length > LINES && tier > 0) found.push(`${path}: more than ${LINES} lines`);
  for (const [pattern, owner, why] of OWNED) if (path !== owner && pattern.test(text)) found.push(`${path}: ${why}`);
  if (VIEW_NAMED.test(text)) found.push(`${path}: names a view; that is for views/views.ts`);
  const domain = tier === 2 ? DOMAIN.exec(text) : null;
  if (domain) found.push(`${path}: “${domain[0]}” is for the desktop or a feature, not for shared`);
  if (tier >= 2 && !path.startsWith("shared/time.")) {
    if (OWN_TIME.test(text)) found.push(`${path}: writes a time by itself; shared/time.ts and Time.svelte do, with UTC beside`);
    if (path !== "shared/Time.svelte" && path !== "shared/TimeRange.svelte" && RAW_TIME.test(text)) found.push(`${path}: a time without UTC; use Time.svelte, or timeText in a sentence`);
  }
  for (const to of imports(path, text)) {
    const other = TIERS.indexOf(to.split("/")[0]);
    if (tier >= 0 && other > Math.max(tier, 1)) found.push(`${path}: ${TIERS[tier]} may not import ${TIERS[other]}`);
    if (tier === 0 && other !== 0) found.push(`${path}: bindings import nothing`);
    if (tier === 2 && other === 1) found.push(`${path}: shared may not import host`);
    const [folder, feature, file] = to.split("/");
    const own = folder === "features" && path.startsWith(`features/${feature}/`);
    if (folder === "features" && !own && file !== undefined && !/^index(\.ts)?$/.test(file)) found.push(`${path}: imports ${to}; of a feature only its index.ts is for others`);
    if (own && file === undefined) found.push(`${path}: imports its own index.ts`);
  }
  if (path.endsWith(".svelte")) {
    const seen = text.replace(/<script[\s\S]*?<\/script>|<style[\s\S]*?<\/style>|<!--[\s\S]*?-->/g, "");
    const written = seen.replace(/[\w:-]+=("[^"]*"|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})/g, "").replace(/\{[#:@/](?:[^{}]|\{[^{}]*\})*\}/g, "");
    if (tier > 2 && UNSHOWN_TIME.test(written)) found.push(`${path}: a moment as a number; use Time.svelte`);
    if (tier > 2 && TIME_TEXT.test(written.replace(/\{(?:[^{}]|\{[^{}]*\})*`(?:[^{}]|\{[^{}]*\})*\}/g, ""))) found.push(`${path}: a moment that stands alone is a Time, which machines read too`);
    const word = WORDS.exec(seen);
    if (word) found.push(`${path}: “${word[0]}” is not one of our words`);
  }
  return found;
}

/** What a file imports of this window, as paths under src. */
function imports(path, text) {
  return [...text.matchAll(/(?:from|import\()\s*["'](\.[^"']+)["']|^\s*import\s+["'](\.[^"']+)["']/gm)].map(([, a, b]) => relative(SRC, resolve(SRC, dirname(path), a ?? b)));
}

/** Every circle among files, and among features: `sources` is texts by path. */
export function circles(sources) {
  const paths = new Set(Object.keys(sources));
  const found = (to) => [to, `${to}.ts`, `${to}/index.ts`].find((one) => paths.has(one));
  const files = new Map();
  const features = new Map();
  for (const [path, text] of Object.entries(sources)) {
    const to = imports(path, text).map(found).filter(Boolean);
    files.set(path, to);
    const own = featureOf(path);
    if (own) features.set(own, [...(features.get(own) ?? []), ...to.map(featureOf).filter((other) => other && other !== own)]);
  }
  return [...around(files), ...around(features)].map((way) => `a circle: ${way.join(" → ")}`);
}

const featureOf = (path) => /^features\/[^/]+/.exec(path)?.[0];

// Each circle that a walk into the depth meets, once.
function around(edges) {
  const [done, way, met] = [new Set(), [], []];
  const walk = (at) => {
    const begin = way.indexOf(at);
    if (begin >= 0) return void met.push([...way.slice(begin), at]);
    if (done.has(at)) return;
    way.push(at);
    for (const to of new Set(edges.get(at) ?? [])) walk(to);
    way.pop();
    done.add(at);
  };
  for (const at of edges.keys()) walk(at);
  return met;
}

function files(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sources = Object.fromEntries(files(SRC).filter((p) => /\.(ts|svelte|css)$/.test(p)).map((p) => [relative(SRC, p), readFileSync(p, "utf8")]));
  const found = [...Object.entries(sources).flatMap(([path, text]) => complaints(path, text)), ...circles(sources)];
  for (const line of found) console.error(line);
  process.exitCode = found.length > 0 ? 1 : 0;
}
