import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { circles, complaints } from "../tools/lint.mjs";

test("p24_markup_from_a_string_is_refused", () => {
  expect(complaints("shared/A.svelte", "{@html name}")).toHaveLength(1);
  expect(complaints("shared/a.ts", "element.innerHTML = name")).toHaveLength(1);
});
test("p23_only_the_host_reaches_tauri_and_nothing_reaches_the_network", () => {
  expect(complaints("shared/a.ts", 'import { invoke } from "@tauri-apps/api/core"')).toHaveLength(1);
  expect(complaints("host/a.ts", 'import { invoke } from "@tauri-apps/api/core"')).toEqual([]);
  expect(complaints("features/a.ts", 'fetch("https://example.test")')).toHaveLength(1);
});
test("tiers import downwards", () => {
  expect(complaints("shared/a.ts", 'import { x } from "../features/b"')).toHaveLength(1);
  expect(complaints("features/x/a.ts", 'import { x } from "../../views/b"')).toHaveLength(1);
  expect(complaints("views/a.ts", 'import { x } from "../features/b"')).toEqual([]);
});
test("shared knows nothing of the domain, and neither host nor desktop", () => {
  expect(complaints("shared/a.ts", "/** The keys of a session. */")).toHaveLength(1);
  expect(complaints("shared/a.ts", "export const signIn = 1;")).toHaveLength(1);
  expect(complaints("shared/a.ts", 'import { host } from "../host"')).toHaveLength(1);
  expect(complaints("shared/a.ts", 'import { mirror } from "../desktop/mirror.svelte"')).toHaveLength(1);
  expect(complaints("shared/a.ts", "/** Everything on the page. */")).toEqual([]);
  expect(complaints("desktop/a.ts", 'import { x } from "../features/b"')).toHaveLength(1);
});
test("nobody but its events writes the mirror", () => {
  for (const text of ["mirror.state = answer", "mirror.sessions  = []", "mirror.count += 1", "(mirror as Writable)", "host.listen(hear)", 'import { fold } from "../../desktop/fold"', 'import { type Told, first } from "../../desktop/fold"']) {
    expect(complaints("features/x/a.ts", text), text).toHaveLength(1);
    expect(complaints("desktop/mirror.svelte.ts", text.replace("../../", "./")), text).toEqual([]);
  }
  for (const text of ["if (mirror.state === null) return", "const now = mirror.state", "x = mirror.state == y", 'import type { Told } from "../../desktop/fold"', 'import { type Told } from "../../desktop/fold"']) {
    expect(complaints("features/x/a.ts", text), text).toEqual([]);
  }
});
test("nobody but go() writes the place, nobody but its functions the dialogs", () => {
  for (const [text, owner] of [["place.view = id", "place"], ["place.session ??= id", "place"], ["place as Where", "place"], ["dialogs.name = null", "dialogs"]]) {
    expect(complaints("views/A.svelte", text), text).toHaveLength(1);
    expect(complaints(`desktop/${owner}.svelte.ts`, text), text).toEqual([]);
  }
  expect(complaints("features/x/a.ts", "go({ view: id }); if (place.view === VIEW) return;")).toEqual([]);
});
test("no view is named but in the registry", () => {
  for (const text of ['if (place.view === "audit") x()', 'place.view !== "audit"', '"audit" === place.view', "switch (place.view) {"]) expect(complaints("features/x/a.ts", text), text).toHaveLength(1);
  expect(complaints("views/A.svelte", "{#if place.view === view.id}")).toEqual([]);
});
test("features import each other through their index only", () => {
  for (const from of ["features/a/x.ts", "views/A.svelte"]) {
    const up = from.startsWith("views") ? "../features" : "..";
    expect(complaints(from, `import { x } from "${up}/b/inner"`)).toHaveLength(1);
    expect(complaints(from, `import X from "${up}/b/X.svelte"`)).toHaveLength(1);
    expect(complaints(from, `import { x } from "${up}/b"`)).toEqual([]);
    expect(complaints(from, `import { x } from "${up}/b/index"`)).toEqual([]);
  }
  expect(complaints("features/a/x.ts", 'import { y } from "./y"')).toEqual([]);
  expect(complaints("features/a/x.ts", 'import { y } from "../a"')).toHaveLength(1);
});
test("no circles, of files or of features", () => {
  expect(circles({ "shared/a.ts": 'import { b } from "./b"', "shared/b.ts": 'export { a } from "./a"' })).toEqual(["a circle: shared/a.ts → shared/b.ts → shared/a.ts"]);
  expect(circles({ "shared/a.ts": 'import { b } from "./b.svelte"', "shared/b.svelte.ts": 'import { c } from "./c"', "shared/c.ts": "" })).toEqual([]);
  // No file of these imports itself again, but the features do.
  const features = {
    "features/a/index.ts": 'export { x } from "./x"', "features/a/x.ts": "", "features/a/y.ts": 'import { z } from "../b"',
    "features/b/index.ts": 'export { z } from "./z"', "features/b/z.ts": "", "features/b/w.ts": 'import { x } from "../a"',
  };
  expect(circles(features)).toEqual(["a circle: features/a → features/b → features/a"]);
});
test("our words", () => {
  expect(complaints("views/A.svelte", "<h3>Ways in</h3>".toLowerCase())).toHaveLength(1);
  expect(complaints("views/A.svelte", "<p>ServiceAccount removed</p>")).toEqual([]);
});

const { app } = JSON.parse(readFileSync(new URL("../../tauri.conf.json", import.meta.url), "utf8"));

test("p23_the_window_is_closed_to_everything_but_its_host", () => {
  const { csp, ...rest } = app.security;
  expect(rest).toEqual({});
  expect(readFileSync(new URL("../src/main.ts", import.meta.url), "utf8")).toContain("\nObject.freeze(Object.prototype);\n");
  expect(app.withGlobalTauri).toBe(false);
  expect(csp["default-src"]).toBe("'none'");
  expect(csp["script-src"]).toBe("'self'");
  expect(csp["connect-src"]).toBe("ipc: http://ipc.localhost");
  expect(JSON.stringify(csp)).not.toMatch(/unsafe-eval|\*|https:|wasm/);
  // Tauri would answer an inline style with a nonce, which switches 'unsafe-inline' off and leaves xterm unstyled.
  expect(readFileSync(new URL("../index.html", import.meta.url), "utf8")).not.toMatch(/<style|style=/);
});
test("a time that is shown otherwise is found", () => {
  const bad = [
    '<script lang="ts">import { written } from "../../shared/time";</script>',
    "<p>{new Date(at).toLocaleTimeString()}</p>",
    "<p>{new Date(at).toISOString()}</p>",
    "<p>{new Intl.DateTimeFormat().format(at)}</p>",
    "<p>{new Date(at).getHours()}</p>",
    "<p>{timeText(at)}</p>",
    "<p>{visible(rangeText(a, b))}</p>",
    "<p>{row.atUs}</p>",
    "<p>{session.endsAt / 1000}</p>",
    "<p>{applied.at}</p>",
  ];
  for (const text of bad) expect(complaints("features/x/A.svelte", text), text).toHaveLength(1);
  for (const text of ['<script lang="ts">import { clock, span } from "../../shared/time";</script>']) expect(complaints("features/x/A.svelte", text), text).toHaveLength(1);
  for (const text of ["<Time at={row.atUs / 1000} />", '<div aria-label={timeText(at)} title="Ends {timeText(at)}"></div>', "<p>{`Until ${timeText(at)} it goes on.`}</p>", "{#each all as one (one.atUs)}<p>{one.words}</p>{/each}"]) {
    expect(complaints("features/x/A.svelte", text), text).toEqual([]);
  }
});
