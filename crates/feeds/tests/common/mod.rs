//! A server of HTTP that does what it is told, and a pull from it.

use sallyport_archive::{Archive, Bounds as Within, Filter, Options, Source};
use sallyport_engine::{Access, Bounds, Engine, Wanted};
use sallyport_feeds::{FeedError, Pull, PulledIn, pull};
use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(crate) const SECOND: i64 = 1_000_000_000;
/// 2026-11-30T02:00:00Z.
pub(crate) const BEGIN: i64 = 1_796_004_000 * SECOND;

type Answer = dyn Fn(&Asked, &mut TcpStream) + Send + Sync;

/// What somebody asked for.
pub(crate) struct Asked {
    form: HashMap<String, String>,
    head: String,
}

impl Asked {
    /// All that a header says, each time it is there.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(is, _)| is.eq_ignore_ascii_case(name)).map(|(_, says)| says).collect()
    }

    fn nanos(&self, name: &str) -> i64 {
        let text = &self.form[name];
        text.parse()
            .unwrap_or_else(|_| text.parse::<jiff::Timestamp>().unwrap().as_nanosecond().try_into().unwrap())
    }

    fn some<'a>(&self, all: &'a [(i64, usize)]) -> Vec<&'a (i64, usize)> {
        let limit = self
            .form
            .get("limit")
            .cloned()
            .unwrap_or_else(|| self.form["query"].rsplit_once("limit ").unwrap().1.to_owned());
        let range = self.nanos("start")..self.nanos("end");
        let fits = all.iter().filter(|(at, _)| range.contains(at));
        let limit = limit.parse().unwrap();
        match self.form.get("query").is_some_and(|query| query.contains("(_time desc)")) {
            true => fits.rev().take(limit).collect(),
            false => fits.take(limit).collect(),
        }
    }

    /// What VictoriaLogs would answer.
    pub(crate) fn answer(&self, all: &[(i64, usize)]) -> String {
        self.some(all).into_iter().map(|(at, number)| record(*at, *number) + "\n").collect()
    }

    /// What Loki would, in two streams.
    pub(crate) fn loki(&self, all: &[(i64, usize)]) -> String {
        let some = self.some(all);
        let stream = |odd: usize| {
            let values: Vec<_> = some
                .iter()
                .filter(|(_, number)| number % 2 == odd)
                .map(|(at, number)| serde_json::json!([at.to_string(), event(*number)]))
                .collect();
            serde_json::json!({"stream": {"cluster": "payments-eu-1", "n": odd.to_string()}, "values": values})
        };
        serde_json::json!({"status": "success", "data": {"resultType": "streams", "result": [stream(1), stream(0)]}})
            .to_string()
    }
}

pub(crate) struct Server {
    pub(crate) target: String,
    stop: Arc<AtomicBool>,
    port: u16,
}

impl Server {
    pub(crate) fn new(answer: impl Fn(&Asked, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::speaking("victorialogs", answer)
    }

    pub(crate) fn loki(answer: impl Fn(&Asked, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::speaking("loki", answer)
    }

    fn speaking(kind: &str, answer: impl Fn(&Asked, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, answer): (_, Arc<Answer>) = (Arc::new(AtomicBool::new(false)), Arc::new(answer));
        let stopped = stop.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), answer) = (stream, answer.clone()) else { return };
                std::thread::spawn(move || serve(stream, &*answer));
            }
        });
        Self { target: format!("{kind}:http://127.0.0.1:{port}"), stop, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// One request, one answer, and the connection's end.
fn serve(mut stream: TcpStream, answer: &Answer) {
    let _ = stream.set_write_timeout(Some(Duration::from_secs(20)));
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    let (head, mut body) = loop {
        let Ok(length @ 1..) = stream.read(&mut chunk) else { return };
        bytes.extend_from_slice(&chunk[..length]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            break (head.to_owned(), body.to_owned());
        }
    };
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    while body.len() < length.unwrap_or(0) {
        let Ok(length @ 1..) = stream.read(&mut chunk) else { return };
        body.push_str(&String::from_utf8_lossy(&chunk[..length]));
    }
    let path = head.split(' ').nth(1).unwrap_or_default();
    let query = path.split_once('?').map_or(body.as_str(), |(_, query)| query);
    let url = url::Url::parse(&format!("http://x/?{query}")).unwrap();
    let form = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    answer(&Asked { form, head }, &mut stream);
}

pub(crate) fn respond(stream: &mut TcpStream, status: &str, body: &str) {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    // Whoever asked may have left.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

pub(crate) fn moment(nanos: i64) -> String {
    let at = jiff::Timestamp::from_nanosecond(nanos.into()).unwrap();
    at.strftime("%Y-%m-%dT%H:%M:%S%.9fZ").to_string()
}

pub(crate) fn event(number: usize) -> String {
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"id-{number}","stage":"ResponseComplete","verb":"get","user":{{"username":"dana"}},"requestReceivedTimestamp":"2026-11-30T02:00:00.000000Z"}}"#
    )
}

pub(crate) fn record(at: i64, number: usize) -> String {
    serde_json::json!({"_time": moment(at), "_msg": event(number), "cluster": "payments-eu-1"}).to_string()
}

pub(crate) fn pull_from(
    server: &Server,
    dir: &Path,
    change: impl FnOnce(&mut Pull),
) -> Result<PulledIn, FeedError> {
    // So long that a slow machine fails no test.
    let bounds = Bounds {
        silent: Duration::from_secs(30),
        whole: Duration::from_secs(60),
        bytes: 40 << 20,
        ..Bounds::default()
    };
    pull_bounded(server, dir, bounds, change)
}

pub(crate) fn pull_bounded(
    server: &Server,
    dir: &Path,
    bounds: Bounds,
    change: impl FnOnce(&mut Pull),
) -> Result<PulledIn, FeedError> {
    pull_as(server, dir, &Access::default(), bounds, change)
}

pub(crate) fn pull_as(
    server: &Server,
    dir: &Path,
    access: &Access,
    bounds: Bounds,
    change: impl FnOnce(&mut Pull),
) -> Result<PulledIn, FeedError> {
    let engine = Engine::bounded(server.target.parse().unwrap(), access, bounds).unwrap();
    let archive = Archive::open(dir, Options::default()).unwrap();
    let source = Source { id: "s".to_owned(), cluster: "payments-eu-1".parse().unwrap() };
    let mut what = Pull {
        wanted: Wanted::of("payments-eu-1"),
        since: BEGIN,
        until: BEGIN + 60 * SECOND,
        overlap: 0,
        again: None,
    };
    change(&mut what);
    pull(&archive, &source, &engine, &what)
}

pub(crate) fn kept(dir: &Path) -> u64 {
    let archive = Archive::open(dir, Options::default()).unwrap();
    archive.count(&Filter::default(), &Within::default()).unwrap().value
}
