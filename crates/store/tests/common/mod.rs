//! What the tests of the store share.
#![allow(dead_code, reason = "each test binary uses its part")]

use sallyport_audit::{Action, ChainKey, Draft};
use sallyport_model::{AuditId, Digest, SessionId};
use sallyport_store::{History, StoreError};
use std::path::Path;
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
    let deadline = Instant::now() + Duration::from_secs(60);
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

    /// Nothing yet.
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// As `kill -9` leaves it: a copy of one that is open, without the index that SQLite makes anew. Whoever copies waits for
    /// what it is to hold, and writes nothing meanwhile.
    pub(crate) fn copied(from: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(from).unwrap() {
            let file = file.unwrap();
            if !file.file_name().to_string_lossy().ends_with("-shm") {
                // What is written beside the head before it takes its place may be gone by now.
                match std::fs::copy(file.path(), dir.path().join(file.file_name())) {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    copied => drop(copied.unwrap()),
                }
            }
        }
        Self(dir)
    }

    pub(crate) fn dir(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn sql(&self, sql: &str) {
        let db = rusqlite::Connection::open(self.dir().join("history.db")).unwrap();
        db.execute_batch(
            "DROP TRIGGER IF EXISTS entry_is_not_edited; DROP TRIGGER IF EXISTS entry_is_not_deleted;",
        )
        .unwrap();
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
