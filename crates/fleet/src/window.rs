//! The real window, driven: the app's binary on an X display of its own, with a session bus and an unlocked keyring,
//! through WebKitWebDriver.
//!
//! WebKitWebDriver starts the binary itself (`webkitgtk:browserOptions`); the two `TAURI_…AUTOMATION` variables make
//! wry hand its web view to it. There is no window manager on the display, so the window is where it was put.

mod desk;
mod driver;
mod report;
mod seat;
mod secrets;

pub use desk::Desk;
pub use driver::Driver;
pub use report::Closing;
pub use seat::{LATER, SOON, Seat, Set};
pub use secrets::Secrets;

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Keys that have no character of their own (WebDriver §17.4.2).
pub mod key {
    /// Enter.
    pub const ENTER: char = '\u{E007}';
    /// Escape.
    pub const ESCAPE: char = '\u{E00C}';
    /// Tab.
    pub const TAB: char = '\u{E004}';
    /// End.
    pub const END: char = '\u{E010}';
    /// Home.
    pub const HOME: char = '\u{E011}';
    /// Arrow left.
    pub const LEFT: char = '\u{E012}';
    /// Arrow right.
    pub const RIGHT: char = '\u{E014}';
    /// Arrow down.
    pub const DOWN: char = '\u{E015}';
    /// Control.
    pub const CONTROL: char = '\u{E009}';
    /// Shift.
    pub const SHIFT: char = '\u{E008}';
}

/// The app's own binary, beside the program that runs; `SALLYPORT_WINDOW_BIN` names another.
///
/// # Errors
/// When it has not been built.
pub fn binary() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("SALLYPORT_WINDOW_BIN") {
        return Ok(given.into());
    }
    let own = std::env::current_exe()?;
    let folder = own.parent().context("an executable is in a folder")?;
    // Tests are in target/<profile>/deps, programs one above.
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    let binary = folder.join("sallyport-desktop");
    ensure!(binary.is_file(), "{} is not built: cargo build -p sallyport-desktop", binary.display());
    Ok(binary)
}

/// An open window. Dropping it ends the app and the driver.
pub struct Window {
    driver: Driver,
    /// From the start of the program until the page answered.
    pub started_in: Duration,
}

impl Window {
    /// Starts the app on `desk` and waits until its page shows something.
    ///
    /// # Errors
    /// When a program is missing or the page stays empty for a minute; with the app's last words.
    pub async fn open(desk: &Desk, env: &[(&str, &str)]) -> Result<Self> {
        let driver = Driver::start(desk, env).await?;
        let started = Instant::now();
        let mut window = Self { driver, started_in: Duration::ZERO };
        window
            .driver
            .open(&binary()?)
            .await
            .with_context(|| format!("start the window\n{}", window.log()))?;
        window.drawn().await?;
        window.started_in = started.elapsed();
        Ok(window)
    }

    async fn drawn(&self) -> Result<()> {
        let drawn =
            "return document.readyState === 'complete' && document.querySelector('main, .app') !== null";
        self.until("the page", drawn, Duration::from_secs(60)).await.map(drop)
    }

    /// How many windows the app shows.
    ///
    /// # Errors
    /// When the driver does not answer.
    pub async fn windows(&self) -> Result<usize> {
        let handles = self.driver.act("GET", "/window/handles", None).await?;
        Ok(handles.as_array().map_or(0, Vec::len))
    }

    /// Loads the page anew, as no key of the app does.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn reload(&self) -> Result<()> {
        self.driver.act("POST", "/refresh", Some(json!({}))).await?;
        self.drawn().await
    }

    /// Stops the app where it is (SIGSTOP), and the driver with it: nothing can be asked of the window until
    /// [`Window::resume`].
    ///
    /// # Errors
    /// When it has ended.
    pub fn pause(&self) -> Result<()> {
        self.driver.pause()
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it has ended.
    pub fn resume(&self) -> Result<()> {
        self.driver.resume()
    }

    /// What the app and the processes of its page hold of memory, in bytes; what they share counts once.
    ///
    /// # Errors
    /// When nothing of the app runs.
    pub fn memory(&self) -> Result<u64> {
        sallyport_testkit::memory::of_children(self.driver.pid())
    }

    /// What the app and the processes of its page have taken of the processor so far, each by its name.
    ///
    /// # Errors
    /// When nothing of the app runs.
    pub fn processor(&self) -> Result<Vec<(String, Duration)>> {
        sallyport_testkit::processor::of_children(self.driver.pid())
    }

    /// What the app and the driver wrote to standard error, the last of it.
    #[must_use]
    pub fn log(&self) -> String {
        self.driver.log()
    }

    /// Runs a function body in the page and returns what it returns.
    ///
    /// # Errors
    /// When it throws, or the window is gone.
    pub async fn run(&self, body: &str, args: Value) -> Result<Value> {
        self.driver.act("POST", "/execute/sync", Some(json!({"script": body, "args": args}))).await
    }

    /// As [`Window::run`], for a body that awaits; 10 s at most.
    ///
    /// # Errors
    /// When it throws.
    pub async fn run_async(&self, body: &str, args: Value) -> Result<Value> {
        let script = format!(
            "const done = arguments[arguments.length - 1];\
             (async function() {{ {body} }}).apply(null, arguments).then(done, (e) => done({{ threw: String(e?.message ?? e) }}))"
        );
        self.driver.act("POST", "/execute/async", Some(json!({"script": script, "args": args}))).await
    }

    /// Waits until a function body returns something true, and returns it.
    ///
    /// # Errors
    /// After `within`, naming `what` and the text on screen.
    pub async fn until(&self, what: &str, body: &str, within: Duration) -> Result<Value> {
        let began = Instant::now();
        loop {
            match self.run(body, json!([])).await {
                Ok(Value::Null | Value::Bool(false)) => {}
                // Drawn anew between being found and being named: the next look finds what took its place.
                Err(error) if driver::is_stale(&error) => {}
                seen => return seen.with_context(|| format!("wait for {what}")),
            }
            if began.elapsed() > within {
                let text = self.text("body").await.unwrap_or_default().replace('\n', " | ");
                let text: String = text.chars().take(1500).collect();
                bail!("{what}: not there after {within:?}; the window shows: {text}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until an element that `css` names is shown with `text` in it.
    ///
    /// # Errors
    /// As [`Window::until`].
    pub async fn sees(&self, css: &str, text: &str, within: Duration) -> Result<()> {
        let body = format!("return {} !== null", shown(css, text));
        self.until(&format!("{css} with “{text}”"), &body, within).await.map(drop)
    }

    /// Whether that is so now.
    ///
    /// # Errors
    /// When the window is gone.
    pub async fn has(&self, css: &str, text: &str) -> Result<bool> {
        Ok(self.run(&format!("return {} !== null", shown(css, text)), json!([])).await? == Value::Bool(true))
    }

    /// The text shown in the first element that `css` names.
    ///
    /// # Errors
    /// When there is none.
    pub async fn text(&self, css: &str) -> Result<String> {
        let text =
            self.run("return document.querySelector(arguments[0])?.innerText ?? null", json!([css])).await?;
        Ok(text.as_str().with_context(|| format!("no {css} in the window"))?.to_owned())
    }

    /// Clicks the first shown element that `css` names with `text` in it, waiting up to 30 s for it to be enabled.
    ///
    /// # Errors
    /// When there is none.
    pub async fn click(&self, css: &str, text: &str) -> Result<()> {
        let body = format!("const e = {}; return e && !e.disabled ? e : null", shown(css, text));
        let (what, within) = (format!("{css} with “{text}” to click"), Duration::from_secs(30));
        let began = Instant::now();
        loop {
            let element = self.until(&what, &body, within.saturating_sub(began.elapsed())).await?;
            let element = driver::element(&element).context("a page answers with an element")?;
            match self.driver.act("POST", &format!("/element/{element}/click"), Some(json!({}))).await {
                // Nothing was clicked, and the next look may find it where it stays.
                Err(error) if driver::may_pass(&error) && began.elapsed() < within => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                clicked => return clicked.map(drop),
            }
        }
    }

    /// Types into the first element that `css` names.
    ///
    /// # Errors
    /// When there is none or it takes no text.
    pub async fn type_into(&self, css: &str, text: &str) -> Result<()> {
        let found = json!({"using": "css selector", "value": css});
        let found = self.driver.act("POST", "/element", Some(found)).await?;
        let element = driver::element(&found).with_context(|| format!("no {css} in the window"))?;
        self.driver
            .act("POST", &format!("/element/{element}/value"), Some(json!({"text": text})))
            .await
            .map(drop)
    }

    /// Presses `keys` together, in this order, and lets them go: Ctrl, Shift, P.
    ///
    /// # Errors
    /// When the window is gone.
    pub async fn press(&self, keys: &[char]) -> Result<()> {
        let of = |kind: &str, key: &char| json!({"type": kind, "value": key.to_string()});
        let down = keys.iter().map(|k| of("keyDown", k));
        let up = keys.iter().rev().map(|k| of("keyUp", k));
        let actions: Vec<Value> = down.chain(up).collect();
        let body = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.driver.act("POST", "/actions", Some(body)).await.map(drop)
    }

    /// Asks for another size of the window, and says what it became.
    ///
    /// # Errors
    /// When the window is gone.
    pub async fn resize(&self, width: u32, height: u32) -> Result<(u64, u64)> {
        self.driver
            .act("POST", "/window/rect", Some(json!({"x": 0, "y": 0, "width": width, "height": height})))
            .await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let size = self.run("return [innerWidth, innerHeight]", json!([])).await?;
        Ok((size[0].as_u64().unwrap_or_default(), size[1].as_u64().unwrap_or_default()))
    }

    /// Writes what is in the window to a PNG file, once what the page last changed is on screen.
    ///
    /// # Errors
    /// When the window is gone or the file can't be written.
    pub async fn screenshot(&self, path: &Path) -> Result<()> {
        let drawn = "for (let i = 0; i < 3; i++) await new Promise((r) => requestAnimationFrame(r))";
        self.run_async(drawn, json!([])).await?;
        tokio::time::sleep(Duration::from_millis(250)).await;
        let png = self.driver.act("GET", "/screenshot", None).await?;
        let png = STANDARD.decode(png.as_str().context("a screenshot is base64")?)?;
        std::fs::write(path, png).with_context(|| format!("write {}", path.display()))
    }

    /// Calls one of the app's commands as the page would; an error comes back as `{"threw": …}` or `{"refused": …}`.
    ///
    /// # Errors
    /// When the window is gone.
    pub async fn invoke(&self, command: &str, args: Value) -> Result<Value> {
        let body = "try { return { ok: await window.__TAURI_INTERNALS__.invoke(arguments[0], arguments[1]) ?? null } }\
                    catch (e) { return { refused: e } }";
        self.run_async(body, json!([command, args])).await
    }

    /// Chooses a theme by the app's own command and waits until the page shows it.
    ///
    /// # Errors
    /// When it does not.
    pub async fn theme(&self, theme: &str) -> Result<()> {
        self.invoke("theme_set", json!({"theme": theme})).await?;
        let shown = format!("return document.documentElement.dataset.theme === '{theme}'");
        self.until(&format!("the {theme} theme"), &shown, Duration::from_secs(30)).await.map(drop)
    }

    /// The text in the terminal on screen.
    ///
    /// # Errors
    /// When the window is gone.
    pub async fn terminal(&self) -> Result<String> {
        let rows = "return [...document.querySelectorAll('.xterm-rows > div')].map((r) => r.textContent).join('\\n')";
        Ok(self.run(rows, json!([])).await?.as_str().unwrap_or_default().to_owned())
    }

    /// How the terminal on screen is drawn, for messages: its element, its rows, its fonts.
    ///
    /// # Errors
    /// When the window is gone.
    pub async fn terminal_state(&self) -> Result<Value> {
        let state = "const size = (css) => { const e = document.querySelector(css); return e && [e.clientWidth, e.clientHeight] };\
                     return { place: size('.term .place'), shell: size('.term .shell'), screen: size('.xterm-screen'),\
                     rows: document.querySelectorAll('.xterm-rows > div').length, shown: document.visibilityState,\
                     fonts: [...document.fonts].filter((f) => f.family.includes('Mono')).map((f) => f.status) }";
        self.run(state, json!([])).await
    }

    /// Waits until the terminal shows `text`.
    ///
    /// # Errors
    /// After `within`.
    pub async fn terminal_shows(&self, text: &str, within: Duration) -> Result<()> {
        let body = format!(
            "return [...document.querySelectorAll('.xterm-rows > div')].some((r) => r.textContent.includes({}))",
            json!(text)
        );
        self.until(&format!("“{text}” in the terminal"), &body, within).await.map(drop)
    }

    /// Types into the terminal on screen.
    ///
    /// # Errors
    /// When there is none.
    pub async fn terminal_type(&self, text: &str) -> Result<()> {
        self.type_into(".xterm-helper-textarea", text).await
    }

    /// Waits until the app's process has ended by itself.
    ///
    /// # Errors
    /// After `within`.
    pub async fn ended(&self, within: Duration) -> Result<()> {
        let began = Instant::now();
        while self.run("return 1", json!([])).await.is_ok() {
            ensure!(began.elapsed() < within, "the app is still there after {within:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

/// An expression for the first shown element that `css` names with `text` in it.
fn shown(css: &str, text: &str) -> String {
    format!(
        "([...document.querySelectorAll({})].find((e) => e.getClientRects().length > 0 && (e.innerText ?? '').includes({})) ?? null)",
        json!(css),
        json!(text)
    )
}
