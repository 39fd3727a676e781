//! Chromium, driven over WebDriver (W3C) by chromedriver.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{Browser, Person, Profile};

/// The key WebDriver gives elements under.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How Chromium is to run.
#[derive(Clone)]
pub struct ChromiumOptions {
    /// The CA to trust, PEM.
    pub ca_pem: String,
    /// The X display, like `:99`; `None` runs without a window.
    pub display: Option<String>,
    /// The window's size in CSS pixels.
    pub size: (u32, u32),
    /// Whether pages see a dark desktop.
    pub dark: bool,
}

impl ChromiumOptions {
    /// Without a window, 1000 × 720, dark.
    #[must_use]
    pub fn headless(ca_pem: &str) -> Self {
        Self { ca_pem: ca_pem.to_owned(), display: None, size: (1000, 720), dark: true }
    }
}

/// A running Chromium used by one person. Dropping it ends it, and its profile goes too.
pub struct Chromium {
    person: Person,
    http: reqwest::Client,
    session: String,
    // Before the profile: Chromium writes to it until it ends.
    driver: Driver,
    profile: Profile,
}

impl Drop for Chromium {
    fn drop(&mut self) {
        self.driver.stop();
        self.profile.wait_until_unused();
    }
}

/// chromedriver, and the thread it was forked from: the kernel's parent-death signal follows that thread.
struct Driver {
    child: Child,
    base: String,
    _thread: mpsc::Sender<()>,
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Driver {
    /// Chromium hangs on a pipe of chromedriver's and ends with it.
    fn stop(&mut self) {
        // Gone already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn start(home: &Path, display: Option<&str>) -> Result<Self> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "chromedriver", "--port=0"]);
        // Chromium leaves folders there when it is killed, and this one goes with its profile.
        command.env("TMPDIR", home);
        command.env("HOME", home).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").current_dir(home);
        if let Some(display) = display {
            command.env("DISPLAY", display);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let (thread, alive) = mpsc::channel::<()>();
        let (send, forked) = mpsc::channel();
        std::thread::Builder::new().name("chromedriver".into()).spawn(move || {
            // The receiver waits below.
            let _ = send.send(command.spawn());
            // Ends when the driver's owner drops its side.
            let _ = alive.recv();
        })?;
        let mut child = forked.recv()?.context("start chromedriver under setpriv: both must be installed")?;
        let out = BufReader::new(child.stdout.take().context("a piped stdout")?);
        let mut driver = Self { child, base: String::new(), _thread: thread };
        for line in out.lines() {
            let line = line.context("read from chromedriver")?;
            if let Some(port) = line.split("started successfully on port ").nth(1) {
                driver.base = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
                return Ok(driver);
            }
        }
        bail!("chromedriver ended before it listened")
    }
}

impl Chromium {
    /// Starts Chromium with a throwaway profile.
    ///
    /// # Errors
    /// When chromium, chromedriver, certutil or setpriv is missing, or the browser does not come up.
    pub async fn start(options: ChromiumOptions, person: Person) -> Result<Self> {
        let (profile, driver) = tokio::task::spawn_blocking({
            let options = options.clone();
            move || {
                let profile = Profile::new(&options.ca_pem)?;
                let driver = Driver::start(profile.home(), options.display.as_deref())?;
                anyhow::Ok((profile, driver))
            }
        })
        .await??;
        let http = reqwest::Client::builder()
            // chromedriver speaks plain HTTP; the client wants to know about TLS all the same.
            .use_preconfigured_tls(super::tls("")?)
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()?;
        let mut arguments = profile.arguments();
        arguments.push(format!("--window-size={},{}", options.size.0, options.size.1));
        arguments.push("--remote-debugging-pipe".to_owned());
        if options.display.is_none() {
            arguments.push("--headless=new".to_owned());
        }
        if options.dark {
            arguments.push("--force-dark-mode".to_owned());
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "binary": "/usr/bin/chromium", "args": arguments },
        }}});
        let mut browser = Self { person, http, session: String::new(), driver, profile };
        let session = browser.call("POST", "/session", Some(wanted)).await.context("start chromium")?;
        browser.session = session["sessionId"].as_str().context("a session has an id")?.to_owned();
        Ok(browser)
    }

    /// The folder of its profile, which every process of it names and which goes with it.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.profile.home()
    }

    /// Opens a page and waits until it has loaded.
    ///
    /// # Errors
    /// When it can't be loaded, an untrusted certificate included.
    pub async fn go(&self, url: &str) -> Result<()> {
        self.act("POST", "/url", Some(json!({ "url": url }))).await?;
        // Chromium's own page about what is wrong counts as loaded.
        if self.find("#main-message").await?.is_some() {
            bail!("{url} can't be opened: {}", self.text("body").await?);
        }
        Ok(())
    }

    /// Where the browser is.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn url(&self) -> Result<String> {
        let url = self.act("GET", "/url", None).await?;
        Ok(url.as_str().unwrap_or_default().to_owned())
    }

    /// The text a person sees in the first element that matches `css`.
    ///
    /// # Errors
    /// When there is no such element.
    pub async fn text(&self, css: &str) -> Result<String> {
        let element = self.find(css).await?.with_context(|| format!("no {css} on the page"))?;
        let text = self.act("GET", &format!("/element/{element}/text"), None).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Types into the first element that matches `css`, in place of what is there.
    ///
    /// # Errors
    /// When there is no such element.
    pub async fn fill(&self, css: &str, text: &str) -> Result<()> {
        let element = self.find(css).await?.with_context(|| format!("no {css} on the page"))?;
        self.act("POST", &format!("/element/{element}/clear"), Some(json!({}))).await?;
        self.act("POST", &format!("/element/{element}/value"), Some(json!({ "text": text }))).await.map(drop)
    }

    /// Clicks the first element that matches `css`.
    ///
    /// # Errors
    /// When there is no such element.
    pub async fn click(&self, css: &str) -> Result<()> {
        let element = self.find(css).await?.with_context(|| format!("no {css} on the page"))?;
        self.act("POST", &format!("/element/{element}/click"), Some(json!({}))).await.map(drop)
    }

    /// Clicks a button that sends a form, and waits until the page it is on is gone. WebDriver waits for the page that a
    /// click leads to only where its loading has begun by the time the click is answered.
    ///
    /// # Errors
    /// When there is no such element, or the page stays for 30 s.
    pub async fn submit(&self, css: &str) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        let element = self.find(css).await?.with_context(|| format!("no {css} on the page"))?;
        let of_it = |what: &str| format!("/element/{element}/{what}");
        self.act("POST", &of_it("click"), Some(json!({}))).await?;
        while self.act("GET", &of_it("enabled"), None).await.is_ok() {
            ensure!(Instant::now() < deadline, "{css} led nowhere; the browser is at {}", self.url().await?);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Writes what is in the window to a PNG file.
    ///
    /// # Errors
    /// When the browser is gone or the file can't be written.
    pub async fn screenshot(&self, path: &Path) -> Result<()> {
        let png = self.act("GET", "/screenshot", None).await?;
        let png = STANDARD.decode(png.as_str().context("a screenshot is base64")?)?;
        std::fs::write(path, png).with_context(|| format!("write {}", path.display()))
    }

    /// Signs the person in at `url` and waits until the browser is back at the application; returns the text of the
    /// page it ended on.
    ///
    /// # Errors
    /// When a form is refused, with the page's own message, or the way does not end within 30 s.
    pub async fn sign_in(&self, url: &str) -> Result<String> {
        self.go(url).await?;
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            ensure!(
                Instant::now() < deadline,
                "the sign-in did not end; the browser is at {}",
                self.url().await?
            );
            if self.url().await?.starts_with("http://127.0.0.1:") {
                return self.text("body").await;
            }
            if self.find("#error").await?.is_some() {
                bail!(self.text("#error").await?);
            }
            if self.find("#password-form").await?.is_some() {
                self.fill("#username", &self.person.username).await?;
                self.fill("#password", &self.person.password).await?;
            } else if self.find("#code-form").await?.is_some() {
                self.fill("#code", &self.person.code().await?).await?;
            } else if self.find("#confirm-form").await?.is_none() {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            self.submit("#submit").await?;
        }
    }

    /// Ends the browser and waits for it; dropping it does the same less politely.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn quit(self) -> Result<()> {
        self.act("DELETE", "", None).await.map(drop)
    }

    async fn find(&self, css: &str) -> Result<Option<String>> {
        let found =
            self.act("POST", "/elements", Some(json!({ "using": "css selector", "value": css }))).await?;
        Ok(found[0][ELEMENT].as_str().map(str::to_owned))
    }

    async fn act(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        self.call(method, &format!("/session/{}{path}", self.session), body).await
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        let url = format!("{}{path}", self.driver.base);
        let mut request = self.http.request(method.parse()?, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.context("talk to chromedriver")?;
        let (ok, mut answer) = (answer.status().is_success(), answer.json::<Value>().await?);
        let value = answer["value"].take();
        if ok {
            Ok(value)
        } else {
            Err(anyhow!("{}", value["message"].as_str().unwrap_or("chromedriver failed")))
        }
    }
}

impl Browser for Chromium {
    fn open<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.sign_in(url).await.map(drop) })
    }
}
