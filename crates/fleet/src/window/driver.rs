//! WebKitWebDriver (W3C WebDriver over plain HTTP on a loopback port).

use super::Desk;
use anyhow::{Context as _, Result};
use sallyport_testkit::ports::Port;
use sallyport_testkit::process::{Launch, Process};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// The key WebDriver gives elements under.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A running driver with at most one session.
pub struct Driver {
    http: reqwest::Client,
    base: String,
    session: String,
    process: Process,
    _port: Port,
}

impl Driver {
    /// Starts it on `desk`; the app it will start inherits `env`.
    pub(super) async fn start(desk: &Desk, env: &[(&str, &str)]) -> Result<Self> {
        let port = Port::claim()?;
        let mut launch = Launch::new(desk.next_name("window"), "WebKitWebDriver", desk.path())
            .arg(format!("--port={}", port.number()))
            .arg("--host=127.0.0.1");
        for (name, value) in desk
            .env()
            .iter()
            .chain(env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>().iter())
        {
            launch = launch.env(name, value);
        }
        let process =
            launch.env("TAURI_AUTOMATION", "true").env("TAURI_WEBVIEW_AUTOMATION", "true").start()?;
        let http = reqwest::Client::builder()
            // The driver speaks plain HTTP; the client wants to know about TLS all the same.
            .use_preconfigured_tls(sallyport_testkit::browser::tls("")?)
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()?;
        let base = format!("http://127.0.0.1:{}", port.number());
        let driver = Self { http, base, session: String::new(), process, _port: port };
        sallyport_testkit::process::wait_until(
            "WebKitWebDriver",
            Duration::from_secs(60),
            &[&driver.process],
            async || driver.call("GET", "/status", None).await.is_ok(),
        )
        .await?;
        Ok(driver)
    }

    /// Starts the app.
    pub(super) async fn open(&mut self, binary: &Path) -> Result<()> {
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "webkitgtk:browserOptions": {"binary": binary, "args": []},
        }}});
        let session = self.call("POST", "/session", Some(wanted)).await?;
        self.session = session["sessionId"].as_str().context("a session has an id")?.to_owned();
        Ok(())
    }

    /// The last lines that the driver and the app wrote.
    pub(super) fn log(&self) -> String {
        self.process.log_tail(30)
    }

    /// The driver's own process.
    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Stops the driver and the app, which is in its process group.
    pub(super) fn pause(&self) -> Result<()> {
        self.process.pause()
    }

    /// Lets both go on.
    pub(super) fn resume(&self) -> Result<()> {
        self.process.resume()
    }

    /// One step of the session.
    pub(super) async fn act(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        self.call(method, &format!("/session/{}{path}", self.session), body).await
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        let mut request = self.http.request(method.parse()?, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.context("talk to WebKitWebDriver")?;
        let (ok, mut answer) = (answer.status().is_success(), answer.json::<Value>().await?);
        let value = answer["value"].take();
        if ok {
            Ok(value)
        } else {
            let part = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
            let what = format!("{method} {}", path.rsplit('/').next().unwrap_or_default());
            Err(Refused { what, error: part("error"), message: part("message") }.into())
        }
    }
}

/// The driver's no.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {error}: {message}")]
struct Refused {
    what: String,
    /// The error code of WebDriver (W3C, §6.6).
    error: String,
    message: String,
}

/// Whether an element was gone from the page by the time the driver spoke of it.
pub(super) fn is_stale(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.error == "stale element reference")
}

/// Whether an element could not be clicked as the page is at this moment: it was drawn anew, is being moved, or something
/// that goes by itself lies over it.
pub(super) fn may_pass(error: &anyhow::Error) -> bool {
    let of = |refused: &Refused| {
        ["element not interactable", "element click intercepted"].contains(&refused.error.as_str())
    };
    is_stale(error) || error.downcast_ref::<Refused>().is_some_and(of)
}

/// The id of an element that a script returned.
pub(super) fn element(value: &Value) -> Option<&str> {
    value[ELEMENT].as_str()
}
