import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// `--mode fake` builds the window against the scripted host of src/host/fake: for tests and pictures, never shipped.
export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  define: { __FAKE__: JSON.stringify(mode === "fake") },
  build: {
    target: "safari16.4",
    // A font inlined as data: would need a wider CSP.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 900,
  },
  server: { host: "127.0.0.1" },
}));
