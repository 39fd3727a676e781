//! What the tests of the store share.
#![allow(dead_code, reason = "each test binary uses its part")]

use sallyport_audit::{Action, ChainKey, Draft};
use sallyport_model::{AuditId, Digest, SessionId};
use sallyport_store::{History, StoreError};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) fn key() -> ChainKey {
    ChainKey::new([11; 32])
}

/// Long after any test runs, so that the order of the drafts' times is the order they are appended in.
pub(crate) const LATER: i64 = 10_000_000_000_000_000;

pub(crate) fn draft(n: i64) -> Draft {
    Draft::new(Action::Call)
        .at(LATER + n)
        .user(&"oidc:ada".parse().unwrap())
        .cluster(&if n % 2 == 0 { "eu-1" } else { "us-1" }.parse().unwrap())
        .session(&SessionId::new(format!("s{}", n % 10)))
        .audit_id(&AuditId::new(format!("audit-{n}")))
        .detail("path", format!("/api/v1/namespaces/payments/pods/Pod-{n}"))
}

/// Opens a history; waits for a process that was just killed, or a writer just told to stop, to let go of it.
pub(crate) async fn started(dir: &Path) -> History {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        match History::open(dir, Some(key())).await {
            Err(StoreError::Locked { .. }) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            opened => return opened.unwrap(),
        }
    }
}

/// A closed history of 13 entries, to be changed behind its back.
pub(crate) struct Tampering(tempfile::TempDir);

impl Tampering {
    pub(crate) async fn of_a_history() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let history = started(dir.path()).await;
        for n in 0..10 {
            history.append(draft(n)).await.unwrap();
        }
        history.close().await.unwrap();
        Self(dir)
    }

    pub(crate) fn dir(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn sql(&self, sql: &str) {
        let db = rusqlite::Connection::open(self.dir().join("history.db")).unwrap();
        db.execute_batch("DROP TRIGGER entry_is_not_edited; DROP TRIGGER entry_is_not_deleted;").unwrap();
        db.execute_batch(sql).unwrap();
    }

    pub(crate) fn link(&self, sequence: i64) -> Digest {
        let db = rusqlite::Connection::open(self.dir().join("history.db")).unwrap();
        let link: [u8; 32] =
            db.query_row("SELECT link FROM entry WHERE sequence = ?", [sequence], |row| row.get(0)).unwrap();
        link.into()
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.dir().join(name)).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.dir().join(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.dir().join(name), bytes).unwrap();
    }
}

/// This test binary again, running one ignored test as a process of its own.
pub(crate) struct Child {
    process: std::process::Child,
    out: BufReader<std::process::ChildStdout>,
}

const DIR: &str = "STORE_TEST_DIR";

impl Child {
    pub(crate) fn start(test: &str, dir: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", test, "--nocapture"])
            .env(DIR, dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        Self { process, out }
    }

    /// The next line it said, without the test harness's own.
    pub(crate) fn line(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.out.read_line(&mut line).unwrap() > 0, "the child ended");
            if let Some(said) = line.trim().strip_prefix("said ") {
                return said.to_owned();
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// With SIGKILL, which leaves it no time for anything.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn child_dir() -> PathBuf {
    std::env::var_os(DIR).expect("run by its parent").into()
}

pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // The parent is gone when this fails.
    if writeln!(out, "\nsaid {line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

/// A tmpfs that is soon full.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    pub(crate) fn mount(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(dir.path())
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(dir))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all that is left.
    pub(crate) fn fill(&self) {
        let mut file = std::fs::File::create(self.path().join("ballast")).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
    }

    pub(crate) fn free(&self) {
        std::fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
