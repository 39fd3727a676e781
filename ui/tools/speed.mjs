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
