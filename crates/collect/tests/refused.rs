//! A store that does not take what it is sent: for its configuration, or for what some events are.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use sallyport_collect::{Counts, Delivery, Door, Spool, Tells, deliver};
use sallyport_engine::{Access, Engine};
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What it answers to a body.
type Answers = dyn Fn(&str) -> u16 + Send + Sync;

/// Something that answers where a store would.
#[derive(Clone)]
struct Store {
    url: String,
    answers: Arc<Mutex<Arc<Answers>>>,
    taken: Arc<Mutex<Vec<String>>>,
    asked: Arc<Mutex<u64>>,
}

impl Store {
    async fn start(answers: impl Fn(&str) -> u16 + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("victorialogs:http://{}", listener.local_addr().unwrap());
        let answers: Arc<Answers> = Arc::new(answers);
        let answers = Arc::new(Mutex::new(answers));
        let store = Self { url, answers, taken: Arc::default(), asked: Arc::default() };
        let own = store.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let own = own.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let own = own.clone();
                    async move { Ok::<_, Infallible>(own.answered(request).await) }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(tcp), service));
            }
        });
        store
    }

    async fn answered(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let body = String::from_utf8_lossy(&body).into_owned();
        *self.asked.lock().unwrap() += 1;
        let answers = self.answers.lock().unwrap().clone();
        let status = answers(&body);
        if status == 200 {
            self.taken.lock().unwrap().push(body);
        }
        let mut response = Response::new(Full::new(Bytes::from_static(b"said so")));
        *response.status_mut() = status.try_into().unwrap();
        response
    }

    fn answer(&self, answers: impl Fn(&str) -> u16 + Send + Sync + 'static) {
        *self.answers.lock().unwrap() = Arc::new(answers);
    }

    fn has(&self, name: &str) -> bool {
        self.taken.lock().unwrap().iter().any(|body| body.contains(name))
    }

    fn asked(&self) -> u64 {
        *self.asked.lock().unwrap()
    }
}

/// A spool whose lines are handed on to it.
struct Piped {
    spool: Arc<Spool>,
    said: Arc<Mutex<Vec<String>>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Piped {
    /// With what waits: nobody but a body that comes in rings for what is kept later.
    fn start(dir: &Path, store: &Store, waits: &[Vec<u8>]) -> Self {
        let spool = Arc::new(Spool::open(dir, 64 << 20).unwrap());
        waits.iter().for_each(|lines| spool.append(lines).unwrap());
        let engine = Engine::new(store.url.parse().unwrap(), &Access::default()).unwrap();
        let linger = Duration::from_millis(50);
        let delivery = Delivery { engine, cluster: "eu-1".parse().unwrap(), linger };
        let door = Door::new(spool.clone(), Arc::new(Counts::default()));
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let (stop, stopped) = oneshot::channel::<()>();
        let telling = said.clone();
        let task = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            let tell = |now: Tells<'_>| {
                let now = match now {
                    Tells::Again => "again".to_owned(),
                    Tells::Waits(error) => format!("waits: {error}"),
                    Tells::Disk(error) => format!("disk: {error}"),
                    Tells::Aside(many) => format!("aside: {many}"),
                };
                telling.lock().unwrap().push(now);
            };
            deliver(door, &delivery, stopped, tell).await;
        });
        Self { spool, said, stop, task }
    }

    fn said(&self, what: &str) -> bool {
        self.said.lock().unwrap().iter().any(|one| one.starts_with(what))
    }

    async fn end(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap();
    }
}

fn lines(kind: &str, count: usize) -> Vec<u8> {
    let line = |n: usize| {
        format!(
            "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Metadata\",\"auditID\":\"{kind}-{n}\",\
             \"stage\":\"ResponseComplete\",\"requestURI\":\"/api/v1/pods\",\"verb\":\"list\",\
             \"user\":{{\"username\":\"dana\"}},\"requestReceivedTimestamp\":\"2026-11-30T08:00:00.000000Z\",\
             \"stageTimestamp\":\"2026-11-30T08:00:00.000000Z\"}}\n"
        )
    };
    (0..count).map(line).collect::<String>().into_bytes()
}

async fn until(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(90), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_store_refuses_for_its_configuration_waits_and_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::start(|body| if body.is_empty() { 200 } else { 400 }).await;
    let piped = Piped::start(dir.path(), &store, &[lines("one", 20)]);
    until("nobody is told", || piped.said("waits: ")).await;
    let asked = store.asked();
    until("it is not tried again", || store.asked() >= asked + 2).await;
    assert!(!dir.path().join("refused.jsonl").exists(), "nothing is put aside");
    store.answer(|_| 200);
    until("it does not go on", || store.has("one-0") && store.has("one-19")).await;
    until("it is not said", || piped.said("again")).await;
    until("it is not deleted", || piped.spool.held() == 0).await;
    assert!(!dir.path().join("refused.jsonl").exists());
    piped.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_what_it_is_keeps_nobody_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::start(|body| if body.contains("old-") { 400 } else { 200 }).await;
    // More than one request has, so that of the first none is taken.
    let piped = Piped::start(dir.path(), &store, &[lines("old", 1001), lines("new", 3)]);
    until("others wait behind it", || store.has("new-2")).await;
    until("it is not put aside", || {
        let aside = std::fs::read_to_string(dir.path().join("refused.jsonl")).unwrap_or_default();
        aside.lines().count() == 1001
    })
    .await;
    until("nobody is told", || piped.said("aside: ")).await;
    piped.end().await;
}

/// Loki answers a push without streams with 422: it lives.
#[tokio::test(flavor = "multi_thread")]
async fn who_refuses_nothing_at_all_lives() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::start(|body| if body.is_empty() { 422 } else { 200 }).await;
    let piped = Piped::start(dir.path(), &store, &[lines("one", 2)]);
    until("it is not deleted", || store.has("one-1") && piped.spool.held() == 0).await;
    assert!(!piped.said("waits: "), "{:?}", piped.said.lock().unwrap());
    piped.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_nothing_ends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::start(|_| 200).await;
    std::fs::create_dir(dir.path().join("taken.new")).unwrap();
    // Two requests, the second after the first was taken.
    let piped = Piped::start(dir.path(), &store, &[lines("one", 1000), lines("two", 2)]);
    until("nobody is told", || piped.said("disk: ")).await;
    until("it has ended", || store.has("two-1")).await;
    until("no room is made", || piped.spool.held() == 0).await;
    piped.end().await;
}
