//! What the desktop remembers between starts, apart from the history: pins, recents, how a cluster was last opened,
//! the last reason, the loopback port of each cluster, what was seen of who can ask for what, a few settings, and the sessions to clean up after a crash. One file per table.

mod evidence;
mod habits;
mod looks;
mod open_sessions;
mod openings;
mod pins;
mod ports;
mod reasons;
mod recents;
mod settings;

pub use evidence::{AuditKeep, AuditSource, AuditStore};
pub use habits::PasteAsks;
pub use looks::Look;
pub use open_sessions::OpenSession;
pub use openings::Opening;
pub use ports::ClusterPorts;
pub use reasons::Reason;
pub use settings::{Notifications, Theme};

use crate::StoreError;
use crate::file::{self, Migrations};
use crate::history::blocking;
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) const FILE: &str = "prefs.db";

const MIGRATIONS: Migrations = Migrations {
    file: FILE,
    steps: &[
        "
CREATE TABLE pin (cluster TEXT PRIMARY KEY, place INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE recent (cluster TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE opening (
  cluster TEXT PRIMARY KEY,
  profile TEXT NOT NULL,
  namespaces TEXT NOT NULL,
  seconds INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE reason (one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE setting (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  theme TEXT,
  gateway_port INTEGER CHECK (gateway_port BETWEEN 1 AND 65535)
) STRICT;
INSERT INTO setting (one) VALUES (1);
CREATE TABLE open_session (
  request TEXT PRIMARY KEY,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  cluster TEXT NOT NULL,
  kubeconfig TEXT NOT NULL,
  solo INTEGER NOT NULL,
  end INTEGER,
  opened_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
",
        "
ALTER TABLE setting ADD COLUMN sign_in_acr TEXT;
ALTER TABLE open_session ADD COLUMN hub TEXT NOT NULL DEFAULT '';
",
        // The one port all clusters shared is nobody's now.
        "
CREATE TABLE cluster_port (
  port INTEGER PRIMARY KEY CHECK (port BETWEEN 1 AND 65535),
  hub TEXT NOT NULL,
  cluster TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
INSERT INTO cluster_port SELECT gateway_port, '', '', 0 FROM setting WHERE gateway_port IS NOT NULL;
UPDATE setting SET gateway_port = NULL;
",
        // Which API server earlier ports were for is not known: they are nobody's now.
        "
ALTER TABLE cluster_port ADD COLUMN endpoint TEXT NOT NULL DEFAULT '';
",
        "
ALTER TABLE setting ADD COLUMN font_size INTEGER;
ALTER TABLE setting ADD COLUMN shell TEXT;
",
        "
CREATE TABLE look (
  hub TEXT NOT NULL,
  user TEXT NOT NULL,
  digest TEXT NOT NULL,
  snapshot TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (hub, user)
) STRICT, WITHOUT ROWID;
",
        "
ALTER TABLE setting ADD COLUMN notify_asks INTEGER;
ALTER TABLE setting ADD COLUMN notify_requests INTEGER;
ALTER TABLE setting ADD COLUMN notify_sessions INTEGER;
ALTER TABLE setting ADD COLUMN notify_reasons INTEGER;
",
        "
ALTER TABLE setting ADD COLUMN default_seconds INTEGER;
ALTER TABLE setting ADD COLUMN paste TEXT;
ALTER TABLE setting ADD COLUMN pseudonym_key BLOB;
",
        "
CREATE TABLE audit_source (
  id TEXT PRIMARY KEY,
  cluster TEXT NOT NULL,
  path TEXT NOT NULL,
  UNIQUE (cluster, path)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_filter (name TEXT PRIMARY KEY, filter TEXT NOT NULL) STRICT, WITHOUT ROWID;
",
        // The credential is a file's name, and never what is in it.
        "
CREATE TABLE audit_store (
  id TEXT PRIMARY KEY,
  cluster TEXT NOT NULL,
  address TEXT NOT NULL,
  tenant TEXT NOT NULL,
  filter TEXT NOT NULL,
  credential TEXT,
  ca TEXT,
  UNIQUE (cluster, address, tenant, filter)
) STRICT, WITHOUT ROWID;
",
        "
ALTER TABLE setting ADD COLUMN audit_keep_days INTEGER;
ALTER TABLE setting ADD COLUMN audit_keep_bytes INTEGER;
",
    ],
};

/// The preferences of one data directory. Cheap to clone. Holds no secret.
#[derive(Clone)]
pub struct Prefs {
    db: Arc<Mutex<Connection>>,
    set_aside: Option<Arc<str>>,
}

impl Prefs {
    /// Opens or makes them. A damaged file is moved aside and everything is as at the first start.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when a later Sallyport wrote them, else what disk or database said.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        let dir = dir.to_owned();
        blocking(move || {
            let (db, set_aside) = match file::open(&dir, &MIGRATIONS) {
                Ok(db) => (db, None),
                Err(error) if error.is_damage() => {
                    tracing::error!(error = &error as &dyn std::error::Error, "the preferences are damaged");
                    let name = file::set_aside(&dir, FILE)?;
                    (file::open(&dir, &MIGRATIONS)?, Some(name.into()))
                }
                Err(error) => return Err(error),
            };
            Ok(Self { db: Arc::new(Mutex::new(db)), set_aside })
        })
        .await
    }

    /// The name of the damaged file that was moved aside when they were opened, to be told to the person.
    pub fn set_aside(&self) -> Option<&str> {
        self.set_aside.as_deref()
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let db = self.db.clone();
        blocking(move || work(&mut db.lock().unwrap_or_else(PoisonError::into_inner)))
            .await
            .map_err(StoreError::sql(FILE, "used"))
    }
}

/// Rows of one text column, those that no longer parse left out: a name that was valid once and is not any more is
/// no reason to forget the others.
fn names<T: std::str::FromStr>(
    rows: impl Iterator<Item = rusqlite::Result<String>>,
) -> rusqlite::Result<Vec<T>> {
    let mut out = Vec::new();
    for row in rows {
        out.extend(row?.parse().ok());
    }
    Ok(out)
}
