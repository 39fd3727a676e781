//! What a terminal has taken down: what it shows, before anybody sees it, and of what is typed only what it echoes.

mod common;

use common::{DEADLINE, Screen, Session};
use sallyport_terminal::{Size, Taking, Tape, TerminalOptions};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Keeps all of it; holds the terminal up while it is behind.
#[derive(Debug, Default)]
struct Kept {
    output: Mutex<Vec<u8>>,
    input: Mutex<Vec<u8>>,
    sizes: Mutex<Vec<Size>>,
    is_behind: AtomicBool,
    is_over: AtomicBool,
}

impl Kept {
    fn output(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap()).into_owned()
    }

    fn input(&self) -> String {
        String::from_utf8_lossy(&self.input.lock().unwrap()).into_owned()
    }
}

impl Tape for Kept {
    fn output<'a>(&'a self, bytes: &'a [u8]) -> Taking<'a> {
        Box::pin(async move {
            while self.is_behind.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            self.output.lock().unwrap().extend_from_slice(bytes);
        })
    }

    fn wants_input(&self) -> bool {
        true
    }

    fn input<'a>(&'a self, bytes: &'a [u8]) -> Taking<'a> {
        Box::pin(async move { self.input.lock().unwrap().extend_from_slice(bytes) })
    }

    fn resized(&self, size: Size) {
        self.sizes.lock().unwrap().push(size);
    }

    fn ended(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn p20_what_is_shown_is_taken_down_and_of_what_is_typed_what_is_echoed() {
    let (session, kept) = (Session::new(), Arc::new(Kept::default()));
    let options = TerminalOptions {
        tape: Some(kept.clone()),
        banner: vec!["the first line".into()],
        ..session.options("/bin/bash")
    };
    let terminal = session.open_with(options).await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    // At its prompt a line editor has turned the echo off and draws what is typed: it is in the output.
    screen.run("true typed-at-the-prompt").await;
    assert!(kept.output().starts_with("the first line\r\n") && kept.output().contains("typed-at-the-prompt"));
    assert!(!kept.input().contains("typed-at-the-prompt"), "{}", kept.input());
    let shows = async |what: &str| {
        let seen = async {
            while !kept.output().contains(what) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(DEADLINE, seen).await.unwrap_or_else(|_| panic!("{what}: {}", kept.output()));
    };
    terminal.write(b"echo cat-is''-next; cat\n").await.unwrap();
    shows("cat-is-next").await;
    terminal.write(b"echoed by the terminal\n").await.unwrap();
    shows("echoed by the terminal\r\nechoed by the terminal").await;
    terminal.write(b"\x04").await.unwrap();
    terminal.write(b"read -rsp 'pass''word? ' x; echo it-has-${#x}\n").await.unwrap();
    shows("password? ").await;
    terminal.write(b"hunter2\n").await.unwrap();
    shows("it-has-7").await;
    assert!(kept.input().contains("echoed by the terminal\n"), "{}", kept.input());
    assert!(!kept.input().contains("hunter2") && !kept.output().contains("hunter2"), "{}", kept.input());
    terminal.resize(Size { columns: 90, rows: 20 }).unwrap();
    assert_eq!(*kept.sizes.lock().unwrap(), [Size { columns: 90, rows: 20 }]);
    terminal.close().await;
    assert!(kept.is_over.load(Ordering::Relaxed), "it hears that nothing follows");
}

#[tokio::test]
async fn nothing_is_on_screen_that_was_not_taken_down() {
    let (session, kept) = (Session::new(), Arc::new(Kept::default()));
    let options = TerminalOptions { tape: Some(kept.clone()), ..session.options("/bin/bash") };
    let terminal = session.open_with(options).await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    kept.is_behind.store(true, Ordering::Relaxed);
    terminal.write(b"echo held''-back\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let seen = String::from_utf8_lossy(&terminal.attach().scrollback).into_owned();
    assert!(!seen.contains("held-back"), "{seen}");
    kept.is_behind.store(false, Ordering::Relaxed);
    let shown = async {
        while !String::from_utf8_lossy(&terminal.attach().scrollback).contains("held-back") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, shown).await.expect("it goes on");
    terminal.close().await;
}
