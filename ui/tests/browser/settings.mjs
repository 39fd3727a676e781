import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../tools/time.mjs";
import { at, atClipboard, calls, enter, world } from "./site.mjs";

const go = async (page) => {
  await page.locator("#clusters").waitFor();
  await inTurn(page, "g", ",");
  await page.getByRole("heading", { name: "Settings" }).waitFor();
};
const theme = (page) => page.evaluate(() => document.documentElement.dataset.theme);
const told = (page, want) => page.waitForFunction((size) => window.sallyportFake.world.state.fontSize === size, want);
const cells = (page) => page.evaluate(() => {
  const rows = document.querySelector(".xterm-rows");
  return { rows: rows.children.length, height: rows.firstElementChild.getBoundingClientRect().height, font: getComputedStyle(rows).fontSize };
});
/** Cells whose text is `size`, and that fill the place they have. */
const measured = async (page, size) => {
  await page.waitForFunction((px) => getComputedStyle(document.querySelector(".xterm-rows")).fontSize === px, `${size}px`);
  await page.waitForFunction(() => {
    const rows = document.querySelector(".xterm-rows");
    const left = rows.closest(".shell").clientHeight - rows.children.length * rows.firstElementChild.getBoundingClientRect().height;
    return left >= 0 && left < rows.firstElementChild.getBoundingClientRect().height;
  });
  return cells(page);
};

test("a theme is chosen by keyboard, at once, and stays chosen", () =>
  at("theme=dark", async (page) => {
    await go(page);
    await page.getByRole("radio", { name: "Dark" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => document.documentElement.dataset.theme === "light");
    assert.equal(await world(page, "(w) => w.state.theme"), "light");
    // Letters are no text in a radio button: the keys of the window go on.
    await inTurn(page, "g", "c");
    await go(page);
    assert.ok(await page.getByRole("radio", { name: "Light" }).isChecked());
    await page.emulateMedia({ colorScheme: "dark" });
    await page.getByRole("radio", { name: "System" }).check();
    await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
    assert.equal(await theme(page), "dark");
    // Another way to the same: what is ticked follows what the desktop says.
    await page.getByRole("button", { name: /^Theme: system/ }).click();
    await page.waitForFunction(() => document.querySelectorAll("input[type=radio]")[1].checked);
  }));

test("a theme that can't be remembered is not ticked", () =>
  at("theme=dark", async (page) => {
    await go(page);
    await world(page, "(w) => { w.change = () => { throw { code: 'failed', message: 'the theme could not be remembered', hint: null, retry: false, stepUp: null }; }; }");
    await page.getByRole("radio", { name: "Light" }).click();
    await page.getByRole("alert").getByText("could not be remembered").waitFor();
    assert.ok(await page.getByRole("radio", { name: "Dark" }).isChecked());
  }));

test("the size of text is stepped, bounded and reset, and open terminals take it over", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    const usual = await measured(page, 13);
    await page.keyboard.press("Control+Shift+P");
    await page.keyboard.type("settings");
    await page.getByRole("option", { name: "Settings", exact: false }).last().click();
    await page.getByRole("button", { name: "Larger" }).click();
    await page.getByRole("button", { name: "Larger" }).click();
    await page.getByText("15 px", { exact: true }).waitFor();
    assert.equal(await page.getByLabel("Sample").evaluate((e) => getComputedStyle(e).fontSize), "15px");
    const resized = (await calls(page)).filter((c) => c === "terminal_resize").length;
    await inTurn(page, "g", "s");
    const larger = await measured(page, 15);
    assert.ok(larger.height > usual.height && larger.rows < usual.rows, JSON.stringify([usual, larger]));
    await page.waitForFunction((n) => window.sallyportFake.calls.filter((c) => c === "terminal_resize").length > n, resized);
    await page.locator(".xterm-rows", { hasText: "Leave with" }).waitFor();

    await page.getByRole("button", { name: "Settings" }).click();
    for (let i = 0; i < 12; i++) await page.getByRole("button", { name: "Larger" }).press("Enter");
    await page.getByText("24 px", { exact: true }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Larger" }).getAttribute("aria-disabled"), "true");
    assert.ok(await page.getByLabel("Sample").evaluate((e) => e.scrollWidth <= e.clientWidth && e.getBoundingClientRect().right < document.querySelector("fieldset:has(small)").getBoundingClientRect().left), "the sample stays in its column");
    const asked = (await calls(page)).filter((c) => c === "font_size_set").length;
    await page.getByRole("button", { name: "Larger" }).press("Enter");
    assert.equal((await calls(page)).filter((c) => c === "font_size_set").length, asked);
    await page.getByRole("button", { name: "Reset to 13 px" }).click();
    await page.getByText("13 px", { exact: true }).waitFor();
    for (let i = 0; i < 5; i++) await page.getByRole("button", { name: "Smaller" }).press("Enter");
    await page.getByText("9 px", { exact: true }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Smaller" }).getAttribute("aria-disabled"), "true");
  }));

test("Ctrl with plus, minus and zero sizes a terminal's text while it has the focus, and types nothing", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    const usual = await measured(page, 13);
    for (const key of ["Control++", "Control+=", "Control+NumpadAdd"]) await page.keyboard.press(key);
    await told(page, 16);
    const larger = await measured(page, 16);
    assert.ok(larger.rows < usual.rows);
    await page.keyboard.press("Control+-");
    await measured(page, 15);
    await page.keyboard.press("Control+0");
    assert.deepEqual(await measured(page, 13), usual);
    const heard = () => world(page, "(w) => w.sessions.values().next().value.terminals.values().next().value.heard");
    assert.equal(await heard(), "");
    // The shell's own: undo.
    await page.keyboard.press("Control+Shift+Minus");
    await page.waitForFunction(() => window.sallyportFake.world.sessions.values().next().value.terminals.values().next().value.heard === "\u001f");
    assert.equal(await world(page, "(w) => w.state.fontSize"), 13);
    assert.equal(await page.evaluate(() => window.visualViewport.scale * window.devicePixelRatio), 1, "the page itself is not zoomed");
    // A key that is held down: every step counts, however late the answers are.
    await world(page, "(w) => { const change = w.change; w.change = async (over) => { await new Promise((r) => setTimeout(r, 40)); return change.call(w, over); }; }");
    await page.evaluate(() => { for (let i = 0; i < 6; i++) document.querySelector(".xterm-helper-textarea").dispatchEvent(new KeyboardEvent("keydown", { key: "+", ctrlKey: true, bubbles: true, cancelable: true })); });
    await measured(page, 19);
    await page.keyboard.press("Control+0");
    await measured(page, 13);
    // The desktop's answer may be there before its event.
    await world(page, "(w) => { const { hear } = w; w.hear = (event) => setTimeout(() => hear(event), 150); }");
    await page.evaluate(async () => { for (let i = 0; i < 3; i++) { document.querySelector(".xterm-helper-textarea").dispatchEvent(new KeyboardEvent("keydown", { key: "+", ctrlKey: true, bubbles: true, cancelable: true })); await new Promise((r) => setTimeout(r, 70)); } });
    await measured(page, 16);
    // A terminal that comes later has it from its start.
    await page.keyboard.press("Control+Shift+T");
    await page.getByRole("tab").nth(1).waitFor();
    await measured(page, 16);
  }));

test("palette and sheet of keys know the sizes of text", () =>
  at("", async (page) => {
    await page.locator("#clusters").waitFor();
    await page.keyboard.press("?");
    const line = page.getByRole("dialog", { name: "Keys" }).locator("dl > div", { hasText: "Larger text in terminals" });
    assert.equal(await line.locator("kbd").innerText(), "Ctrl +");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("smaller text");
    await page.keyboard.press("Enter");
    await told(page, 12);
  }));

test("a shell is chosen for new terminals; what one does not guard is said", () =>
  at("", async (page) => {
    await go(page);
    await page.getByRole("radio", { name: /^Your own \/usr\/bin\/zsh/ }).waitFor();
    assert.ok(await page.getByRole("radio", { name: /^Your own/ }).isChecked());
    assert.equal(await page.getByText("looked at once, at its start").count(), 1);
    await page.getByRole("radio", { name: /^\/usr\/bin\/dash Not guarded/ }).check();
    await page.waitForFunction(() => window.sallyportFake.world.shell === "/usr/bin/dash");
    await inTurn(page, "g", "c");
    await go(page);
    await page.waitForFunction(() => window.sallyportFake.calls.filter((c) => c === "settings").length >= 3);
    assert.ok(await page.getByRole("radio", { name: /dash/ }).isChecked());
    await page.getByRole("radio", { name: /^Your own/ }).check();
    await page.waitForFunction(() => window.sallyportFake.world.shell === null);
  }));

test("a shell that is refused shows why, the choice stays as it was, and the list is read anew", () =>
  at("", async (page) => {
    await go(page);
    await page.getByRole("radio", { name: /bash/ }).check();
    await page.waitForFunction(() => window.sallyportFake.world.shell === "/usr/bin/bash");
    // It is gone from the machine since the list was read.
    await world(page, "(w) => { w.shells = w.shells.slice(0, 2); }");
    await page.getByRole("radio", { name: /dash/ }).click();
    await page.getByRole("alert").getByText("/usr/bin/dash is not among this machine's shells").waitFor();
    await page.getByRole("radio", { name: /dash/ }).waitFor({ state: "detached" });
    assert.ok(await page.getByRole("radio", { name: /bash/ }).isChecked());
    await page.waitForFunction(() => document.activeElement?.checked);
    assert.equal(await world(page, "(w) => w.shell"), "/usr/bin/bash");
  }));

test("what is kept where: a long path is shortened in its middle and copied whole, and hidden characters are seen", () =>
  atClipboard("scene=longPaths", async (page) => {
    await go(page);
    await page.evaluate(() => document.fonts.ready);
    const row = page.getByRole("row", { name: /kubectl learned/ });
    const place = row.locator(".mono");
    const full = await place.getAttribute("title");
    assert.match(full, /platform-engineering\/⟨U\+202E⟩dev\.user\/\.local\/share\/sallyport\/kubectl-cache$/);
    const shown = await place.innerText();
    assert.match(shown, /^\/net\/.*….*\/kubectl-cache$/);
    assert.ok(await place.evaluate((e) => e.scrollWidth <= e.clientWidth), "nothing of it is cut off twice");
    await row.getByRole("button", { name: /^Copy/ }).click();
    await row.getByText("Copied").waitFor();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^\/net\/fileserver-17.*kubectl-cache$/);
    await page.getByRole("row", { name: /Session tokens memory only/ }).waitFor();
    await page.setViewportSize({ width: 1920, height: 1080 });
    await page.waitForFunction((short) => document.querySelector("tbody tr:last-child .mono").textContent.length > short, shown.length);
  }));

test("settings that can't be read say so and are read again; the sign-in's place follows the keyring", () =>
  at("scene=settingsFail", async (page) => {
    await go(page);
    await page.getByRole("alert").getByText("could not be read").waitFor();
    await page.getByRole("radio", { name: "Dark" }).waitFor();
    await world(page, "(w) => { w.scene = 'ready'; }");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("row", { name: /^Sign-in \/home\/dev/ }).waitFor();
    assert.equal(await page.getByRole("alert").count(), 0);
    await world(page, "(w) => { w.change({ vault: { kind: 'memoryOnly', why: 'It was locked.' } }); }");
    await page.getByRole("row", { name: /^Sign-in memory only/ }).waitFor();
  }));

test("where no shell is listed one's own remains, and a chosen one that is gone is named", () =>
  at("scene=noShells", async (page) => {
    await world(page, "(w) => { w.shell = '/opt/fish'; }");
    await go(page);
    await page.getByText("lists no shells to choose from").waitFor();
    await page.getByText("which this machine no longer lists").waitFor();
    assert.equal(await page.getByRole("radio", { name: /^Your own/ }).isChecked(), false);
    await page.getByRole("radio", { name: /^Your own/ }).check();
    await page.getByText("which this machine no longer lists").waitFor({ state: "detached" });
  }));

test("a default duration is chosen by keyboard and is what the form offers first", () =>
  at("", async (page) => {
    await go(page);
    const group = page.getByRole("group", { name: "Default duration" });
    assert.ok(await group.getByRole("radio", { name: "As last time" }).isChecked());
    await group.getByRole("radio", { name: "As last time" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => window.sallyportFake.world.state.defaultSeconds === 1800);
    await inTurn(page, "g", "c");
    await page.locator("#cluster-checkout-eu-2").click();
    const length = page.getByLabel("For", { exact: true });
    await length.waitFor();
    assert.equal(await length.inputValue(), "1800");
    // Where a profile allows less it is that, and said.
    await world(page, "(w) => { w.change({ defaultSeconds: 14400 }); w.hear({ kind: 'clustersChanged' }); }");
    await page.locator("#cluster-ledger-us-1").click();
    await page.getByText("All that this profile allows; your default is 4 h.").waitFor();
    assert.equal(await length.inputValue(), "7200");
    await length.selectOption("900");
    await page.getByText("your default is").waitFor({ state: "detached" });
  }));

test("what is left of a day shortens what nobody chose, and says so", () =>
  at("scene=longDefault", async (page) => {
    await page.locator("#cluster-checkout-eu-2").click();
    await page.locator("label.profile", { hasText: "operate" }).click();
    await page.getByText("What is left of your day here; your default is 4 h.").waitFor();
    const length = page.getByLabel("For", { exact: true });
    assert.equal(await length.inputValue(), "5400");
    await length.selectOption("7200");
    await page.getByText("so this would be denied").waitFor();
    assert.equal(await length.inputValue(), "7200", "what the person chose stays");
  }));

test("a default duration that can't be remembered is not ticked; when a paste is asked about is chosen", () =>
  at("scene=notTaken", async (page) => {
    await go(page);
    await page.getByRole("radio", { name: "30 min" }).click();
    await page.getByRole("alert").getByText("could not be remembered").waitFor();
    assert.ok(await page.getByRole("radio", { name: "As last time" }).isChecked());
    await page.getByRole("radio", { name: /^When it has several lines/ }).focus();
    await page.keyboard.press("ArrowDown");
    await page.waitForFunction(() => window.sallyportFake.world.state.paste === "never");
    assert.ok(await page.getByRole("radio", { name: /^Never/ }).isChecked());
  }));

const switched = (page) => world(page, "(w) => w.notifications");

test("what is told on the desktop is chosen by keyboard; several in a row all count", () =>
  at("", async (page) => {
    await go(page);
    const box = (name) => page.getByRole("group", { name: "Told on the desktop" }).getByRole("checkbox", { name });
    await box(/^Somebody asks me/).waitFor();
    assert.equal(await box(/reasons/).isChecked(), false, "no reason is told unless it is wanted");
    // Answers that come late must not undo what was ticked meanwhile.
    await world(page, "(w) => { const said = Object.getOwnPropertyDescriptor(w, 'notifications').value; let kept = said; Object.defineProperty(w, 'notifications', { configurable: true, get: () => kept, set: (v) => setTimeout(() => (kept = v), 50) }); }");
    await box(/^My requests/).focus();
    await page.keyboard.press("Space");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.waitForFunction(() => window.sallyportFake.world.notifications.reasons);
    assert.deepEqual(await switched(page), { asks: true, requests: false, sessions: false, reasons: true });
    await inTurn(page, "g", "c");
    await go(page);
    assert.ok(await box(/reasons/).isChecked());
    assert.equal(await box(/^My requests/).isChecked(), false);
  }));

test("a choice of what is told that is not taken is not ticked", () =>
  at("scene=notTaken", async (page) => {
    await go(page);
    await page.getByRole("checkbox", { name: /^My sessions/ }).click();
    await page.getByRole("alert").getByText("could not be remembered").waitFor();
    assert.ok(await page.getByRole("checkbox", { name: /^My sessions/ }).isChecked());
  }));

test("where notifications can't be shown it says why, and looks again when asked", () =>
  at("scene=notTold", async (page) => {
    await go(page);
    await page.getByRole("status").getByText("Notifications can't be shown: no notification service runs on this desktop⟨U+202E⟩.").waitFor();
    await world(page, "(w) => { w.notificationsTrouble = null; }");
    await page.getByRole("button", { name: "Look again" }).click();
    await page.getByText("Notifications can't be shown").waitFor({ state: "detached" });
  }));
