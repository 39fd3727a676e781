//! What is counted: bytes through a relay, and the CPU time of the hub's processes.

use anyhow::{Context as _, Result, ensure};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// Ticks of a second in `/proc/<pid>/stat`: USER_HZ, which is 100 wherever Linux shows it.
const TICKS: f64 = 100.0;

/// A relay on loopback in front of the hub. Dropping it stops it.
pub(crate) struct Relay {
    pub(crate) url: String,
    bytes: Arc<AtomicU64>,
    task: AbortHandle,
}

impl Relay {
    pub(crate) async fn start(to: &str) -> Result<Self> {
        let to = to.trim_start_matches("https://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("https://{}", listener.local_addr()?);
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = bytes.clone();
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (to, counted) = (to.clone(), counted.clone());
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(&to).await else { return };
                    let _ = (near.set_nodelay(true), far.set_nodelay(true));
                    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                    tokio::join!(carry(near_in, far_out, &counted), carry(far_in, near_out, &counted));
                });
            }
        });
        Ok(Self { url, bytes, task: task.abort_handle() })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, counted: &AtomicU64) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        counted.fetch_add(read as u64, Ordering::Relaxed);
        if to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

/// What was spent until a moment.
pub(crate) struct Cost {
    at: Instant,
    bytes: u64,
    apiserver: f64,
    etcd: f64,
}

/// What was spent in between; CPUs are seconds of CPU in each second.
pub(crate) struct Spent {
    took: Duration,
    bytes: u64,
    pub(crate) apiserver: f64,
    pub(crate) etcd: f64,
}

impl Cost {
    pub(crate) fn now(relay: &Relay) -> Result<Self> {
        Ok(Self {
            at: Instant::now(),
            bytes: relay.bytes.load(Ordering::Relaxed),
            apiserver: cpu_seconds("kube-apiserver")?,
            etcd: cpu_seconds("etcd")?,
        })
    }

    pub(crate) fn since(&self, before: &Self) -> Spent {
        let took = self.at - before.at;
        let cpus = |now: f64, then: f64| (now - then) / took.as_secs_f64();
        Spent {
            took,
            bytes: self.bytes - before.bytes,
            apiserver: cpus(self.apiserver, before.apiserver),
            etcd: cpus(self.etcd, before.etcd),
        }
    }
}

impl Spent {
    pub(crate) fn minutes(&self) -> f64 {
        self.took.as_secs_f64() / 60.0
    }

    /// Thousands of bytes, both ways.
    pub(crate) fn kb_per_min(&self) -> f64 {
        self.bytes as f64 / 1000.0 / self.minutes()
    }
}

/// User and system time of our child of that name.
fn cpu_seconds(name: &str) -> Result<f64> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name stands in brackets and is cut after 15 characters.
        let Some((head, rest)) = stat.rsplit_once(") ") else { continue };
        let fields: Vec<&str> = rest.split(' ').collect();
        let ours = fields.get(1).is_some_and(|parent| *parent == std::process::id().to_string());
        if ours && head.split_once('(').is_some_and(|(_, comm)| comm == name) {
            let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
            found.push((ticks(11).zip(ticks(12)).map(|(user, system)| user + system)).context("its times")?);
        }
    }
    ensure!(found.len() == 1, "there are {} processes {name} of ours", found.len());
    Ok(found[0] / TICKS)
}
