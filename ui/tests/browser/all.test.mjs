// The window in headless Chromium against the scripted host, under the CSP of tauri.conf.json.
import "./flows.mjs";
import "./keys.mjs";
import "./terminals.mjs";
import "./audit.mjs";
import "./settings.mjs";
import "./whole.mjs";
