import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { complaints } from "../tools/lint.mjs";

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
