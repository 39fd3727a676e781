import assert from "node:assert/strict";
import { test } from "node:test";
import { at, calls, enter, world } from "./site.mjs";

const FIRST = "w.sessions.values().next().value";
const heard = (page) => world(page, `(w) => [...${FIRST}.terminals.values()].map((t) => t.heard).join("")`);
const paste = (page, text) =>
  page.evaluate((text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    document.querySelector(".xterm-helper-textarea").dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
const settle = (page) => page.waitForTimeout(150);
/** That this was heard, and nothing follows: what is typed takes a moment, and a longer one beside a build. */
const hears = async (page, text, why) => {
  for (let tries = 0; tries < 1000 && (await heard(page)) !== text; tries++) await page.waitForTimeout(50);
  await settle(page);
  assert.equal(await heard(page), text, why);
};

const asked = (page) => page.getByRole("alertdialog");
const choose = (page, asks) => world(page, "(w, paste) => w.change({ paste })", asks);

test("fault_d4_a paste that ends its brackets is shown and typed as one, and several lines into production are asked about", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    await paste(page, "echo one\u001b[201~; echo two");
    await asked(page).filter({ hasText: "Paste 1 line into payments-eu-1?" }).waitFor();
    await asked(page).getByText("echo one⟨U+001B⟩[201~; echo two").waitFor();
    await asked(page).getByText("Some of it is not seen").waitFor();
    assert.equal(await heard(page), "", "nothing is typed before the answer");
    // The key that is pressed next pastes nothing.
    await page.keyboard.press("Enter");
    await asked(page).waitFor({ state: "detached" });
    assert.equal(await heard(page), "");
    await paste(page, "echo one\u001b[201~; echo two");
    await page.getByRole("button", { name: "Paste", exact: true }).press("Enter");
    await hears(page, "echo one; echo two");
    await choose(page, "never");
    await paste(page, " three\nkubectl delete pod api-0\n");
    await asked(page).filter({ hasText: "Paste 2 lines into payments-eu-1?" }).waitFor();
    await page.keyboard.press("Escape");
    await asked(page).waitFor({ state: "detached" });
    await page.keyboard.type(" x");
    await hears(page, "echo one; echo two x", "and the focus is in the terminal");
    // Shift+Tab twice from Cancel is what would be pasted, to scroll in it; Shift+Tab once is the answer yes.
    await paste(page, "a\nb");
    await asked(page).waitFor();
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Shift+Tab");
    assert.ok(await page.getByRole("region", { name: "What would be pasted" }).evaluate((e) => e === document.activeElement));
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await hears(page, "echo one; echo two xa\rb");
  }));

test("fault_d4_elsewhere than in production the setting says what is asked about, and what is not seen always is", () =>
  at("speed=50", async (page) => {
    await enter(page, "checkout-stage");
    await paste(page, "a\nb\n");
    await asked(page).filter({ hasText: "Paste 2 lines" }).waitFor();
    await page.keyboard.press("Escape");
    await choose(page, "never");
    await paste(page, "a\nb\n");
    await hears(page, "a\rb\r");
    await paste(page, "c\u202ed");
    await asked(page).getByText("c⟨U+202E⟩d").waitFor();
    await page.getByRole("button", { name: "Paste", exact: true }).click();
    await hears(page, "a\rb\rcd", "what turns the direction is left out");
    // Nothing of it would be typed: that is said, and there is nothing to say yes to.
    await paste(page, "\u001b[201~\u0007");
    await asked(page).filter({ hasText: "Paste this into" }).waitFor();
    assert.ok(await page.getByRole("button", { name: "Paste", exact: true }).isDisabled());
    await page.keyboard.press("Escape");
    await choose(page, "always");
    await paste(page, "e");
    await asked(page).filter({ hasText: "Paste 1 line" }).waitFor();
    await page.keyboard.press("Escape");
    await hears(page, "a\rb\rcd");
  }));

test("a paste of ten thousand lines shows its beginning and how many more", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    await paste(page, Array.from({ length: 10_000 }, (_, i) => `line ${i} ${"x".repeat(i === 0 ? 5000 : 0)}`).join("\n"));
    await asked(page).filter({ hasText: "Paste 10,000 lines" }).waitFor();
    await asked(page).getByText("and 9,800 more").waitFor();
    const { width, height } = await asked(page).boundingBox();
    assert.ok(width <= 640 && height <= 420, `${width} × ${height}`);
    await page.keyboard.press("Escape");
    await paste(page, `echo ${"x".repeat(30_000)}; rm -rf /\nb`);
    await asked(page).getByText("cut here: it is too long to show").waitFor();
    await page.keyboard.press("Escape");
  }));

test("fault_d5_what was said before types nothing when it is drawn again", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    // A terminal this window has not drawn yet, as after a reload.
    await world(page, `(w) => {
      const s = ${FIRST};
      const view = { id: "t-before", session: s.view.id, title: "bash", running: true, exitCode: null, guard: { kind: "guarded" } };
      const t = s.terminal(view, () => {});
      t.before = "\\x1b[c\\x1b[>c\\x1b[6n\\x1b[5n\\x1b[?1004h\\x1b[?2004$p\\x1b]11;?\\x07replayed ";
    }`);
    await page.getByRole("tab").nth(1).click();
    await page.locator(".xterm-rows", { hasText: "replayed" }).waitFor();
    await settle(page);
    assert.equal(await heard(page), "");
    // Afterwards it is answered and typed as ever.
    await page.keyboard.type("x");
    await hears(page, "x");
  }));

test("fault_d5_each key once, also through an input method", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    // What WebKitGTK may tell of one committed character: the end of a composition, an input, with and without key
    // presses of code 229 before or after.
    const commit = (order) =>
      page.evaluate(async (order) => {
        const field = document.querySelector(".xterm-helper-textarea");
        const key = (type) => {
          const event = new KeyboardEvent(type, { key: "Dead", bubbles: true, cancelable: true, composed: true });
          Object.defineProperty(event, "keyCode", { value: 229 });
          field.dispatchEvent(event);
        };
        for (const step of order) {
          if (step === "down") key("keydown");
          if (step === "up") key("keyup");
          if (step === "start") field.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true, data: "" }));
          if (step === "end") field.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true, data: "ê" }));
          if (step === "value") field.value += "ê";
          if (step === "input") field.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true, cancelable: true, data: "ê", inputType: "insertText" }));
          if (step === "later") await new Promise((go) => setTimeout(go, 20));
        }
        await new Promise((go) => setTimeout(go, 40));
        field.value = "";
      }, order);
    const orders = [
      ["start", "value", "end", "input", "up"],
      ["start", "value", "input", "end", "up"],
      ["down", "start", "value", "end", "input", "up"],
      ["down", "start", "later", "value", "end", "input", "down", "up"],
      ["start", "later", "value", "end", "down", "input", "up"],
      ["value", "input"],
    ];
    let expected = "";
    for (const order of orders) {
      await commit(order);
      expected += "ê";
      await hears(page, expected, order.join(" "));
      // The same twice in a row is two.
      await commit(order);
      expected += "ê";
      await hears(page, expected, `again: ${order.join(" ")}`);
    }
    await page.keyboard.type("ee");
    await hears(page, `${expected}ee`);
  }));

test("fault_d1_a terminal that is not guarded is marked in red and asks", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    assert.equal(await page.getByText("not guarded").count(), 0);
    const why = "this shell (zsh) did not load Sallyport's start-up file";
    await world(page, `(w, why) => { const s = ${FIRST}; s.guarded(s.view.terminals[0].id, () => ({ kind: "notGuarded", why })); }`, why);
    await page.getByRole("alertdialog", { name: "This terminal is not guarded" }).waitFor();
    assert.ok(await page.getByText(why).isVisible());
    // It came while somebody typed: that chooses nothing.
    await page.keyboard.press("Enter");
    await page.keyboard.press("Space");
    await settle(page);
    assert.ok(!(await calls(page)).some((call) => ["terminal_close", "terminal_take"].includes(call)));
    assert.ok(await page.getByRole("tab").getByText("not guarded").isVisible());
    await page.getByRole("button", { name: "Use it as it is" }).click();
    assert.ok((await calls(page)).includes("terminal_take"));
    await page.getByRole("alertdialog").waitFor({ state: "detached" });
    assert.ok(await page.getByRole("tab").getByText("not guarded").isVisible(), "the mark stays");
    await page.keyboard.type("x");
    await hears(page, "x", "the focus is in the terminal again");
    await world(page, `(w, why) => { const s = ${FIRST}; s.guarded(s.view.terminals[0].id, () => ({ kind: "notGuarded", why })); }`, "another");
    await page.getByRole("button", { name: "Close this terminal" }).click();
    await page.waitForFunction(() => window.sallyportFake.calls.includes("terminal_close"));
  }));

test("fault_c9_the card says that helm will miss its Secrets", () =>
  at("", async (page) => {
    await page.locator("#cluster-checkout-eu-2").click();
    await page.getByText("helm keeps its releases in Secrets").first().waitFor();
  }));
