import "@fontsource/ibm-plex-sans/400.css";
import "@fontsource/ibm-plex-sans/500.css";
import "@fontsource/ibm-plex-sans/600.css";
import "@fontsource/ibm-plex-mono/400.css";
import "@fontsource/ibm-plex-mono/500.css";
import "@xterm/xterm/css/xterm.css";
import "./shared/tokens.css";
import "./shared/base.css";
import { mount } from "svelte";
import App from "./views/App.svelte";

// Tauri's own `freezePrototype` comes before the page's code, and xterm gives a plain object a `toString` while it
// loads, which a frozen prototype forbids. Everything has loaded here, and nothing from outside has run yet.
Object.freeze(Object.prototype);

const target = document.getElementById("app");
if (target) mount(App, { target });
