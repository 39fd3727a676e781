//! `audit forward --follow` to OTLP and to Loki, which are slow, refuse, die in the middle of an answer, and come back. They
//! are servers of this test: neither a collector nor Loki itself was tried.

use super::{audit, import};
use anyhow::{Result, ensure};
use sallyport_testkit::ports::Port;
use sallyport_testkit::process::{Launch, Process, Scratch, wait_until};
use std::collections::{BTreeMap, VecDeque};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ARRIVES: Duration = Duration::from_secs(90);

/// What a server does with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// 204 for Loki, 200 for OTLP; it has it.
    Take,
    /// As that, after so long.
    Slow(Duration),
    /// 429, with a word on when to come again; it has nothing.
    Later,
    /// 503; it has nothing.
    Away,
    /// It has it, and the answer never comes.
    Forget,
}

/// A store over HTTP that does what it is told, and then takes what comes.
struct Store {
    port: Port,
    state: Arc<State>,
    is_there: Arc<AtomicBool>,
}

#[derive(Default)]
struct State {
    turns: Mutex<VecDeque<Turn>>,
    /// Requests that were taken, in order, and those that were not.
    taken: Mutex<Vec<String>>,
    refused: Mutex<usize>,
    requests: Mutex<usize>,
}

impl Store {
    fn new() -> Result<Self> {
        Ok(Self { port: Port::claim()?, state: Arc::default(), is_there: Arc::default() })
    }

    fn turns(&self, turns: &[Turn]) {
        self.state.turns.lock().expect("turns").extend(turns);
    }

    /// Listens from now on, until [`Store::leaves`].
    fn comes(&mut self) -> Result<()> {
        let listener = TcpListener::bind(("127.0.0.1", self.port.number()))?;
        let (state, is_there) = (self.state.clone(), Arc::new(AtomicBool::new(true)));
        self.is_there = is_there.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if !is_there.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), state) = (stream, state.clone()) else { return };
                let is_there = is_there.clone();
                std::thread::spawn(move || serve(stream, &state, &is_there));
            }
        });
        Ok(())
    }

    /// Nobody listens any more.
    fn leaves(&self) -> Result<()> {
        self.is_there.store(false, Ordering::Relaxed);
        // Wakes it, and waits until the port is free.
        let address = ("127.0.0.1", self.port.number());
        for _ in 0..3000 {
            if TcpStream::connect(address).is_err() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        anyhow::bail!("it still listens")
    }

    /// How often each event was taken, by its number; in the order of first arrival.
    fn events(&self) -> BTreeMap<usize, usize> {
        let mut events = BTreeMap::new();
        for body in self.state.taken.lock().expect("taken").iter() {
            // As a field of an event, in JSON or in a text of JSON: OTLP has the id in an attribute as well.
            for part in body.split("auditID").skip(1) {
                let part = part.trim_start_matches(['\\', '"', ':']).trim_start_matches("id-");
                let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
                if let Ok(number) = digits.parse::<usize>() {
                    *events.entry(number).or_default() += 1;
                }
            }
        }
        events
    }

    /// How many came.
    fn requests(&self) -> usize {
        *self.state.requests.lock().expect("requests")
    }

    fn refused(&self) -> usize {
        *self.state.refused.lock().expect("refused")
    }
}

fn serve(mut stream: TcpStream, state: &State, is_there: &AtomicBool) {
    let (mut bytes, mut chunk) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            let Ok(length @ 1..) = stream.read(&mut chunk) else { return };
            bytes.extend_from_slice(&chunk[..length]);
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        while bytes.len() < end + 4 + length.unwrap_or(0) {
            let Ok(length @ 1..) = stream.read(&mut chunk) else { return };
            bytes.extend_from_slice(&chunk[..length]);
        }
        let body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
        bytes.clear();
        // Connections that were kept end with whoever left.
        if !is_there.load(Ordering::Relaxed) {
            return;
        }
        *state.requests.lock().expect("requests") += 1;
        let turn = state.turns.lock().expect("turns").pop_front().unwrap_or(Turn::Take);
        let status = match turn {
            Turn::Slow(long) => {
                std::thread::sleep(long);
                None
            }
            Turn::Take | Turn::Forget => None,
            Turn::Later => Some("429 Too Many Requests\r\nretry-after: 1"),
            Turn::Away => Some("503 Service Unavailable"),
        };
        match status {
            None => state.taken.lock().expect("taken").push(body),
            Some(_) => *state.refused.lock().expect("refused") += 1,
        }
        if turn == Turn::Forget {
            return;
        }
        let status = status.unwrap_or(if head.contains("/v1/logs") { "200 OK" } else { "204 No Content" });
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn line(number: usize) -> String {
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"id-{number}","stage":"ResponseComplete","verb":"get","user":{{"username":"dana"}},"requestReceivedTimestamp":"2026-11-30T02:00:00.{number:06}Z","stageTimestamp":"2026-11-30T02:00:00.{number:06}Z"}}"#
    )
}

async fn holds(store: &Store, process: &Process, upto: usize) -> Result<()> {
    wait_until(&format!("{upto} events"), ARRIVES, &[process], async || store.events().len() == upto).await
}

async fn held_up(kind: &str) -> Result<()> {
    let scratch = Scratch::new(&format!("held-up-{kind}"))?;
    let file = |name: &str| scratch.path().join(name).display().to_string();
    let archive = file("archive");
    let import = async |from, to| import(&scratch, &archive, from..to, line).await;
    let mut store = Store::new()?;
    let target = format!("{kind}:http://127.0.0.1:{}", store.port.number());
    let start = || {
        Launch::new("forward", env!("CARGO_BIN_EXE_sallyport"), scratch.path())
            .args(["audit", "forward", "--follow", "--archive", &archive, "-o", "json", "--to", &target])
            .start()
    };

    // Nobody is there yet; then one that says not now, twice and in two ways, and takes its time. 2,500 are three requests.
    import(0, 2500).await?;
    let first = start()?;
    wait_until("a word that nobody is there", ARRIVES, &[&first], async || {
        first.log_tail(5).contains("127.0.0.1")
    })
    .await?;
    store.turns(&[Turn::Later, Turn::Away, Turn::Take, Turn::Away, Turn::Slow(Duration::from_secs(3))]);
    store.comes()?;
    holds(&store, &first, 2500).await?;
    ensure!(store.refused() == 3, "{} were refused", store.refused());
    ensure!(store.events().values().all(|times| *times == 1), "what was refused is not there twice");
    wait_until("a word that it goes on", ARRIVES, &[&first], async || {
        first.log_tail(50).contains("it goes on")
    })
    .await?;
    // While it is slow others have the archive, and what comes in waits there, not here.
    let before = store.requests();
    store.turns(&[Turn::Slow(Duration::from_secs(20)), Turn::Away]);
    import(2500, 2600).await?;
    wait_until("a request that is slow", ARRIVES, &[&first], async || store.requests() > before).await?;
    import(2600, 2700).await?;
    ensure!(!store.events().contains_key(&2500), "it was to be slow for longer than an import");
    holds(&store, &first, 2700).await?;

    // It leaves, and whoever forwards is killed meanwhile; both come back.
    store.leaves()?;
    import(2700, 2800).await?;
    first.kill();
    import(2800, 2900).await?;
    store.comes()?;
    let second = start()?;
    holds(&store, &second, 2900).await?;
    let twice: Vec<usize> =
        store.events().into_iter().filter(|(_, times)| *times > 1).map(|one| one.0).collect();
    ensure!(twice.is_empty(), "taken twice, though each was acknowledged: {twice:?}");

    // It has them and its answer is lost: sent again, which is what at least once means. What was sent is the very same, so
    // that whoever has `id` (or, as Loki, time and text) has it once.
    store.turns(&[Turn::Forget]);
    import(2900, 3000).await?;
    wait_until("them twice", ARRIVES, &[&second], async || {
        store.events().range(2900..).map(|(_, times)| *times).collect::<Vec<_>>() == vec![2; 100]
    })
    .await?;
    let taken = store.state.taken.lock().expect("taken").clone();
    let of_those: Vec<&String> = taken.iter().filter(|body| body.contains("id-2999")).collect();
    ensure!(of_those.len() == 2 && of_those[0] == of_those[1], "it is sent as something else");
    ensure!(store.events().range(..2900).all(|(_, times)| *times == 1), "others were sent again");
    second.end(Duration::from_secs(30)).await?;

    // The next one has nothing to do.
    let once = audit(&["forward", "--archive", &archive, "-o", "json", "--to", &target]).await?;
    ensure!(once.code == 0 && once.json()?["sent"] == 0, "{} {}", once.out, once.err);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn loki_gets_each_once_over_refusals_and_a_kill() -> Result<()> {
    held_up("loki").await
}

#[tokio::test(flavor = "multi_thread")]
async fn otlp_gets_each_once_over_refusals_and_a_kill() -> Result<()> {
    held_up("otlp").await
}
