//! A store that answers as it is told, and a pipe to it.

use sallyport_collect::{Counts, Delivery, Door, Notice, Spool, deliver};
use sallyport_engine::{Access, Engine};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How long any of it may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server of HTTP. What it answered 200 to, it has.
pub(crate) struct Store {
    target: String,
    port: u16,
    has: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
}

impl Store {
    /// That speaks as one kind (`victorialogs`, `loki`), and answers each body with a status.
    pub(crate) fn new(kind: &str, answer: impl Fn(&str) -> u16 + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, has) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (stopped, taken, answer) = (stop.clone(), has.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            while let Ok((tcp, _)) = listener.accept() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let (taken, answer) = (taken.clone(), answer.clone());
                std::thread::spawn(move || serve(&tcp, &taken, &*answer));
            }
        });
        Self { target: format!("{kind}:http://127.0.0.1:{port}"), port, has, stop }
    }

    #[allow(dead_code, reason = "not by each of the tests")]
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.times(text) > 0
    }

    /// In how many bodies.
    pub(crate) fn times(&self, text: &str) -> usize {
        self.has.lock().unwrap().iter().filter(|body| body.contains(text)).count()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(mut tcp: &TcpStream, taken: &Mutex<Vec<String>>, answer: &dyn Fn(&str) -> u16) {
    let mut reader = BufReader::new(tcp);
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = said.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        let status = answer(&body);
        if status == 200 {
            taken.lock().unwrap().push(body);
        }
        if tcp.write_all(format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n").as_bytes()).is_err() {
            return;
        }
    }
}

/// A pipe that runs.
pub(crate) struct Pipe {
    pub(crate) spool: Arc<Spool>,
    said: Arc<Mutex<Vec<String>>>,
    running: JoinHandle<()>,
}

impl Pipe {
    /// With some lines that wait already.
    pub(crate) fn start(dir: &Path, lines: &str, store: &Store, linger: Duration) -> Self {
        let spool = Arc::new(Spool::open(dir, 1 << 20).unwrap());
        spool.append(lines.as_bytes()).unwrap();
        let door = Door::new(spool.clone(), Arc::new(Counts::default()));
        let engine = Engine::new(store.target.parse().unwrap(), &Access::default()).unwrap();
        let delivery = Delivery { engine, cluster: "payments-eu-1".parse().unwrap(), linger };
        let said = Arc::new(Mutex::new(Vec::new()));
        let telling = said.clone();
        let running = tokio::spawn(async move {
            let told = |notice: Notice<'_>| telling.lock().unwrap().push(notice.to_string());
            deliver(door, &delivery, std::future::pending(), told).await;
        });
        Self { spool, said, running }
    }

    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Waits until it is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(!self.running.is_finished(), "the pipe ended: {:?}", self.said());
            assert!(began.elapsed() < PATIENCE, "never: {what}; it said {:?}", self.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// A line of an event with this id.
pub(crate) fn line(id: &str) -> String {
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"{id}","stage":"ResponseComplete","verb":"get","user":{{"username":"dana"}}}}"#
    ) + "\n"
}
