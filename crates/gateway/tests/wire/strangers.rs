//! Other users of the host at the gateway's door, and want of descriptors.

use crate::Fixture;
use rustix::process::{Resource, getrlimit, setrlimit};
use std::fs::File;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};

/// A shell of the user nobody; `None` where this test may not become another.
fn stranger(script: &str, port: u16) -> Option<(Child, Lines<BufReader<ChildStdout>>)> {
    let is_root = rustix::process::getuid().is_root();
    if !may_play(is_root, std::env::var("CI").ok().as_deref()) {
        eprintln!("NOT RUN: only root can play another user");
        return None;
    }
    let mut child = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c", script, "bash"])
        .arg(port.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("setpriv starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    Some((child, lines))
}

/// Whether a test can play another user. Where nobody reads what was not run, not to run is to fail.
fn may_play(is_root: bool, ci: Option<&str>) -> bool {
    let looked_at_by_nobody = ci.is_some_and(|ci| !matches!(ci, "" | "0" | "false"));
    assert!(
        is_root || !looked_at_by_nobody,
        "only root can play another user: run these tests as root in CI"
    );
    is_root
}

#[test]
fn fault_a5_what_was_not_run_does_not_pass_in_ci() {
    assert!(may_play(true, Some("true")) && may_play(true, None));
    assert!(!may_play(false, None) && !may_play(false, Some("false")));
    assert!(std::panic::catch_unwind(|| may_play(false, Some("true"))).is_err());
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

async fn line(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    let line = timeout(Duration::from_secs(60), lines.next_line()).await.expect("it says something");
    line.expect("it can be read").unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_a5_p15_a_thousand_connections_of_another_user_keep_nobody_out() {
    let f = Fixture::new().await;
    let client = f.client();
    assert_eq!(client.fetch("/api/v1/pods").await.status, 200);
    let before = descriptors();
    let script = r#"ulimit -n 2048
        for i in $(seq 1000); do exec {fd}<>/dev/tcp/127.0.0.1/$1 || echo refused; done 2>/dev/null
        echo open; sleep 120"#;
    let Some((mut child, mut lines)) = stranger(script, client.port) else { return };
    let slowest = async {
        let mut slowest = Duration::ZERO;
        loop {
            let began = Instant::now();
            let answer = timeout(Duration::from_secs(8), client.fetch("/api/v1/pods")).await;
            assert_eq!(answer.expect("it is answered meanwhile").status, 200);
            slowest = slowest.max(began.elapsed());
            sleep(Duration::from_millis(50)).await;
        }
        #[allow(unreachable_code)]
        slowest
    };
    let said = tokio::select! {
        said = line(&mut lines) => said,
        _ = slowest => unreachable!("it goes on until the other is done"),
    };
    assert_eq!(said, "open", "the kernel takes them all");
    let began = Instant::now();
    assert_eq!(client.fetch("/api/v1/pods").await.status, 200);
    println!("a call beside a thousand strangers: {:?}", began.elapsed());
    for _ in 0..3000 {
        if descriptors() < before + 40 {
            child.kill().await.unwrap();
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("{} descriptors, {before} before", descriptors());
}

#[tokio::test]
async fn fault_a5_p15_another_users_connection_is_closed_before_its_handshake() {
    let f = Fixture::new().await;
    let script = r#"exec 3<>/dev/tcp/127.0.0.1/$1; read -t 5 -n 1 -u 3 byte; echo $?"#;
    let Some((_child, mut lines)) = stranger(script, f.opened.port) else { return };
    // 1 is the end of the stream; a read that timed out is more than 128.
    assert_eq!(line(&mut lines).await, "1");
    // Our own is waited for.
    let mut ours = TcpStream::connect(("127.0.0.1", f.opened.port)).await.unwrap();
    let mut byte = [0];
    assert!(timeout(Duration::from_secs(1), ours.read(&mut byte)).await.is_err());
}

#[tokio::test]
async fn fault_a5_descriptors_are_raised_at_the_start() {
    // From the limit a desktop gives, whatever this machine gives its tests.
    let script = format!(
        "ulimit -Sn 1024; exec '{}' --ignored --exact --nocapture strangers::raises_descriptors",
        std::env::current_exe().unwrap().display()
    );
    let ran = Command::new("sh").args(["-c", &script]).output().await.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "run in a process of its own by the test above"]
async fn raises_descriptors() {
    assert_eq!(getrlimit(Resource::Nofile).current, Some(1024));
    let _f = Fixture::new().await;
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(u64::MAX).min(8192);
    assert!(limit.current.unwrap_or(u64::MAX) >= wanted, "{limit:?}");
}

#[tokio::test]
async fn fault_a5_without_a_descriptor_a_connection_is_turned_away_and_the_next_one_served() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "strangers::starve_until_told"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = loop {
        if let Some((_, port)) = line(&mut lines).await.split_once("starving on ") {
            break port.parse::<u16>().unwrap();
        }
    };
    for _ in 0..3 {
        let mut turned_away = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut byte = [0];
        let read = timeout(Duration::from_secs(60), turned_away.read(&mut byte)).await;
        assert!(matches!(read, Ok(Ok(0) | Err(_))), "it is told at once: {read:?}");
    }
    child.stdin.take().unwrap().write_all(b"eat\n").await.unwrap();
    while !line(&mut lines).await.ends_with("fed") {}
    // What it had in hand when it was fed may be turned away still.
    let mut waits = false;
    for _ in 0..20 {
        let mut next = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut byte = [0];
        waits = timeout(Duration::from_secs(1), next.read(&mut byte)).await.is_err();
        if waits {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert!(waits, "one is served again");
    child.kill().await.unwrap();
}

#[tokio::test]
#[ignore = "run in a process of its own by the test above"]
async fn starve_until_told() {
    let f = Fixture::new().await;
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(256);
    setrlimit(Resource::Nofile, limit).unwrap();
    // The listener is at its place.
    assert_eq!(f.client().fetch("/api/v1/pods").await.status, 200);
    let mut eaten = Vec::new();
    // That call's connection lets go of its own a little later.
    for _ in 0..5 {
        while let Ok(file) = File::open("/dev/null") {
            eaten.push(file);
        }
        sleep(Duration::from_millis(100)).await;
    }
    println!("starving on {}", f.opened.port);
    let mut told = String::new();
    BufReader::new(tokio::io::stdin()).read_line(&mut told).await.unwrap();
    drop(eaten);
    println!("fed");
    sleep(Duration::from_secs(300)).await;
}
