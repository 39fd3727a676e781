//! Bodies that a receiver takes, puts off and refuses, as whoever holds a certificate may send them.

use super::{CLUSTER, Receiver, audit};
use anyhow::{Context as _, Result, ensure};
use http_body::{Frame, SizeHint};
use sallyport_testkit::memory;
use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;

/// Who may send, and who may not.
struct Senders {
    known: reqwest::Client,
    unknown: reqwest::Client,
    url: String,
}

impl Senders {
    fn new(receiver: &Receiver) -> Result<Self> {
        // An error says that one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = receiver.authority.client("kube-apiserver", &[])?;
        let pem = format!("{}{}", client.key_pem, client.cert_pem);
        let ca = reqwest::Certificate::from_pem(receiver.authority.cert_pem().as_bytes())?;
        let builder =
            || reqwest::Client::builder().use_rustls_tls().add_root_certificate(ca.clone()).no_proxy();
        let within = Duration::from_secs(60);
        Ok(Self {
            known: builder()
                .identity(reqwest::Identity::from_pem(pem.as_bytes())?)
                .timeout(within)
                .build()?,
            unknown: builder().timeout(within).build()?,
            url: receiver.url(),
        })
    }

    async fn post(&self, body: String) -> Result<(u16, Option<String>)> {
        let answer = self.known.post(&self.url).body(body).send().await?;
        let after =
            answer.headers().get("retry-after").and_then(|after| after.to_str().ok().map(str::to_owned));
        Ok((answer.status().as_u16(), after))
    }
}

/// A body that is promised and does not come.
struct Stalled;

impl http_body::Body for Stalled {
    type Data = bytes::Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Infallible>>> {
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(11 << 20)
    }
}

fn body(count: usize) -> String {
    let filler = "x".repeat(2000);
    let items: Vec<String> = (0..count)
        .map(|n| {
            format!(
                r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"{n}","stage":"ResponseComplete","verb":"get","requestURI":"/api?token=s3cret{n}","userAgent":"{filler}","user":{{"username":"dana"}}}}"#
            )
        })
        .collect();
    let items = items.join(",");
    format!(r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{{}},"items":[{items}]}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_store_it_keeps_what_it_may_and_puts_off_the_rest() -> Result<()> {
    let receiver = Receiver::new()?;
    let collect = receiver.start(&["--most=1".to_owned()]).await?;
    let senders = Senders::new(&receiver)?;
    ensure!(senders.post(body(100)).await? == (200, None));
    // Nobody without a certificate, and no other body.
    ensure!(senders.unknown.post(&senders.url).body(body(1)).send().await.is_err());
    ensure!(senders.post("<html>".to_owned()).await?.0 == 400);
    ensure!(senders.post("x".repeat((12 << 20) + 1)).await?.0 == 413);
    ensure!(senders.known.get(&senders.url).send().await?.status().as_u16() == 405);
    // Full: come again.
    let mut answers = Vec::new();
    for _ in 0..10 {
        answers.push(senders.post(body(100)).await?);
    }
    ensure!(answers.contains(&(503, Some("10".to_owned()))), "{answers:?}");
    let taken = 1 + answers.iter().filter(|(status, _)| *status == 200).count();
    collect.kill();

    let waiting = receiver.file("waiting");
    let files = files_in(Path::new(&waiting))?;
    ensure!(!files.contains("s3cret"), "p20: a secret was kept");
    let archive = receiver.file("archive");
    let import =
        audit(&["import", "--archive", &archive, "--cluster", CLUSTER, "-o", "json", &waiting]).await?;
    let events = import.json()?["events"].as_u64().context("events")?;
    ensure!(events == taken as u64 * 100, "{events} of {taken} bodies: {}", import.out);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_bounded_whatever_comes_at_once_and_who_stalls_keeps_nobody_up() -> Result<()> {
    let receiver = Receiver::new()?;
    let collect = receiver.start(&[]).await?;
    let senders = Senders::new(&receiver)?;
    // Connections that say nothing at all, more than are served, and bodies that are promised and do not come.
    let mut silent = Vec::new();
    for _ in 0..300 {
        let mut tcp = tokio::net::TcpStream::connect(("127.0.0.1", receiver.port.number())).await?;
        tcp.write_all(&[0x16]).await?;
        silent.push(tcp);
    }
    let stalled = async || senders.known.post(&senders.url).body(reqwest::Body::wrap(Stalled)).send().await;
    let stalling = futures::future::join_all((0..3).map(|_| stalled()));
    let work = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let began = Instant::now();
        ensure!(senders.post(body(200)).await? == (200, None));
        ensure!(began.elapsed() < Duration::from_secs(20), "a small body waited {:?}", began.elapsed());
        let large = body(5000);
        ensure!(large.len() > 10 << 20 && large.len() < 12 << 20, "{}", large.len());
        let answers = futures::future::join_all((0..16).map(|_| senders.post(large.clone()))).await;
        let mut taken = 0;
        for answer in answers {
            match answer?.0 {
                200 => taken += 1,
                503 => {}
                other => anyhow::bail!("{other}"),
            }
        }
        ensure!(taken > 0, "{taken} were taken");
        let peak = memory::peak(collect.pid())?;
        println!("{taken} of 16 bodies of {} bytes taken, peak {} MiB", large.len(), peak >> 20);
        ensure!(peak < 400 << 20, "{} MiB", peak >> 20);
        Ok(())
    };
    let (stalled, worked) = tokio::join!(stalling, work);
    for answer in stalled.into_iter().flatten() {
        ensure!(answer.status().as_u16() == 503, "{}", answer.status());
    }
    worked
}

fn files_in(dir: &Path) -> Result<String> {
    let mut all = String::new();
    for entry in std::fs::read_dir(dir)? {
        all.push_str(&std::fs::read_to_string(entry?.path())?);
    }
    Ok(all)
}
