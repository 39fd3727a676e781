// Where the fleet is weak: the grid by keys, a scan from its question to its end, a finding with its path and its fix.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn } from "../../tools/time.mjs";
import { SMALL, active, asked, come, grid, pane, row, scanOf, tab, title } from "./posture-page.mjs";
import { at, atClipboard, world } from "./site.mjs";

test("posture: nothing is asked before somebody looks, and what to fix first is looked at first", () =>
  at(SMALL, async (page) => {
    await page.locator("#clusters").waitFor();
    assert.equal(await asked(page, "posture_fleet"), 0);
    await grid(page);
    await title(page, "Developers can become cluster-admin in 3 steps");
    await page.getByText("scanned 10 of 11 · coverage 86 %").waitFor();
    assert.equal(await asked(page, "posture_scan"), 0);
  }));

test("the grid is walked by the arrows, Enter opens the cell, and a finding is left again with B", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await page.waitForFunction(() => document.activeElement?.id === "posture");
    await page.keyboard.press("Home");
    for (let i = 0; i < 7; i++) await page.keyboard.press("ArrowDown");
    assert.match(await active(page), /^payments-eu-1, prod/);
    for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowRight");
    assert.equal(await active(page), "RBAC: 1 critical");
    assert.equal(await asked(page, "posture_cluster"), 0, "walking asks for nothing");
    await page.keyboard.press("Enter");
    await title(page, "payments-eu-1");
    assert.equal(await row(page, "payments-eu-1").locator("[data-column='4']").getAttribute("aria-selected"), "true");
    await pane(page).getByRole("button", { name: /Developers can become/ }).press("Enter");
    await title(page, "Developers can become cluster-admin in 3 steps");
    await pane(page).getByRole("group", { name: "Clusters that have it" }).getByRole("button", { name: "search-ap-1" }).click();
    await pane(page).locator(".where", { hasText: "search-ap-1" }).waitFor();
    await page.keyboard.press("b");
    await title(page, "payments-eu-1");
    await page.locator("#posture").focus();
    await page.keyboard.press("Control+End");
    assert.equal(await active(page), "Version: pass");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    assert.equal(await active(page), "Version: n/a");
  }));

test("p21_a cluster that was not read is unknown in each cell and word, and one that was never scanned says so", () =>
  at(SMALL, async (page) => {
    await grid(page);
    assert.deepEqual(await row(page, "mail-eu-1").locator("[data-column]:not([data-column='0'])").allInnerTexts(), Array(8).fill("unknown"));
    await row(page, "legacy-eu-9").getByText("not scanned yet").click();
    await pane(page).getByText("nothing is known of it").waitFor();
    await row(page, "search-ap-1").getByLabel("RBAC: 1 critical, 3 checks are unknown").waitFor();
    await row(page, "mail-eu-1").locator("[data-column='0']").click();
    await pane(page).getByText("the ClusterRole sallyport:posture gives list pods").waitFor();
    assert.equal(await pane(page).locator(".practices .chip", { hasText: /^kept$/ }).count(), 0);
  }));

test("clusters are looked for with / and the worst of a column come first", () =>
  at("scene=posture&clusters=90&speed=20", async (page) => {
    await grid(page);
    await page.getByTitle("RBAC: the worst first").click();
    assert.deepEqual((await page.locator("#posture .name").allInnerTexts()).slice(0, 2).map((text) => text.split(/[\s,]/)[0]), ["payments-eu-1", "search-ap-1"]);
    await page.keyboard.press("/");
    await page.keyboard.type("sandbox prod");
    await page.getByText("None of 90 clusters matches").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("/");
    await page.keyboard.type("sandbox");
    await page.keyboard.press("ArrowDown");
    await page.waitForFunction(() => document.activeElement?.id === "posture");
    await page.getByText("1 of 90 clusters").waitFor();
  }));

test("a scan is asked about: what it would be allowed is shown before it is granted, and nothing begins before Enter", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await page.keyboard.press("s");
    const dialog = page.getByRole("dialog", { name: "Scan" });
    await dialog.getByText("create subjectaccessreviews").waitFor();
    await dialog.getByText("Nothing is changed").waitFor();
    await page.waitForFunction(() => document.activeElement?.value === "week");
    await page.keyboard.press("ArrowUp");
    await dialog.getByRole("button", { name: /^Scan 7 clusters/ }).waitFor();
    await page.keyboard.press("ArrowUp");
    await dialog.getByRole("button", { name: /^Scan 11 clusters/ }).waitFor();
    assert.equal(await asked(page, "posture_scan"), 0);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await page.getByText(/^(Scanning: \d+ of 11 clusters done|Scanned: \d+ of 11)/).first().waitFor();
  }));

test("a scan is followed cluster by cluster: done, failed with what to do, not proven with its closing report", () =>
  at("scene=posture&clusters=11&speed=100", async (page) => {
    await grid(page);
    await page.keyboard.press("s");
    await page.getByRole("dialog").getByText("create subjectaccessreviews").waitFor();
    await page.getByLabel("All that are shown").check();
    await page.keyboard.press("Enter");
    await page.getByText("Scanned: 9 of 11 clusters done · 2 failed").waitFor();
    assert.ok((await asked(page, "posture_finding")) <= 3, "each step of a scan is told, and asks for no finding again");
    await scanOf(page, "legacy-eu-9", "done");
    await scanOf(page, "mail-eu-1", "failed");
    await scanOf(page, "search-ap-1", "not proven");
    await row(page, "mail-eu-1").click({ position: { x: 20, y: 10 } });
    await pane(page).getByRole("alert").getByText("did not answer within 10 s").waitFor();
    await pane(page).getByRole("button", { name: "Scan it again" }).waitFor();
    await row(page, "search-ap-1").click({ position: { x: 20, y: 10 } });
    await pane(page).getByRole("button", { name: "Closing report" }).click();
    await page.getByRole("heading", { name: "search-ap-1 is closed, but not all of it is proven" }).waitFor();
    assert.equal(await page.getByRole("tab").count(), 1, "what scans opened has no tabs but the one that was led to");
    assert.equal(await page.getByRole("button", { name: /Open again/ }).count(), 0);
  }));

test("a session that is not shown to be closed and was not read to its end says both", () =>
  at("scene=postureCut&clusters=11&speed=100", async (page) => {
    await grid(page);
    await scanOf(page, "search-ap-1", "not proven");
    await row(page, "search-ap-1").click({ position: { x: 20, y: 10 } });
    await pane(page).getByText("nothing new is kept").waitFor();
    await pane(page).getByRole("alert").getByText("ended in the middle").waitFor();
    await pane(page).getByRole("button", { name: "Closing report" }).waitFor();
    await pane(page).getByRole("button", { name: "Scan it again" }).waitFor();
  }));

test("a stronger sign-in that a cluster wants is asked for from its failure, and then it is scanned", () =>
  at("scene=posture&clusters=11&speed=100", async (page) => {
    await grid(page);
    await row(page, "vault-eu-1").click({ position: { x: 20, y: 10 } });
    await pane(page).getByRole("button", { name: "Scan it…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: /^Scan 1 cluster/ }).click();
    await pane(page).getByRole("button", { name: "Sign in again and scan" }).click();
    await page.getByRole("dialog").getByText("vault-eu-1 is scanned").waitFor();
  }));

test("a scan is stopped with X: what waits is not begun, what is open is left, and what was kept stays", () =>
  at("scene=postureScanning&clusters=90&speed=2", async (page) => {
    await grid(page);
    await page.getByText(/reading \d+\/40/).first().waitFor();
    await page.keyboard.press("x");
    await page.getByText(/^Scanned: .*cancelled/).waitFor();
    await scanOf(page, "billing-us-81", "cancelled");
    await row(page, "billing-us-81").getByText("3 high").waitFor();
    await page.getByRole("button", { name: "Scan the rest…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: /^Scan \d\d clusters/ }).waitFor();
    assert.ok(await page.getByLabel("What the last scan did not get to").isChecked());
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Dismiss" }).click();
    await page.getByText(/^Scanned: /).waitFor({ state: "detached" });
  }));

test("what a scan opens is no session of the person's: not counted, not listed, not in the palette; the foot says how many", () =>
  at("scene=postureScanning&clusters=11&speed=0.1", async (page) => {
    await grid(page);
    await page.locator("footer", { hasText: "4 scans" }).waitFor();
    await page.locator("footer", { hasText: "no session open" }).waitFor();
    assert.equal(await page.getByRole("navigation").locator("button", { hasText: "Sessions" }).locator("b").count(), 0);
    await page.keyboard.press("Control+K");
    await page.keyboard.type("checkout");
    await page.locator("#palette-0").waitFor();
    assert.equal(await page.getByRole("dialog").getByText("Sessions", { exact: true }).count(), 0);
    await page.keyboard.press("Escape");
    await inTurn(page, "g", "s");
    await page.getByText("No session is open.").waitFor();
    await inTurn(page, "g", "c");
    await page.locator("#cluster-checkout-eu-2", { hasText: "one click" }).waitFor();
    await world(page, '(w) => w.hear({ kind: "quitAsked" })');
    await page.getByRole("dialog").getByText(/^This stops 4 scans: /).waitFor();
    assert.equal(await page.getByText("No session is open").count(), 0);
  }));

test("a path is proven by the API server's own words, each question with its answer", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await title(page, "Developers can become");
    await pane(page).getByText("cut here").waitFor();
    await page.keyboard.press("p");
    await pane(page).getByText("3 of 3 SubjectAccessReviews allowed").waitFor();
    await pane(page).getByText("system:serviceaccount:ci:deployer bind clusterroles").waitFor();
    await pane(page).getByRole("button", { name: "run again" }).click();
    await page.waitForFunction(() => window.sallyportFake.calls.filter((name) => name === "posture_prove").length === 2);
  }));

test("a proof that does not hold says so, and one that could not be asked is no proof", () => Promise.all([
  at("scene=postureProvePartly&clusters=11&speed=20", async (page) => {
    await grid(page);
    await title(page, "Developers can become");
    await page.getByRole("button", { name: /^Ask the API server/ }).click();
    await pane(page).getByText("1 of 3 SubjectAccessReviews allowed").waitFor();
    await pane(page).getByText("Not all of it holds").waitFor();
    await pane(page).getByText("no answer: the session ended").waitFor();
  }),
  at("scene=postureProveFails&clusters=11&speed=20", async (page) => {
    await grid(page);
    await title(page, "Developers can become");
    await page.getByRole("button", { name: /^Ask the API server/ }).click();
    await pane(page).getByRole("alert").getByText("so nothing was asked").waitFor();
    assert.equal(await pane(page).getByText(/\d of \d SubjectAccessReviews/).count(), 0);
  }),
]));

test("a fix is copied as it is shown, and nothing offers to apply it", () =>
  atClipboard(SMALL, async (page) => {
    await grid(page);
    await title(page, "Developers can become");
    await page.keyboard.press("c");
    await pane(page).getByText("Copied").waitFor();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^# ClusterRole deployer\n rules:\n/);
    await pane(page).getByRole("button", { name: "Command" }).click();
    await page.keyboard.press("c");
    await page.waitForFunction(async () => (await navigator.clipboard.readText()).startsWith("kubectl --context payments-eu-1 patch"));
    await pane(page).getByText("No session changes rights").waitFor();
    assert.equal(await pane(page).getByRole("button", { name: /apply/i }).count(), 0);
    await pane(page).getByText("ServiceAccount ci/deployer loses 68 roles").waitFor();
  }));

test("a drafted profile opens in the editor as a new one", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await pane(page).getByRole("button", { name: "Open it as a new profile…" }).click();
    const text = page.getByLabel("Text of the profile, YAML");
    await page.waitForFunction(() => document.querySelector("dialog textarea")?.value.includes("name: deploy-ci"));
    assert.match(await text.inputValue(), /clusterRoles: \["app-deployer"\]/);
  }));

test("the same weakness of several clusters is one line, and each cluster's finding is a click away", () =>
  at("scene=posture&clusters=90&speed=20", async (page) => {
    await grid(page);
    await page.locator("[data-weakness='w-2']").getByText("37 clusters").click();
    await title(page, "Standing admin for people");
    await pane(page).getByRole("button", { name: "and 31 more" }).click();
    await pane(page).getByRole("button", { name: "sandbox-12" }).click();
    await pane(page).locator(".where", { hasText: "sandbox-12" }).waitFor();
    await page.locator("[data-weakness='w-11']").click();
    await pane(page).getByText("It is a setting of the cloud").waitFor();
  }));

test("findings are filtered by severity, area and words; what comes with Kubernetes is folded away, not hidden", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await tab(page, /^Findings/);
    const rows = () => page.locator("#findings [data-weakness]").count();
    assert.equal(await rows(), 12, "what somebody answers for is left out");
    await page.getByRole("button", { name: /^Excepted/ }).click();
    assert.equal(await rows(), 13);
    await page.getByRole("button", { name: /^Critical/ }).click();
    assert.equal(await rows(), 2);
    await page.getByLabel("Area").selectOption("signIn");
    assert.equal(await rows(), 1);
    await page.keyboard.press("/");
    await page.keyboard.type("zzz");
    await page.getByRole("button", { name: "Show all" }).click();
    await page.getByLabel("Of which cluster").selectOption("payments-eu-1");
    await page.locator("[data-finding]").first().waitFor();
    assert.equal(await page.locator("[data-finding^='f-default']").count(), 0);
    await page.getByRole("button", { name: /^Comes with Kubernetes 14/ }).press("Enter");
    assert.equal(await page.locator("[data-finding^='f-default']").count(), 14);
    await page.getByRole("button", { name: "New since the scan before" }).click();
    await page.locator("[data-finding='f-5-payments-eu-1']").click();
    await title(page, "Legacy tokens of ServiceAccounts");
  }));

test("thousands of findings are drawn a screenful at a time, and walked by keys", () =>
  at("scene=postureMany&clusters=11&speed=20", async (page) => {
    await grid(page);
    await page.getByRole("button", { name: "Findings 3,000" }).waitFor();
    await page.keyboard.press("t");
    await page.waitForFunction(() => document.activeElement?.id === "findings");
    assert.ok((await page.locator("#findings [role=row]").count()) < 60);
    await page.keyboard.press("End");
    await page.locator("[data-weakness='w-many-2999'][aria-selected=true]").waitFor();
    await page.keyboard.press("k");
    await page.locator("[data-weakness='w-many-2998'][aria-selected=true]").waitFor();
  }));

test("an exception wants who, why and until within a year; it is listed, and removed after a question", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await title(page, "Developers can become");
    await page.getByRole("button", { name: /^Make an exception/ }).waitFor();
    await page.keyboard.press("e");
    const dialog = page.getByRole("dialog", { name: "Exception" });
    await dialog.waitFor();
    assert.equal(await dialog.getByLabel("Owner").inputValue(), "dev@example.test");
    await dialog.getByRole("button", { name: "Make the exception" }).click();
    await dialog.getByRole("alert").getByText("Say why").waitFor();
    await dialog.getByLabel("Reason").fill("Replaced in January; e and s are text.");
    await dialog.getByLabel("Until").fill("2099-01-01");
    await dialog.getByRole("button", { name: "Make the exception" }).click({ force: true });
    assert.equal(await asked(page, "posture_except"), 0, "longer than a year");
    const day = await page.evaluate(() => new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10));
    await dialog.getByLabel("Until").fill(day);
    await dialog.getByRole("button", { name: "Make the exception" }).click();
    await dialog.waitFor({ state: "detached" });
    await tab(page, /^Exceptions 4/);
    await page.locator("[data-exception='e-certs']").getByText("expired").waitFor();
    await page.locator("[data-exception='e-unused']").getByText("unused").waitFor();
    await page.locator("[data-exception='e-3-new']").click();
    await pane(page).getByText("Replaced in January").waitFor();
    await pane(page).getByRole("button", { name: "Remove…" }).click();
    assert.equal(await asked(page, "posture_except_remove"), 0);
    await pane(page).getByRole("button", { name: "Remove it" }).click();
    await page.locator("[data-exception='e-3-new']").waitFor({ state: "detached" });
  }));

test("an exception that could not be removed stays, and says why", () =>
  at("scene=postureRemoveFails&clusters=11&speed=20", async (page) => {
    await grid(page);
    await tab(page, /^Exceptions 3/);
    await page.locator("[data-exception='e-cleaner']").click();
    await pane(page).getByRole("button", { name: "Remove…" }).click();
    await pane(page).getByRole("button", { name: "Remove it" }).click();
    await pane(page).getByRole("alert").getByText("the disk is full").waitFor();
    await page.locator("[data-exception='e-cleaner']").waitFor();
  }));

test("who can do something is asked in a form, and the answer says what it lacks", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await tab(page, /^Who can/);
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Verb");
    await page.keyboard.type("create");
    await page.getByLabel("Verb").fill("create");
    await page.getByLabel("Resource").fill("pods/exec");
    await page.getByLabel("Namespace").fill("payments");
    await page.keyboard.press("Enter");
    await page.getByText("create pods/exec in payments").waitFor();
    await page.getByText("a webhook decides beside RBAC").waitFor();
    await page.locator("#who").focus();
    await page.keyboard.press("ArrowDown");
    await title(page, "group oidc:platform-admins");
    await pane(page).getByText("and 34 more").waitFor();
    await page.getByLabel("Verb").fill("Get it");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("is no verb").waitFor();
    assert.equal(await page.locator("#who").count(), 0, "an answer to another question is not shown");
  }));

test("ways into another cluster are worked out when asked: step by step, the other way round, with what may hide others", () => Promise.all([
  at(SMALL, async (page) => {
    await grid(page);
    await page.locator("[data-weakness='w-1']").click();
    await title(page, "Client CA shared between prod and dev");
    await pane(page).getByRole("heading", { name: "Ways across" }).waitFor();
    assert.equal(await asked(page, "posture_crossings"), 0, "looking asks for nothing");
    await pane(page).getByRole("button", { name: "Look" }).press("Enter");
    await pane(page).getByText("2 subjects of sandbox-12 can get to everything in search-ap-1.").waitFor();
    const first = pane(page).locator("details").first();
    await first.getByText("into search-ap-1").waitFor();
    assert.equal(await first.locator("li").count(), 3, "two steps and what they end in");
    await first.getByText("something that was not read may stand in its way").waitFor();
    await pane(page).locator("summary").nth(1).press("Enter");
    await pane(page).locator("details").nth(1).getByText("mint tokens of service accounts in ci").waitFor();
    await pane(page).getByRole("button", { name: "The other way round" }).click();
    assert.equal(await pane(page).locator("details").count(), 0, "an answer belongs to its question");
    await pane(page).getByRole("button", { name: "Look" }).click();
    await pane(page).getByText("that there is none is not known").waitFor();
    await pane(page).getByRole("region", { name: "What may hide other ways" }).getByText("the right to list roles").waitFor();
    await pane(page).getByLabel("Into").selectOption("search-ap-1");
    await pane(page).getByText("Choose two different clusters.").waitFor();
    assert.equal(await pane(page).getByRole("button", { name: "Look" }).isDisabled(), true);
  }),
  at("scene=postureCrossingFails&clusters=11&speed=20", async (page) => {
    await grid(page);
    await page.locator("[data-weakness='w-1']").click();
    await pane(page).getByRole("button", { name: "Look" }).click();
    await pane(page).getByRole("alert").getByText("no scan of search-ap-1 is kept").waitFor();
  }),
]));

test("another scan of either cluster makes ways across a question again", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await page.locator("[data-weakness='w-1']").click();
    await pane(page).getByRole("button", { name: "Look" }).click();
    await pane(page).locator("details").first().waitFor();
    await row(page, "sandbox-12").click({ position: { x: 20, y: 10 } });
    await pane(page).getByRole("button", { name: "Scan it…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: /^Scan 1 cluster/ }).click();
    await page.getByText(/^Scanned: /).waitFor();
    await page.locator("[data-weakness='w-1']").click();
    await pane(page).getByRole("heading", { name: "Ways across" }).waitFor();
    assert.equal(await pane(page).locator("details").count(), 0, "what was worked out from the scan before is no answer");
    await pane(page).getByRole("button", { name: "Look" }).click();
    await pane(page).locator("details").first().waitFor();
    assert.equal(await asked(page, "posture_crossings"), 2);
  }));

test("what changed is listed, and leads to the cluster; its scans are forgotten after a question", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await tab(page, /^Changed 5/);
    await page.locator("#change-0").click();
    await page.getByRole("button", { name: "Show the cluster as it is now" }).click();
    await title(page, "payments-eu-1");
    await pane(page).getByRole("button", { name: "Forget its scans…" }).click();
    assert.equal(await asked(page, "posture_forget"), 0);
    await pane(page).getByRole("button", { name: "Delete it" }).click();
    await pane(page).getByText("nothing is known of it").waitFor();
    await tab(page, /^Fleet/);
    await row(page, "payments-eu-1").getByText("not scanned yet").waitFor();
  }));

test("all scans are forgotten after a question, from the palette", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await page.keyboard.press("Control+K");
    await page.keyboard.type("forget all");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Forget all scans" });
    await dialog.getByText("10 clusters").waitFor();
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    assert.equal(await asked(page, "posture_forget"), 0, "Enter keeps them");
    await page.keyboard.press("Control+K");
    await page.keyboard.type("forget all");
    await page.keyboard.press("Enter");
    await dialog.getByRole("button", { name: "Delete all" }).click();
    await page.getByText("Nothing was scanned yet").waitFor();
    assert.equal(await page.locator("aside").count(), 0, "nothing is looked at of what is gone");
  }));

test("a report is written to a place that is named, and never over something", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await page.keyboard.press("w");
    const dialog = page.getByRole("dialog", { name: "Report" });
    await page.waitForFunction(() => document.activeElement?.id === "report-place");
    await page.keyboard.type("/home/dev/taken.html");
    await page.keyboard.press("Enter");
    await dialog.getByRole("alert").getByText("nothing is written over").waitFor();
    await dialog.getByLabel("Write to").fill("/home/dev/posture.html");
    await page.keyboard.press("Enter");
    await dialog.getByText("Written, for you alone").waitFor();
  }));

test("the ten practices are walked by arrows, each with its gap and next step", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await page.locator("[data-practice='1']").focus();
    await page.keyboard.press("ArrowRight");
    await title(page, "Private endpoint");
    await pane(page).getByText("6 API servers answer from anywhere.").waitFor();
    await page.keyboard.press("ArrowDown");
    await title(page, "RBAC with least privilege");
    await pane(page).getByText("Replace the standing grants").waitFor();
    assert.equal(await page.locator(".practices [tabindex='0']").count(), 1, "one stop for Tab");
  }));

test("whoever may not scan is told why, and no key asks for one", () =>
  at("scene=postureNoProfile&clusters=11&speed=20", async (page) => {
    await grid(page);
    await page.getByText("Ask an admin of the hub for the profile posture").waitFor();
    assert.ok(await page.getByRole("button", { name: /^Scan S/ }).isDisabled());
    await page.keyboard.press("s");
    assert.equal(await page.getByRole("dialog").count(), 0);
  }));

test("the first scan begins from an empty view, and the grid comes with it", () =>
  at("scene=postureFirst&clusters=11&speed=2", async (page) => {
    await come(page);
    await page.getByText("Nothing was scanned yet").waitFor();
    // One can be chosen before anything was scanned.
    await row(page, "sandbox-12").click({ position: { x: 20, y: 10 } });
    await pane(page).getByRole("button", { name: "Scan it…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: /^Scan 1 cluster / }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("main").getByRole("button", { name: /^Scan S/ }).last().click();
    await page.getByRole("dialog").getByRole("button", { name: /^Scan 11 clusters/ }).click();
    await page.getByText(/reading \d+\/40/).first().waitFor();
    await page.locator("[data-weakness]").first().waitFor();
  }));

test("a failure can be tried again, in the list and in the pane", () => Promise.all([
  at("scene=postureFail&speed=20", async (page) => {
    await come(page);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.waitForFunction(() => window.sallyportFake.calls.filter((name) => name === "posture_fleet").length === 2);
  }),
  at("scene=postureDetailFails&clusters=11&speed=20", async (page) => {
    await grid(page);
    await pane(page).getByRole("alert").getByText("this finding is there no more").waitFor();
    await row(page, "payments-eu-1").click({ position: { x: 20, y: 10 } });
    await pane(page).getByRole("alert").getByText("it was altered").waitFor();
  }),
]));

test("p24_names from clusters are text in every part of posture", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await page.locator("[data-weakness='w-8']").click();
    await pane(page).getByText("oidc:<b>a⟨U+2066⟩b</b>").first().waitFor();
    assert.equal(await page.locator("aside b", { hasText: /^a/ }).count(), 0);
    assert.doesNotMatch(await page.locator("body").innerText(), /[\u200b\u202e\u2066]/);
  }));

test("the palette finds weaknesses, and goes there", () =>
  at(SMALL, async (page) => {
    await grid(page);
    await inTurn(page, "g", "c");
    await page.locator("#clusters").waitFor();
    await page.keyboard.press("Control+K");
    await page.keyboard.type("anonymous metrics");
    await page.getByRole("dialog").getByText("Anonymous can read /metrics").waitFor();
    await page.keyboard.press("Enter");
    await title(page, "Anonymous can read /metrics");
  }));
