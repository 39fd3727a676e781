// What `bench ui` and the test of the same name do in the page: each returns the wall times of its rounds in milliseconds.

/** Ctrl K, until the first line of the palette is laid out. */
export async function OPEN_PALETTE() {
  const settled = async (there) => { for (let i = 0; i < 500 && !there(); i++) await new Promise((r) => setTimeout(r, 0)); void document.body.offsetHeight; };
  const press = () => (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", { key: "k", code: "KeyK", ctrlKey: true, bubbles: true, cancelable: true }));
  const walls = [];
  for (let i = 0; i < 8; i++) {
    const begin = performance.now();
    press();
    await settled(() => document.querySelector("#palette-0"));
    walls.push(performance.now() - begin);
    press();
    await settled(() => !document.querySelector("dialog"));
  }
  return walls;
}

/** Key after key in the field that `css` names, until what it finds is laid out. */
export async function TYPE(css) {
  const field = document.querySelector(css);
  field.focus();
  const walls = [];
  for (const text of ["payments eu", "ledger prod", "zq", "checkout stage 1", ""]) {
    for (let n = 1; n <= Math.max(1, text.length); n++) {
      const begin = performance.now();
      field.value = text.slice(0, n);
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
      for (let i = 0; i < 8; i++) await Promise.resolve();
      void document.body.offsetHeight;
      walls.push(performance.now() - begin);
      // A frame, as between two key strokes.
      await new Promise((r) => requestAnimationFrame(() => setTimeout(r, 0)));
    }
  }
  return walls;
}

/** The second key of `g p` and away again, until the frame after the one that has the grid's first rows was begun: then they are on screen. */
export async function PAINT_GRID() {
  const press = (key) => (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", { key, code: `Key${key.toUpperCase()}`, bubbles: true, cancelable: true }));
  const frame = () => new Promise((then) => requestAnimationFrame(() => setTimeout(then, 0)));
  const until = async (there) => { for (let i = 0; i < 2000 && !there(); i++) await new Promise((then) => requestAnimationFrame(then)); };
  const walls = [];
  for (let i = 0; i < 8; i++) {
    await frame();
    press("g");
    const begin = performance.now();
    press("p");
    await until(() => document.querySelector("#posture [data-column='8']"));
    await frame();
    walls.push(performance.now() - begin);
    press("g");
    press("c");
    await until(() => document.querySelector("#clusters"));
  }
  return walls;
}

/** The filter of the list of clusters, and the palette's own field. */
export const FILTER = "input[placeholder^=Name]";
export const PALETTE = "dialog input";

/** The value below which so much of them lies. */
export const at = (walls, part) => [...walls].sort((a, b) => a - b)[Math.min(walls.length - 1, Math.floor(walls.length * part))];

/**
 * Rows that come at a rate while somebody looks on live, half of them this desktop's: how far apart the frames were, in
 * milliseconds, and how many rows came. What the desktop works out is no work of the page, so pages are cut from a list.
 */
export async function TAIL({ seconds, rate }) {
  const { world } = window.sallyportFake;
  const { evidence } = world;
  const rows = evidence.rows({}).reverse();
  const counted = evidence.histogram({}, 96);
  const before = rows.length;
  evidence.page = (_filter, behind, limit) => {
    const end = behind === null ? rows.length : Number(behind);
    const begin = Math.max(0, end - limit);
    return { rows: rows.slice(begin, end).reverse(), next: begin > 0 ? String(begin) : null, lacks: evidence.lacks(), ownTotal: world.history.entries.length, clusterTotal: evidence.calls.length };
  };
  evidence.histogram = () => ({ ...counted, bins: counted.bins.with(-1, { own: rows.length - before, calls: rows.length - before, failed: 3 }) });
  const own = (atUs, n) => {
    const write = { action: "call", sentence: `Read deployment worker-${n % 40} in settlement`, status: n % 50 === 0 ? 403 : 200, outcome: n % 50 === 0 ? "refused" : "done", via: "kubectl", cluster: "ledger-us-1", detail: [["kubectl_session", `k-${n >> 3}`], ["kubectl_command", "kubectl get"]] };
    const entry = world.history.append(write, atUs);
    return { id: `own:${entry.sequence}`, atUs: entry.atUs, side: "own", sentence: entry.sentence, who: entry.user, cluster: entry.cluster, via: entry.via, status: entry.status, word: entry.action, outcome: entry.outcome, gap: false, tie: null, command: { id: `r/k-${n >> 3}`, name: "kubectl get", call: `c-${n}`, says: "reads" }, entry };
  };
  const began = performance.now();
  const wall = Date.now() * 1000;
  let came = 0;
  const comes = setInterval(() => {
    for (const due = ((performance.now() - began) / 1000) * rate; came < due; came++) {
      const atUs = wall + Math.floor((came / rate) * 1e6);
      rows.push(came % 2 === 0 ? own(atUs, came) : evidence.append(atUs, came));
    }
  }, 20);
  // As often as the desktop says so, of its history and of a log that it follows.
  const hear = (event) => rate > 0 && world.hear(event);
  const grew = setInterval(() => hear({ kind: "historyGrew", position: { sequence: world.history.entries.length } }), 300);
  const told = setInterval(() => hear({ kind: "evidenceChanged" }), 1000);
  const frames = [];
  let last = await new Promise(requestAnimationFrame);
  while (last - began < seconds * 1000) {
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  for (const timer of [comes, grew, told]) clearInterval(timer);
  return { frames, came };
}

/** Frames that did not come in time: where two are further apart than one and a half, those that should lie between them. */
export const dropped = (frames, each = 1000 / 60) => frames.reduce((sum, ms) => sum + (ms > each * 1.5 ? Math.round(ms / each) - 1 : 0), 0);
