//! The whole story in the real window, with a real sign-in page, played without anyone looking.

use super::left;
use super::timeline::Timeline;
use anyhow::{Context as _, Result, ensure};
use sallyport_fleet::Fleet;
use sallyport_fleet::window::{Closing, Desk, Window, key};
use sallyport_testkit::browser::{Chromium, ChromiumOptions, Person, UrlCatcher};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

// A wait lasts as long as it has to; these are for machines that build something else at the same time.
const SOON: Duration = Duration::from_secs(20);
const LATER: Duration = Duration::from_secs(60);
const PRODUCTION: &str = "payments-eu-1";
const STAGE: &str = "checkout-stage";

/// A picture of an earlier play would pass for one of this.
fn remove_old(pictures: &Path) -> Result<()> {
    for file in std::fs::read_dir(pictures)? {
        let path = file?.path();
        if path.extension().is_some_and(|e| e == "png") {
            std::fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Plays it. What fails leaves pictures of the window and of the browser.
pub(crate) async fn run(fleet: &Fleet, timeline: &mut Timeline) -> Result<()> {
    let pictures = std::env::var_os("SALLYPORT_PICTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/demo"), PathBuf::from);
    std::fs::create_dir_all(&pictures)?;
    let pictures = pictures.canonicalize()?;
    remove_old(&pictures)?;
    timeline.part("desk");
    let desk = Desk::start((1920, 1080)).await?;
    timeline.step("an X display, a session bus, an unlocked keyring");
    let folder = desk.path().to_owned();
    let workspace = folder.join("workspace.json");
    std::fs::write(&workspace, fleet.workspace_file())?;
    let urls = UrlCatcher::new()?;
    let kubectl =
        fleet.target().plane.assets().kubectl().parent().context("kubectl is in a folder")?.to_owned();
    let browser =
        Chromium::start(ChromiumOptions::headless(fleet.idp.ca_pem()), Person::of(&fleet.idp, "dana"))
            .await?;
    timeline.step("a browser that trusts the demo's CA alone");
    let (workspace, script) = (workspace.display().to_string(), urls.script().display().to_string());
    let kubectl = kubectl.display().to_string();
    let env = [
        ("SALLYPORT_DEMO", workspace.as_str()),
        ("SALLYPORT_KUBECTL_DIR", kubectl.as_str()),
        ("BROWSER", script.as_str()),
    ];
    let window = Window::open(&desk, &env).await?;
    timeline.step("the window is drawn");
    let mut play = Play { fleet, timeline, window, browser, urls, pictures };
    if let Err(error) = play.story().await {
        play.last_look().await;
        return Err(error);
    }
    let Play { timeline, window, browser, urls, pictures, .. } = play;
    drop((window, browser, urls, desk));
    left::nothing_names(&folder).await?;
    timeline.step("the app's directory is gone, and no process names it");
    println!("\npictures: {}", pictures.display());
    Ok(())
}

struct Play<'a> {
    fleet: &'a Fleet,
    timeline: &'a mut Timeline,
    window: Window,
    browser: Chromium,
    urls: UrlCatcher,
    pictures: PathBuf,
}

impl Play<'_> {
    /// What could be seen when the story failed. The sentence about it matters more, so nothing here fails.
    async fn last_look(&self) {
        eprintln!("\nthe app's last words:\n{}\n", self.window.log());
        let (window, browser) =
            (self.pictures.join("failed-window.png"), self.pictures.join("failed-browser.png"));
        for (what, taken, path) in [
            ("window", self.window.screenshot(&window).await, window),
            ("browser", self.browser.screenshot(&browser).await, browser),
        ] {
            match taken {
                Ok(()) => eprintln!("picture of the {what}: {}", path.display()),
                Err(error) => eprintln!("no picture of the {what}: {error:#}"),
            }
        }
    }

    async fn story(&mut self) -> Result<()> {
        self.window.resize(1280, 800).await?;
        self.way_in().await?;
        self.session().await?;
        self.audit().await?;
        self.large().await?;
        self.way_out().await
    }

    async fn way_in(&mut self) -> Result<()> {
        self.timeline.part("way in");
        self.window.sees(".door", "Join a team", SOON).await?;
        self.window.sees(".door", "Try the demo", SOON).await?;
        self.timeline.step("first run shows both doors");
        self.both("first-run").await?;
        self.window.click(".door", "Try the demo").await?;
        self.window.sees("button", "Sign in", SOON).await?;
        self.timeline.step("joined the demo's hub");
        self.both("signed-out").await?;
        self.window.click("button", "Sign in").await?;
        let url = self.urls.next(SOON).await?;
        self.window.sees("[role=status]", "Continue in your browser", SOON).await?;
        self.timeline.step("the browser was asked to open the sign-in page");
        self.both("signing-in").await?;
        self.in_browser(&url, "dana").await?;
        self.window.sees("#clusters .row", PRODUCTION, LATER).await?;
        self.window.sees("#clusters .row", "one click", LATER).await?;
        self.timeline.step("signed in with password and one-time code; the clusters are listed");
        self.choose(PRODUCTION).await?;
        self.window.theme("dark").await?;
        self.timeline.skip();
        self.window.click("nav button[title^=Theme]", "dark").await?;
        self.window
            .until("the light theme", "return document.documentElement.dataset.theme === 'light'", SOON)
            .await?;
        self.timeline.step("the rail's button turned the window light");
        self.both("clusters").await
    }

    /// What a person does on the provider's pages.
    async fn in_browser(&mut self, url: &str, sub: &str) -> Result<()> {
        let account = self.fleet.idp.account(sub).clone();
        self.browser.go(url).await?;
        self.timeline.step("the sign-in page is open");
        self.browser.screenshot(&self.pictures.join("sign-in-page.png")).await?;
        self.timeline.skip();
        self.browser.fill("#username", &account.email).await?;
        self.browser.fill("#password", &account.password).await?;
        self.browser.submit("#submit").await?;
        self.timeline.step("password");
        self.browser.screenshot(&self.pictures.join("sign-in-code.png")).await?;
        let code = self.fleet.idp.spare_code(sub).await?;
        self.timeline.skip();
        self.browser.fill("#code", &code).await?;
        self.browser.submit("#submit").await?;
        self.back_at_app().await?;
        self.timeline.step("one-time code, and back at the app");
        self.browser.screenshot(&self.pictures.join("sign-in-done.png")).await?;
        self.timeline.skip();
        Ok(())
    }

    /// The provider's answer leads through a page of its own.
    async fn back_at_app(&self) -> Result<()> {
        let began = Instant::now();
        loop {
            let landed = self.browser.url().await?;
            if landed.starts_with("http://127.0.0.1:") {
                return Ok(());
            }
            ensure!(began.elapsed() < SOON, "the browser did not come back to the app; it is at {landed}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Selects a cluster in the list. A click can fall on another row while the list regroups after an opening, as it
    /// can for a person, who then clicks again.
    async fn choose(&mut self, cluster: &str) -> Result<()> {
        for _ in 0..5 {
            self.window.click("#clusters .row", cluster).await?;
            if self.window.sees("aside h2", cluster, Duration::from_secs(1)).await.is_ok() {
                break;
            }
        }
        self.window.sees("aside h2", cluster, SOON).await?;
        self.window.sees("aside form button", "", SOON).await
    }

    async fn session(&mut self) -> Result<()> {
        self.timeline.part(&format!("session on {PRODUCTION}"));
        self.window.click("aside label.profile", "debug-prod").await?;
        self.window.type_into("#why", "PAY-1182 workers restart").await?;
        self.timeline.step("profile and reason chosen");
        self.both("cluster-chosen").await?;
        self.window.press(&[key::ENTER]).await?;
        self.window.sees(".truth", PRODUCTION, LATER).await?;
        self.timeline.step("Enter: asked, approved, granted, ready");
        self.window
            .until(
                "a prompt",
                "return document.querySelector('.xterm-rows')?.textContent.trim().length > 0",
                SOON,
            )
            .await?;
        self.timeline.step("the terminal has a prompt");
        let steps = self.window.text("aside[aria-label='Steps and calls']").await?;
        println!("             {}", steps.lines().take(16).collect::<Vec<_>>().join(" | "));
        self.window.terminal_type("kubectl get pods -n payments\n").await?;
        self.window.terminal_shows("Running", LATER).await?;
        self.timeline.step("kubectl get pods -n payments, seen in the terminal");
        self.window.terminal_type("kubectl get secrets -n payments\n").await?;
        self.window.terminal_shows("Forbidden", LATER).await?;
        self.timeline.step("kubectl get secrets is refused by the API server");
        self.window.terminal_type("kubectl exec deploy/api -n payments -- uname -n\n").await?;
        // The pod's name alone in a line is what the command printed; the line that was typed holds it never.
        self.window
            .until(
                "the pod's own name in the terminal",
                "return [...document.querySelectorAll('.xterm-rows > div')].some((r) => /^api-[a-z0-9]+-[a-z0-9]+$/.test(r.textContent.trim()))",
                LATER,
            )
            .await?;
        self.timeline.step("kubectl exec, answered by the pod");
        self.both("session").await?;
        self.window.press(&[key::CONTROL, key::SHIFT, 'p']).await?;
        self.window.sees("dialog .entry", "", SOON).await?;
        self.timeline.step("Ctrl Shift P: the palette, from a terminal");
        self.both("palette").await?;
        self.window.press(&[key::ESCAPE]).await?;
        self.held_opening().await
    }

    /// A second session, its broker held back, so that the opening can be seen.
    async fn held_opening(&mut self) -> Result<()> {
        let broker = &self.fleet.targets[1].broker;
        self.window.click("nav button", "Clusters").await?;
        self.window.sees("#clusters .group", "Open now", SOON).await?;
        self.choose(STAGE).await?;
        self.timeline.part(&format!("session on {STAGE}, its broker held back for the picture"));
        broker.pause()?;
        self.window.click(&format!("#cluster-{STAGE} .once"), "").await?;
        self.window.sees("section h2", "Opening", SOON).await?;
        let pictured = self.both("opening").await;
        broker.resume()?;
        pictured?;
        self.window.sees(".truth", STAGE, LATER).await?;
        self.timeline.step("open after the broker came back");
        self.window
            .until(
                "a prompt",
                "return document.querySelector('.xterm-rows')?.textContent.trim().length > 0",
                SOON,
            )
            .await?;
        self.window.click("nav button", "Clusters").await?;
        self.window.sees("#clusters .row", "debug", SOON).await?;
        self.both("clusters-open").await
    }

    async fn audit(&mut self) -> Result<()> {
        self.timeline.part("history");
        self.window.click("nav button", "Audit").await?;
        self.window.sees("#entries [role=row]", "", SOON).await?;
        self.timeline.step("the history is listed");
        self.window.click("button", "Verify").await?;
        self.window.sees(".chip", "chain verified", SOON).await?;
        self.timeline.step("its chain is verified, anchored by a key in the keyring");
        self.window.click("#entries [role=row]", "pods").await?;
        self.both("audit").await?;
        self.window.press(&['?']).await?;
        self.window.sees("dialog", "", SOON).await?;
        self.both("keys").await?;
        self.window.press(&[key::ESCAPE]).await
    }

    /// The main views on a large screen.
    async fn large(&mut self) -> Result<()> {
        let (width, height) = self.window.resize(1920, 1080).await?;
        if (width, height) != (1920, 1080) {
            println!("             the window became {width}×{height} instead of 1920×1080");
        }
        for view in ["Audit", "Clusters", "Sessions"] {
            self.window.click("nav button", view).await?;
            tokio::time::sleep(Duration::from_millis(300)).await;
            self.both(&format!("{}-1920", view.to_lowercase())).await?;
        }
        self.window.resize(1280, 800).await?;
        Ok(())
    }

    async fn way_out(&mut self) -> Result<()> {
        self.timeline.part("way out");
        self.window.click("nav button", "Sessions").await?;
        self.window
            .click("[role=tablist] [role=tab], .tabs button, [aria-label='Sessions'] button", PRODUCTION)
            .await?;
        self.window.sees(".truth", PRODUCTION, SOON).await?;
        self.timeline.skip();
        self.window.click(".truth button", "Leave").await?;
        let closing = self.window.rights_gone(PRODUCTION, LATER).await?;
        self.timeline.step("Leave: streams cut, terminals ended, a probe of the API server refused");
        if closing == Closing::RightsGone {
            self.both("closing-first").await?;
        } else {
            println!("             both stages of the proof ended together: no picture between them");
        }
        let proof = self.window.proven(PRODUCTION, LATER).await?;
        self.timeline.step("bindings and ServiceAccount removed, the token itself refused");
        println!(
            "             {}",
            proof.lines().filter(|l| !l.trim().is_empty()).collect::<Vec<_>>().join(" | ")
        );
        self.both("closing-proof").await?;
        self.window.click(".who button", "dana").await?;
        self.window.click(".menu .item", "Sign out").await?;
        self.window.sees("dialog", "Sign out?", SOON).await?;
        self.both("sign-out").await?;
        self.timeline.skip();
        self.window.click("dialog .btn", "Sign out").await?;
        self.window.sees("button", "Sign in", LATER).await?;
        self.timeline.step("signed out; the session that was open is ended");
        self.window.sees("[aria-label='Sessions that ended']", STAGE, SOON).await?;
        let ended = "return [...document.querySelectorAll(\"[aria-label='Sessions that ended'] li\")].map((e) => e.innerText)\
                     .find((t) => t.includes(arguments[0]) && t.includes('rights gone') && t.includes('token refused') && !/not shown|…/.test(t)) ?? null";
        let ended = ended.replace("arguments[0]", &serde_json::json!(STAGE).to_string());
        self.window.until("both stages of the last proof", &ended, LATER).await?;
        self.timeline.step("and proven closed");
        self.both("signed-out-proof").await?;
        // The page goes with the app, so no answer is expected.
        let _ = self.window.invoke("quit", serde_json::json!({})).await;
        self.window.ended(SOON).await?;
        self.timeline.step("quit");
        Ok(())
    }

    /// The view in both themes, changed by the app's own command; it stays dark.
    async fn both(&mut self, name: &str) -> Result<()> {
        for theme in ["light", "dark"] {
            self.window.theme(theme).await?;
            self.window.screenshot(&self.pictures.join(format!("{name}-{theme}.png"))).await?;
        }
        self.timeline.skip();
        Ok(())
    }
}
