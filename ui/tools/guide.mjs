// The pictures of docs/guide, from the window on the scripted host: `npm run guide`.
import { fileURLToPath } from "node:url";
import { pictured } from "./picture.mjs";

/** The pictures by name, each with its scene. */
export const PICTURES = { clusters: "clusters", requests: "requests", less: "requests-less", "who-can": "who-can-where", hold: "hold" };

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = (name) => fileURLToPath(new URL(`../../docs/guide/pictures/${name}.webp`, import.meta.url));
  const failed = await pictured(Object.entries(PICTURES).map(([name, scene]) => ({ scene, theme: "dark", width: 1280, height: 800, path: path(name) })));
  process.exitCode = failed > 0 ? 1 : 0;
}
