//! The gateway in a process of its own: told what to do on stdin, one JSON line each, answers on stdout.

use std::process::Stdio;

use anyhow::{Context, Result};
use sallyport_gateway::{CutReason, Gateway, GatewayOptions, Ports, Upstream};
use sallyport_model::{GrantUid, Jti, RequestUid, Scope, Secret, SessionId, Ttl};
use sallyport_policy::{SessionFacts, admit_session};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines, Stdin};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

#[derive(Serialize, Deserialize)]
struct Setup {
    endpoint: String,
    ca_pem: String,
    token: String,
}

#[derive(Serialize, Deserialize)]
enum Ask {
    Open,
    Cut,
}

/// What a client of a session needs.
#[derive(Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) server_url: String,
    pub(crate) ca_pem: String,
    pub(crate) cert_pem: String,
    pub(crate) key_pem: String,
}

/// The bench's end.
pub(crate) struct GatewayProcess {
    child: Child,
    asks: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl GatewayProcess {
    pub(crate) async fn start(endpoint: &str, ca_pem: &str, token: &str) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let asks = child.stdin.take().context("piped")?;
        let answers = BufReader::new(child.stdout.take().context("piped")?).lines();
        let mut this = Self { child, asks, answers };
        let (endpoint, ca_pem, token) = (endpoint.to_owned(), ca_pem.to_owned(), token.to_owned());
        this.say(&Setup { endpoint, ca_pem, token }).await?;
        Ok(this)
    }

    async fn say(&mut self, what: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(what)?;
        line.push(b'\n');
        self.asks.write_all(&line).await?;
        Ok(self.asks.flush().await?)
    }

    /// Opens a session; the one before it stays.
    pub(crate) async fn open(&mut self) -> Result<Session> {
        self.say(&Ask::Open).await?;
        let line = self.answers.next_line().await?.context("the gateway answers")?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Asks for a cut of the session opened last, and does not wait for it.
    pub(crate) async fn cut(&mut self) -> Result<()> {
        self.say(&Ask::Cut).await
    }

    pub(crate) async fn stop(self) -> Result<()> {
        let Self { mut child, asks, .. } = self;
        drop(asks);
        child.wait().await?;
        Ok(())
    }
}

/// The gateway's end: until stdin closes.
pub(crate) async fn serve() -> Result<()> {
    let mut asks = BufReader::new(tokio::io::stdin()).lines();
    let setup: Setup = serde_json::from_str(&next(&mut asks).await?.context("a setup")?)?;
    let gateway = Gateway::start(GatewayOptions::default()).await?;
    let mut count = 0;
    while let Some(line) = next(&mut asks).await? {
        match serde_json::from_str(&line)? {
            Ask::Open => {
                count += 1;
                let session = open(&gateway, &setup, count)?;
                println!("{}", serde_json::to_string(&session)?);
            }
            Ask::Cut => {
                gateway
                    .cut(&SessionId::new(format!("s{count}")), CutReason::Revoked)
                    .await
                    .context("open")?;
            }
        }
    }
    gateway.shutdown().await;
    Ok(())
}

async fn next(asks: &mut Lines<BufReader<Stdin>>) -> Result<Option<String>> {
    Ok(asks.next_line().await?)
}

fn open(gateway: &Gateway, setup: &Setup, count: usize) -> Result<Session> {
    let now = jiff::Timestamp::now().as_second();
    let permit = admit_session(SessionFacts {
        session: SessionId::new(format!("s{count}")),
        signed_in: "oidc:ada".parse()?,
        user: "oidc:ada".parse()?,
        cluster: "bench".parse()?,
        request: RequestUid::new("request"),
        scope: Scope::ClusterWide,
        duration: Ttl::minutes(60),
        grant: GrantUid::new("grant"),
        recorded_end: now + 3600,
        sealed_end: now + 3600,
        endpoint: setup.endpoint.clone(),
        now,
    })
    .map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
    let upstream = Upstream {
        cluster: "bench".parse()?,
        endpoint: setup.endpoint.parse()?,
        ca_pem: setup.ca_pem.clone(),
        tls_server_name: None,
        token: Secret::new(setup.token.clone()),
        jti: Jti::new("jti"),
        user: "oidc:ada".parse()?,
        allow_impersonation: false,
        now,
    };
    let (told, mut calls) = mpsc::channel(1024);
    // The history: every call is told of here too, and dropped.
    tokio::spawn(async move { while calls.recv().await.is_some() {} });
    let opened = gateway.open(&permit, upstream, &Ports::default(), told)?;
    Ok(Session {
        server_url: opened.server_url,
        ca_pem: opened.ca_pem,
        cert_pem: opened.client_cert_pem,
        key_pem: opened.client_key_pem.expose().clone(),
    })
}
