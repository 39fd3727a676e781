// What terminals showed: replayed beside the calls, answering nothing, whatever a recording says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../tools/time.mjs";
import { at, enter, world } from "./site.mjs";

const FIRST = "w.sessions.values().next().value";
const watch = (page, session) => page.evaluate((id) => {
  const entry = { action: "call", ids: { request: null, grant: null, session: id, jti: null, auditId: null } };
  const { history, began } = window.sallyportFake.world;
  history.append({ ...entry, sentence: "Listed the pods of settlement" }, (began - 3600_000 + 1000) * 1000);
  history.append({ ...entry, sentence: "Rolled back worker" }, (began - 3600_000 + 600_600) * 1000);
}, session);
const audit = async (page, session) => {
  await page.locator("#clusters").waitFor();
  await watch(page, session);
  await inTurn(page, "g", "a");
  // An hour ago, under all that happened since.
  await page.getByLabel("Search the timeline").fill("Listed the pods of settlement");
  await page.getByText("Listed the pods of settlement").last().click();
  await page.keyboard.press("r");
  await page.getByRole("dialog", { name: "Watch what terminals showed" }).waitFor();
};
const rows = (page) => page.locator(".replay-screen .xterm-rows").innerText();

test("a recording is watched from an entry, a click on a call goes to its moment, and the list follows", () =>
  at("", async (page) => {
    await audit(page, "s-kept");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("kubectl get pods").waitFor();
    assert.doesNotMatch(await rows(page), /CrashLoop/, "it is at the call, before its answer");
    await dialog.getByRole("button", { name: /Rolled back worker/ }).click();
    await page.waitForFunction(() => document.querySelector(".replay-screen .xterm-rows")?.textContent?.replaceAll("\u00a0", " ").includes("worker-5d9c4d6f6b"));
    await dialog.locator("[aria-current=true]", { hasText: "Rolled back worker" }).waitFor();
    await dialog.getByText("is damaged and not shown (2)").waitFor();
    await dialog.getByText("It was cut off when Sallyport ended").waitFor();
    await dialog.getByRole("button", { name: /^(Play|Pause)/ }).focus();
    await page.keyboard.press("Home");
    await page.waitForFunction(() => !document.querySelector(".replay-screen .xterm-rows")?.textContent?.replaceAll("\u00a0", " ").includes("worker-5d9c4d6f6b"));
    await page.keyboard.press("End");
    await page.waitForFunction(() => document.querySelector(".replay-screen .xterm-rows")?.textContent?.replaceAll("\u00a0", " ").includes("exit"));
    const calls = await page.evaluate(() => window.sallyportFake.calls.filter((name) => name.startsWith("recording_")));
    assert.equal(calls.filter((name) => name === "recording_open").length, 1, "watching is noted once");
    await dialog.getByRole("button", { name: "Delete this recording" }).click();
    await dialog.getByRole("button", { name: "Keep it" }).click();
    await dialog.getByRole("button", { name: "Delete this recording" }).click();
    await dialog.getByRole("button", { name: "Delete", exact: true }).click();
    await dialog.getByText("Nothing is kept of this session’s terminals.").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  }));

test("a hostile recording answers nothing, types nothing, copies nothing and names nothing", () =>
  at("", async (page) => {
    await page.evaluate(() => {
      window.copied = [];
      Object.defineProperty(navigator, "clipboard", { value: { writeText: (text) => (window.copied.push(text), Promise.resolve()), readText: () => (window.copied.push("read"), Promise.resolve("x")) }, configurable: true });
      window.open = () => (window.copied.push("open"), null);
    });
    const title = await page.title();
    await audit(page, "s-hostile");
    await page.getByRole("button", { name: /^(Play|Pause)/ }).focus();
    await page.keyboard.press("End");
    await page.waitForFunction(() => document.querySelector(".replay-screen .xterm-rows")?.textContent?.replaceAll("\u00a0", " ").includes("still a screen"));
    await page.locator(".replay-screen .xterm-screen").click();
    await page.keyboard.type("rm -rf /");
    await page.evaluate(() => document.querySelector(".replay-screen textarea")?.dispatchEvent(new ClipboardEvent("paste", { clipboardData: new DataTransfer(), bubbles: true })));
    assert.equal(await page.title(), title);
    assert.deepEqual(await page.evaluate(() => window.copied), []);
    assert.equal(await page.locator(".replay-screen a").count(), 0);
    const calls = await page.evaluate(() => window.sallyportFake.calls);
    assert.equal(calls.filter((name) => name.startsWith("terminal_") || name === "session_leave").length, 0, calls.join(" "));
  }));

for (const [session, words] of [["s-none", "Nothing is kept of this session’s terminals."], ["s-unread", "the index of a recording is damaged"], ["s-live", "It is still being recorded."]]) {
  test(`a recording that is not whole is said to be so: ${session}`, () =>
    at("", async (page) => {
      await audit(page, session);
      await page.getByRole("dialog").getByText(words).waitFor();
    }));
}

test("a session that is recorded says so, and a disk that is full says that nothing gets through", () =>
  at("speed=50", async (page) => {
    await enter(page, "payments-eu-1");
    await page.locator(".xterm-rows").waitFor();
    await world(page, `(w) => { ${FIRST}.change({ recording: "output" }); }`);
    await page.getByText("Recorded: what terminals show.").waitFor();
    await world(page, `(w) => { const s = ${FIRST}; s.change({ terminals: s.view.terminals.map((t) => ({ ...t, recording: { input: false, stopped: "No space left on device\u202e" } })) }); }`);
    await page.getByRole("alert").getByText("Nothing you type gets through.").waitFor();
    assert.match(await page.getByRole("alert").innerText(), /No space left on device⟨U\+202E⟩/);
  }));

test("of a session with more calls than fit in a list, those around what is shown are listed, and that there are more is said", () =>
  at("", async (page) => {
    await page.locator("#clusters").waitFor();
    await world(page, `(w) => {
      const ids = { request: null, grant: null, session: "s-long", jti: null, auditId: null };
      const began = (w.began - 3600_000) * 1000;
      w.history.append({ action: "call", ids, sentence: "Looked first" }, began + 2000);
      for (let i = 1; i <= 1500; i++) w.history.append({ action: "call", ids, sentence: "Watched on " + i }, began + i * 390_000);
      w.history.append({ action: "call", ids, sentence: "Looked last" }, began + 600_500_000);
    }`);
    await inTurn(page, "g", "a");
    await page.getByLabel("Search the timeline").fill("Looked first");
    await page.getByText("Looked first").last().click();
    await page.keyboard.press("r");
    const beside = page.getByRole("dialog").getByRole("list", { name: "Calls of this session" });
    await beside.getByText("Looked first").waitFor();
    await beside.getByText("Later calls are listed as it plays.").waitFor();
    await page.getByRole("button", { name: /^(Play|Pause)/ }).focus();
    await page.keyboard.press("End");
    await beside.getByText("Looked last").waitFor();
    await beside.getByText("Earlier calls are listed where they were made.").waitFor();
    await page.keyboard.press("Home");
    await beside.getByText("Looked first").waitFor();
  }));
