import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [svelte()],
  define: { __FAKE__: "true" },
  test: { include: ["tests/*.test.{ts,mjs}", "src/host/*.test.ts"], environment: "node", testTimeout: 60_000 },
});
