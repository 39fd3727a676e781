//! The terminal as a whole: what its shell gets to know, how output flows, and that nothing outlives it.

mod common;

use common::{Child, DEADLINE, SECRETS, Screen, Session, alive};
use sallyport_terminal::{Located, Size, Terminal, TerminalError, TerminalOptions};
use std::time::{Duration, Instant};

#[tokio::test]
async fn p1_secrets_of_the_desktops_environment_do_not_reach_the_shell() {
    let session = Session::new();
    for shell in ["/bin/bash", "/usr/bin/zsh", "/usr/bin/fish", "/bin/dash"] {
        let terminal = session.open(shell).await;
        let mut screen = Screen::of(&terminal);
        screen.prompt().await;
        let said = screen.run("env").await;
        assert!(!said.contains("do-not-leak") && !said.contains("/from/the/desktop"), "{shell}: {said}");
        for name in SECRETS {
            assert!(!said.contains(&format!("{name}=")), "{shell} knows {name}");
        }
        for wanted in [
            "TERM=xterm-256color",
            "SALLYPORT_CLUSTER=eu-1",
            "SALLYPORT_SESSION=session-1",
            "NO_PROXY=127.0.0.1",
        ] {
            assert!(said.contains(wanted), "{shell} lacks {wanted}: {said}");
        }
        terminal.close().await;
    }
}

#[tokio::test]
async fn a_given_kubectl_comes_before_the_persons_own() {
    let session = Session::new();
    session.home_file("tools/kubectl", "#!/bin/sh\necho theirs\n", 0o755);
    session.home_file("given/kubectl", "#!/bin/sh\necho given=$KUBECONFIG=\n", 0o755);
    let options = TerminalOptions {
        kubectl_dir: Some(format!("{}/given", session.home()).into()),
        ..session.options("/bin/bash")
    };
    let terminal = Terminal::spawn(Located::of(&session.kubeconfig), options).await.unwrap();
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    let said = screen.run("kubectl").await;
    assert!(said.contains(&format!("given={}=", session.kubeconfig.path().display())), "{said}");
    terminal.close().await;
}

#[tokio::test]
async fn size_exit_code_and_directory_are_the_shells_own() {
    let session = Session::new();
    let options = TerminalOptions {
        size: Size { columns: 100, rows: 40 },
        banner: vec!["payments \u{202e}gedrorp".into()],
        ..session.options("/bin/bash")
    };
    let terminal = Terminal::spawn(Located::of(&session.kubeconfig), options).await.unwrap();
    let mut screen = Screen::of(&terminal);
    assert!(screen.all.starts_with("payments ⟨U+202E⟩gedrorp\r\n"), "{}", screen.all);
    screen.prompt().await;
    assert!(screen.run("stty size").await.contains("40 100"));
    terminal.resize(Size { columns: 0, rows: 50 }).unwrap();
    assert!(screen.run("stty size").await.contains("50 1"));
    terminal.resize(Size { columns: 120, rows: 50 }).unwrap();
    assert!(screen.run("pwd").await.contains(&session.home()));
    terminal.write(b"exit 7\n").await.unwrap();
    let exit = terminal.wait().await;
    assert_eq!((exit.code, exit.signal), (Some(7), None));
    assert!(matches!(terminal.write(b"x").await, Err(TerminalError::Ended)));
}

#[tokio::test]
async fn a_shell_that_does_not_start_leaves_nothing() {
    let session = Session::new();
    session.home_file("text", "not executable", 0o644);
    for shell in [format!("{}/text", session.home()), session.home(), "bash".into(), "/nowhere/bash".into()] {
        let failed = Terminal::spawn(Located::of(&session.kubeconfig), session.options(&shell)).await;
        assert!(matches!(failed, Err(TerminalError::Start { .. })), "{shell}");
    }
    // What only the kernel can tell is told by the exit.
    session.home_file("noise", "\u{7f}ELF nonsense", 0o755);
    let terminal = session.open(&format!("{}/noise", session.home())).await;
    let exit = tokio::time::timeout(DEADLINE, terminal.wait()).await.unwrap();
    assert_ne!(exit.code, Some(0));
    drop(terminal);
    assert_eq!(std::fs::read_dir(session.runtime()).unwrap().count(), 1, "only the kubeconfig stays");
}

#[tokio::test]
async fn output_is_whole_and_in_order_under_flow_control() {
    let session = Session::new();
    let terminal = session.open("/bin/dash").await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    // The line after it is typed while it runs, and its echo would come in between two digits; nor may a prompt stand
    // before the first.
    screen.run("PS1=; stty -echo").await;
    let start = Instant::now();
    let said = screen.run("seq 1 300000").await;
    println!("{} bytes in {:?}", said.len(), start.elapsed());
    let numbers: Vec<u32> = said.lines().filter_map(|line| line.trim().parse().ok()).collect();
    assert!(numbers.iter().copied().eq(1..=300_000), "{} numbers", numbers.len());
    terminal.close().await;
}

#[tokio::test]
async fn a_flood_waits_for_a_window_that_does_not_draw_and_not_for_one_that_is_gone() {
    let session = Session::new();
    let terminal = session.open("/bin/dash").await;
    let mut attachment = terminal.attach();
    terminal.write(b"yes\n").await.unwrap();
    let mut got = 0;
    // Silence says that it waits only once it has sent what it may.
    let mut patience = DEADLINE;
    while let Ok(Some(chunk)) = tokio::time::timeout(patience, attachment.next()).await {
        got += chunk.len();
        if got >= 512 * 1024 {
            patience = Duration::from_millis(500);
        }
        assert!(chunk.len() <= 64 * 1024);
        assert!(got < 2 << 20, "the flood goes on without acknowledgement");
    }
    assert!(got >= 512 * 1024, "{got}");
    attachment.acks().ack(got);
    assert!(tokio::time::timeout(DEADLINE, attachment.next()).await.unwrap().is_some());
    drop(attachment);
    tokio::time::sleep(Duration::from_millis(50)).await;
    // Interrupted and attached again, it answers: it was not stuck on the window that went.
    terminal.write(b"\x03").await.unwrap();
    let mut screen = Screen::of(&terminal);
    assert!(screen.all.len() <= 256 * 1024 && screen.all.contains("y\r\n"));
    assert!(screen.run("echo still $((40 + 2))").await.contains("still 42"));
    terminal.close().await;
}

#[tokio::test]
async fn an_echo_is_quick() {
    let session = Session::new();
    let terminal = session.open("/bin/dash").await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    // The window's budget is 40 ms with drawing; half of it here. Other work on the machine can hold it up: the best of some
    // rounds counts.
    let mut best = Duration::MAX;
    for round in 0..20 {
        let mut times = Vec::new();
        for n in 0..40 {
            let mark = format!("k{round}-{n}k");
            let start = Instant::now();
            terminal.write(mark.as_bytes()).await.unwrap();
            screen.until(&mark).await;
            times.push(start.elapsed());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        times.sort();
        println!("echo: median {:?}, p95 {:?}", times[20], times[38]);
        best = best.min(times[20]);
        if best < Duration::from_millis(20) {
            break;
        }
        // A line has no place for all of them.
        terminal.write(b"\x15").await.unwrap();
    }
    assert!(best < Duration::from_millis(20), "median {best:?}");
    terminal.close().await;
}

/// Starts jobs of every stubborn kind; returns their process ids.
async fn stubborn_jobs(screen: &mut Screen<'_>) -> Vec<u32> {
    let start = "nohup sleep 300 >/dev/null 2>&1 & sleep 300 & disown 2>/dev/null\n\
                 (trap '' HUP TERM INT; sleep 300; sleep 300) &\n\
                 sh -c 'kill -STOP $$; sleep 300' &\n\
                 echo";
    screen.run(start).await;
    let said = screen.run("echo pids=$(ps -o pid= -s $$ | tr '\\n' ' ')=").await;
    let pids = said.rsplit("pids=").next().unwrap().split('=').next().unwrap();
    let pids: Vec<u32> =
        pids.split_whitespace().map(|pid| pid.parse().unwrap()).filter(|pid| alive(*pid)).collect();
    assert!(pids.len() >= 5, "{said}");
    pids
}

#[tokio::test]
async fn p13_closing_ends_everything_within_a_second() {
    for shell in ["/bin/bash", "/usr/bin/zsh"] {
        // Other work on the machine can hold it up: the best of some rounds counts. Nothing is left in any of them.
        let mut best = Duration::MAX;
        for _ in 0..5 {
            best = best.min(closes_all(shell).await);
            if best < Duration::from_millis(1500) {
                break;
            }
        }
        assert!(best < Duration::from_millis(1500), "{best:?}");
    }
}

/// How long it took to close a terminal with every stubborn job in it.
async fn closes_all(shell: &str) -> Duration {
    let session = Session::new();
    let terminal = session.open(shell).await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    let pids = stubborn_jobs(&mut screen).await;
    // One in the foreground as well, deaf to everything but SIGKILL.
    terminal
        .write(b"sh -c \"trap '' HUP TERM INT; echo is''-deaf; while :; do sleep 1; done\"\n")
        .await
        .unwrap();
    screen.until("is-deaf").await;
    let start = Instant::now();
    terminal.close().await;
    let took = start.elapsed();
    println!("{shell} closed in {took:?}");
    let left: Vec<_> = pids.iter().filter(|pid| alive(**pid)).collect();
    assert!(left.is_empty() && !alive(terminal.process_id()), "{shell} left {left:?}");
    drop(terminal);
    assert_eq!(std::fs::read_dir(session.runtime()).unwrap().count(), 1, "only the kubeconfig stays");
    took
}

#[tokio::test]
async fn p13_dropping_ends_everything_too() {
    let session = Session::new();
    let terminal = session.open("/bin/bash").await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    let mut pids = stubborn_jobs(&mut screen).await;
    pids.push(terminal.process_id());
    drop(screen);
    drop(terminal);
    common::gone(&pids, Duration::from_secs(30));
}

#[tokio::test]
async fn a_shell_that_exits_takes_its_jobs_along() {
    let session = Session::new();
    let terminal = session.open("/bin/bash").await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    let pids = stubborn_jobs(&mut screen).await;
    terminal.write(b"exit\nexit\n").await.unwrap();
    tokio::time::timeout(DEADLINE, terminal.wait()).await.unwrap();
    common::gone(&pids, Duration::from_secs(30));
}

#[test]
fn p14_shells_end_when_the_app_is_killed() {
    let mut child = Child::start("shells_until_killed");
    let shells: Vec<u32> = child.line().split(' ').map(|pid| pid.parse().unwrap()).collect();
    assert!(shells.iter().all(|pid| alive(*pid)));
    child.kill();
    common::gone(&shells, Duration::from_secs(30));
}

#[test]
#[ignore = "run by the test that kills it"]
fn shells_until_killed() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let session = Session::new();
        let mut terminals = Vec::new();
        for shell in ["/bin/bash", "/usr/bin/zsh", "/usr/bin/fish", "/bin/dash"] {
            let terminal = session.open(shell).await;
            Screen::of(&terminal).prompt().await;
            // The usual case: something runs in the foreground.
            terminal.write(b"sleep 300\n").await.unwrap();
            terminals.push(terminal);
        }
        let pids: Vec<String> = terminals.iter().map(|terminal| terminal.process_id().to_string()).collect();
        common::say(&pids.join(" "));
        std::future::pending::<()>().await;
    });
}
