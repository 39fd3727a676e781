//! One person at their desk, with the app's window before them.

use super::waits::{LATER, SOON};
use anyhow::{Context as _, Result, bail};
use sallyport_fleet::Fleet;
use sallyport_fleet::window::{Desk, Window, key};
use sallyport_testkit::browser::{FormBrowser, Person, UrlCatcher};
use serde_json::json;
use std::time::{Duration, Instant};

/// How long a key is given to show what it does, before it is pressed again.
const AGAIN: Duration = Duration::from_secs(2);

/// A desk of somebody's own: display, bus, keyring, data and runtime directory. The window first: it ends before its
/// display.
pub(super) struct Seat {
    pub(super) name: &'static str,
    pub(super) window: Window,
    pub(super) urls: UrlCatcher,
    pub(super) desk: Desk,
}

impl Seat {
    /// Sits down: the window is at its first run.
    pub(super) async fn take(fleet: &Fleet, name: &'static str) -> Result<Self> {
        let desk = Desk::start((1920, 1080)).await?;
        let workspace = desk.path().join("workspace.json");
        std::fs::write(&workspace, fleet.workspace_file())?;
        let urls = UrlCatcher::new()?;
        let kubectl = fleet.target().plane.assets().kubectl().parent().context("kubectl is in a folder")?;
        let (workspace, script) = (workspace.display().to_string(), urls.script().display().to_string());
        let kubectl = kubectl.display().to_string();
        let env = [
            ("SALLYPORT_DEMO", workspace.as_str()),
            ("SALLYPORT_KUBECTL_DIR", kubectl.as_str()),
            ("BROWSER", script.as_str()),
        ];
        let window = Window::open(&desk, &env).await?;
        window.resize(1280, 800).await?;
        Ok(Self { name, window, urls, desk })
    }

    /// Signs in as somebody, and sees the clusters.
    pub(super) async fn sign_in(&mut self, fleet: &Fleet, sub: &str) -> Result<()> {
        self.in_browser(fleet, sub).await?;
        self.window.sees("#clusters .row", super::waits::PRODUCTION, LATER).await
    }

    /// Goes through the provider's pages as somebody, in a browser of their own that reads forms alone.
    pub(super) async fn in_browser(&mut self, fleet: &Fleet, sub: &str) -> Result<()> {
        self.window.click("button", "Sign in").await?;
        let url = self.urls.next(SOON).await?;
        FormBrowser::new(fleet.idp.ca_pem(), Person::of(&fleet.idp, sub))?.sign_in(&url).await.map(drop)
    }

    /// Signs out, and waits until somebody else could sign in.
    pub(super) async fn sign_out(&self) -> Result<()> {
        self.window.click("dialog .btn", "Sign out").await?;
        self.window.sees("button", "Sign in", LATER).await
    }

    /// Opens the menu under the person's name and asks to sign out: the window says what ends by it.
    pub(super) async fn asks_to_sign_out(&self) -> Result<()> {
        self.window.click(".who button", "@").await?;
        self.window.click(".menu .item", "Sign out").await?;
        self.window.sees("dialog", "Sign out?", SOON).await
    }

    /// Goes to a view by the rail.
    pub(super) async fn view(&self, title: &str) -> Result<()> {
        self.window.click("nav button", title).await?;
        self.window.sees("nav button[aria-current=page]", title, SOON).await
    }

    /// Shows a part of the requests.
    pub(super) async fn requests(&self, tab: &str) -> Result<()> {
        self.view("Requests").await?;
        self.window.click("[aria-label=Whose] button", tab).await?;
        self.window.sees("[aria-label=Whose] button[aria-pressed=true]", tab, SOON).await
    }

    /// Selects the request whose row says all of this.
    pub(super) async fn pick(&self, says: &[&str]) -> Result<()> {
        let found = format!(
            "const row = [...document.querySelectorAll('#requests .row')].find((e) => {}.every((word) => e.innerText.includes(word)));\
             return row?.id ?? null",
            json!(says)
        );
        let id = self.window.until(&format!("a request that says {says:?}"), &found, LATER).await?;
        let id = id.as_str().context("an id is text")?;
        self.window.click(&format!("#{id}"), "").await?;
        self.window.sees(&format!("#{id}[aria-selected=true]"), "", SOON).await
    }

    /// Selects the one request that says all of that, once there is no other.
    pub(super) async fn pick_alone(&self, says: &[&str]) -> Result<()> {
        let alone = format!(
            "const rows = [...document.querySelectorAll('#requests .row')].filter((e) => {}.every((word) => e.innerText.includes(word)));\
             return rows.length === 1",
            json!(says)
        );
        self.window.until(&format!("one request alone that says {says:?}"), &alone, LATER).await?;
        self.pick(says).await
    }

    /// Selects a cluster in the list. A click can fall on another row while the list regroups after an opening, as it
    /// can for a person, who then clicks again.
    pub(super) async fn choose(&self, cluster: &str) -> Result<()> {
        self.view("Clusters").await?;
        for _ in 0..5 {
            self.window.click("#clusters .row", cluster).await?;
            if self.window.sees("aside h2", cluster, AGAIN).await.is_ok() {
                break;
            }
        }
        self.window.sees("aside h2", cluster, SOON).await?;
        self.window.sees("aside form button", "", SOON).await
    }

    /// Selects a profile of the cluster that is looked at.
    pub(super) async fn profile(&self, name: &str) -> Result<()> {
        self.window.click("aside label.profile", name).await?;
        self.window.sees("aside label.profile.on", name, SOON).await
    }

    /// Clicks until the window shows what that does: a form that is drawn anew at that very moment hears no click.
    pub(super) async fn clicks(&self, (button, label): (&str, &str), css: &str, text: &str) -> Result<()> {
        let began = Instant::now();
        loop {
            let clicked = self.window.click(button, label).await;
            match self.window.sees(css, text, AGAIN).await {
                Ok(()) => return Ok(()),
                Err(error) if began.elapsed() > LATER => return Err(clicked.err().unwrap_or(error)),
                Err(_) => {}
            }
        }
    }

    /// Presses keys until the window shows what they do: a row that moved a moment ago takes none, and says so.
    pub(super) async fn keys(&self, keys: &[char], css: &str, text: &str) -> Result<()> {
        let began = Instant::now();
        loop {
            self.window.press(keys).await?;
            match self.window.sees(css, text, AGAIN).await {
                Ok(()) => return Ok(()),
                Err(error) if began.elapsed() > LATER => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Presses Enter until what the window asks is asked no longer.
    pub(super) async fn answers(&self, asked: &str) -> Result<()> {
        let began = Instant::now();
        let gone = format!("return document.querySelector({}) === null", json!(asked));
        loop {
            self.window.press(&[key::ENTER]).await?;
            match self.window.until(&format!("{asked} to go"), &gone, AGAIN).await {
                Ok(_) => return Ok(()),
                Err(error) if began.elapsed() > LATER => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Confirms a decision by Enter, as often as it is asked for, until the window tells what was said.
    pub(super) async fn confirms(&self, said: &str) -> Result<()> {
        self.keys(&[key::ENTER], "aside footer .said", said).await
    }

    /// Puts away what is said at the foot of the window, as one who has read it does.
    pub(super) async fn has_read(&self) -> Result<()> {
        while self.window.has(".stack .toast", "").await? {
            self.window.click(".stack button[aria-label=Dismiss]", "").await?;
        }
        Ok(())
    }

    /// Puts every session away, each once it is closed.
    pub(super) async fn puts_away(&self) -> Result<()> {
        let tabs = "document.querySelectorAll('[role=tablist] [role=tab]').length";
        while let Some(n @ 1..) = self.window.run(&format!("return {tabs}"), json!([])).await?.as_u64() {
            self.window.sees("section[aria-label^=Closing] button", "Done", LATER).await?;
            self.window.click("section[aria-label^=Closing] button", "Done").await?;
            self.window.until("one tab less", &format!("return {tabs} < {n}"), SOON).await?;
        }
        Ok(())
    }

    /// Waits until an element is shown no longer.
    pub(super) async fn sees_no(&self, css: &str, text: &str) -> Result<()> {
        let began = Instant::now();
        while self.window.has(css, text).await? {
            if began.elapsed() > LATER {
                bail!("{css} with “{text}” is still shown after {LATER:?}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Waits until a session is open and its shell waits for a line.
    pub(super) async fn in_session(&self, cluster: &str, profile: &str) -> Result<()> {
        self.window.sees(".truth", cluster, LATER).await?;
        self.window.sees(".truth", profile, LATER).await?;
        let prompt = "return document.querySelector('.xterm-rows')?.textContent.trim().length > 0";
        self.window.until("a prompt", prompt, SOON).await.map(drop)
    }
}
