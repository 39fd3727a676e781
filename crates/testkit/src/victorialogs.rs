//! A real VictoriaLogs, built from its Go module once and kept in the cache: HTTPS under a CA of its own, a password, a
//! folder that goes with it.

use std::io::SeekFrom;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::listing::Listing;
use crate::pki::Authority;
use crate::ports::Port;
use crate::process::{Launch, Process, Scratch, wait_until};

/// How long a start may take on a slow machine.
const START: Duration = Duration::from_secs(60);
/// Bytes of an audit log that are shipped at once.
const SHIPPED_MOST: u64 = 4 << 20;
const PASSWORD: &str = "a-password-of-a-test";

/// A running VictoriaLogs. Dropping it ends it and removes its files.
// Fields are dropped in this order: the program before its files.
pub struct VictoriaLogs {
    process: Option<Process>,
    program: PathBuf,
    ca_pem: String,
    http: reqwest::Client,
    port: Port,
    scratch: Scratch,
}

impl VictoriaLogs {
    /// Builds it if need be (about a minute on two cores, once), starts it and waits until it answers.
    ///
    /// # Errors
    /// When the build fails or it does not come up; with its last words.
    pub async fn start() -> Result<Self> {
        let program = Listing::of("victorialogs.sh").await?.path("victoria-logs")?;
        let scratch = Scratch::new("victorialogs")?;
        let authority = Authority::new("VictoriaLogs of a test")?;
        let server = authority.server(&["127.0.0.1"])?;
        scratch.write("cert.pem", server.cert_pem)?;
        scratch.write("key.pem", server.key_pem)?;
        scratch.write("ca.pem", authority.cert_pem())?;
        scratch.write("credential", format!("{}\n", authorization()))?;
        let ca_pem = authority.cert_pem();
        let http = reqwest::Client::builder()
            .use_preconfigured_tls(crate::browser::tls(&ca_pem)?)
            .timeout(Duration::from_secs(30))
            .no_proxy()
            .build()?;
        let mut found = Self { process: None, program, ca_pem, http, port: Port::claim()?, scratch };
        found.go_on().await?;
        Ok(found)
    }

    /// Starts it again, on its old port and with what it has; nothing while it runs.
    ///
    /// # Errors
    /// When it does not come up; with its last words.
    pub async fn go_on(&mut self) -> Result<()> {
        if self.process.is_some() {
            return Ok(());
        }
        let file = |name: &str| self.scratch.path().join(name).display().to_string();
        let process = Launch::new("victoria-logs", &self.program, self.scratch.path())
            .arg(format!("-httpListenAddr=127.0.0.1:{}", self.port.number()))
            .arg(format!("-storageDataPath={}", file("data")))
            .args(["-retentionPeriod=100y", "-memory.allowedBytes=256MiB", "-tls"])
            .args([format!("-tlsCertFile={}", file("cert.pem")), format!("-tlsKeyFile={}", file("key.pem"))])
            .args(["-httpAuth.username=team", &format!("-httpAuth.password={PASSWORD}")])
            .start()?;
        let health = format!("{}/health", self.url());
        wait_until("VictoriaLogs", START, &[&process], async || {
            self.http.get(&health).send().await.is_ok_and(|answer| answer.status().is_success())
        })
        .await?;
        self.process = Some(process);
        Ok(())
    }

    /// Ends it as an operator does (SIGTERM), so that all it has said it has is on its disk.
    ///
    /// # Errors
    /// When it has not ended after 30 s.
    pub async fn end(&mut self) -> Result<()> {
        let Some(process) = self.process.take() else { return Ok(()) };
        process.end(Duration::from_secs(30)).await
    }

    /// Kills it (SIGKILL): what came in the last 5 s may be lost.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port.number())
    }

    /// The authority to believe, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A file with that.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.scratch.path().join("ca.pem")
    }

    /// A file with what its clients send as `Authorization`.
    #[must_use]
    pub fn credential_file(&self) -> PathBuf {
        self.scratch.path().join("credential")
    }

    /// Asks it itself, around whatever is tested: the records that a query of LogsQL finds.
    ///
    /// # Errors
    /// When it does not answer, or with something else.
    pub async fn ask(&self, query: &str) -> Result<Vec<Value>> {
        // What came in the last second may not be seen yet.
        self.post("/internal/force_flush", &[]).await?;
        let text = self.post("/select/logsql/query", &[("query", query)]).await?;
        text.lines().map(|line| serde_json::from_str(line).context("a line of VictoriaLogs")).collect()
    }

    /// Whether its program is built, so that a start takes no minute.
    #[must_use]
    pub fn is_built() -> bool {
        let cache = std::env::var_os("SALLYPORT_CACHE").map(PathBuf::from);
        let cache = cache.or_else(|| Some(std::env::home_dir()?.join(".cache/sallyport")));
        let Some(tools) = cache.and_then(|cache| std::fs::read_dir(cache.join("tools")).ok()) else {
            return false;
        };
        tools.flatten().any(|tool| {
            tool.file_name().to_string_lossy().starts_with("victorialogs-v")
                && tool.path().join("bin/victoria-logs").is_file()
        })
    }

    /// Hands on what an API server wrote to its audit log from a byte on, as a team's own shipper would: whole lines, with
    /// the time of their stage and the cluster beside them. Where to go on.
    ///
    /// # Errors
    /// When the file can't be read, or the store does not take it.
    pub async fn ship(&self, cluster: &str, log: &Path, from: u64) -> Result<u64> {
        let mut file = tokio::fs::File::open(log).await.with_context(|| format!("open {}", log.display()))?;
        // Its rotation began it anew.
        let from = if file.metadata().await?.len() < from { 0 } else { from };
        file.seek(SeekFrom::Start(from)).await?;
        let mut bytes = Vec::new();
        file.take(SHIPPED_MOST).read_to_end(&mut bytes).await?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut body = String::new();
        for line in bytes[..whole].split(|byte| *byte == b'\n') {
            let Ok(event) = serde_json::from_slice::<Value>(line) else { continue };
            let record = json!({
                "_time": event["stageTimestamp"], "_msg": String::from_utf8_lossy(line), "cluster": cluster,
            });
            body.push_str(&record.to_string());
            body.push('\n');
        }
        if !body.is_empty() {
            let url = format!("{}/insert/jsonline?_stream_fields=cluster", self.url());
            let request = self.http.post(url).body(body).header("authorization", authorization());
            let answer = request.send().await?;
            ensure!(answer.status().is_success(), "VictoriaLogs answered {}", answer.status());
        }
        Ok(from + whole as u64)
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<String> {
        let request = self.http.post(format!("{}{path}", self.url())).form(form);
        let answer = request.header("authorization", authorization()).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "VictoriaLogs answered {status}: {text}");
        Ok(text)
    }
}

fn authorization() -> String {
    format!("Basic {}", STANDARD.encode(format!("team:{PASSWORD}")))
}
