// Builds the window against the fake host into a temporary folder and serves it as Tauri would: under the same CSP.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const UI = fileURLToPath(new URL("..", import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2", ".woff": "font/woff", ".svg": "image/svg+xml" };

/** The CSP of tauri.conf.json as one header. */
export function csp() {
  const { csp } = JSON.parse(readFileSync(join(UI, "../tauri.conf.json"), "utf8")).app.security;
  return Object.entries(csp).map(([name, value]) => `${name} ${value}`).join("; ");
}

/** Builds and serves; `stop` closes the port and removes the folder. */
export async function serve() {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-ui-"));
  execFileSync("npx", ["vite", "build", "--mode", "fake", "--outDir", folder, "--emptyOutDir", "--logLevel", "warn"], { cwd: UI, stdio: "inherit" });
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    try {
      const body = readFileSync(join(folder, path === "/" ? "index.html" : path));
      // What has a digest in its name is read once by each browser, as from the binary.
      const cached = path.startsWith("/assets/") ? { "cache-control": "max-age=3600, immutable" } : {};
      response.writeHead(200, { ...cached, "content-type": TYPES[extname(path === "/" ? ".html" : path)] ?? "text/html; charset=utf-8", "content-security-policy": csp() });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  // Also when the run is broken off: nothing is left behind.
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    rmSync(folder, { recursive: true, force: true });
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, folder, stop };
}
