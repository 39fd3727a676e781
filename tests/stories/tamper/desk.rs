//! A history that the real store wrote, and copies of it for whoever tampers with one.

use crate::dice::Dice;
use anyhow::{Context as _, Result};
use rusqlite::Connection;
use sallyport_audit::{Action, Anchor, Chain, ChainKey, Draft, SealKey};
use sallyport_model::{AuditId, GrantUid, Jti, RequestUid, SessionId};
use sallyport_store::{Checked, History, Kept, Sealing};
use std::fs;
use std::path::Path;

/// What the tamperer does not have.
pub(super) fn chain_key() -> ChainKey {
    ChainKey::new([7; 32])
}

pub(super) fn seal_key() -> SealKey {
    SealKey::new([8; 32])
}

/// What the tamperer has.
pub(super) fn other_chain() -> ChainKey {
    ChainKey::new([66; 32])
}

pub(super) fn other_seal() -> SealKey {
    SealKey::new([67; 32])
}

/// A history of two runs, closed, with its keys; and how it was at the end of the first.
pub(super) struct Made {
    dir: tempfile::TempDir,
    before: tempfile::TempDir,
    /// Another history under the same keys.
    foreign: tempfile::TempDir,
    pub(super) length: u64,
    /// What somebody noted of it, as requests on a hub do.
    pub(super) anchors: Vec<Anchor>,
}

impl Made {
    pub(super) async fn new(dice: &mut Dice) -> Result<Self> {
        let (dir, before, foreign) = (tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?);
        let mut anchors = Vec::new();
        run(dir.path(), dice, &mut anchors).await?;
        copy(dir.path(), before.path())?;
        run(dir.path(), dice, &mut anchors).await?;
        run(foreign.path(), dice, &mut Vec::new()).await?;
        let db = Connection::open(dir.path().join("history.db"))?;
        let length: i64 = db.query_row("SELECT count(*) FROM entry", [], |row| row.get(0))?;
        Ok(Self { dir, before, foreign, length: u64::try_from(length)?, anchors })
    }

    pub(super) fn copy(&self) -> Result<Copy> {
        let dir = tempfile::tempdir()?;
        copy(self.dir.path(), dir.path())?;
        let db = Connection::open(dir.path().join("history.db"))?;
        // What is written here need not outlive the power.
        db.execute_batch(
            "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; DROP TRIGGER entry_is_not_edited; \
             DROP TRIGGER entry_is_not_deleted; DROP TRIGGER checkpoint_is_not_edited; \
             DROP TRIGGER checkpoint_is_not_deleted",
        )?;
        Ok(Copy { dir, db })
    }

    /// How it was at the end of its first run.
    pub(super) fn before(&self) -> &Path {
        self.before.path()
    }

    pub(super) fn foreign(&self) -> &Path {
        self.foreign.path()
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    for name in ["history.db", "history.head"] {
        fs::copy(from.join(name), to.join(name)).with_context(|| format!("{name} of {}", from.display()))?;
    }
    Ok(())
}

async fn run(dir: &Path, dice: &mut Dice, anchors: &mut Vec<Anchor>) -> Result<()> {
    let sealing = Sealing { key: seal_key(), former: None };
    let history = History::open_sealed(dir, chain_key(), sealing).await?;
    let many = 40 + dice.below(20);
    for n in 0..many {
        let mut draft = Draft::new(*dice.pick(&[Action::Call, Action::Ask, Action::Granted, Action::Leave]))
            .user(&"oidc:ada".parse()?)
            .cluster(&dice.pick(&["eu-1", "us-1"]).parse()?)
            .detail("n", n)
            .detail("uri", format!("/api/v1/namespaces/payments/pods/{}", dice.below(1 << 40)));
        if dice.one_in(2) {
            draft = draft.request(&RequestUid::new("r-1")).grant(&GrantUid::new("g-1")).jti(&Jti::new("j-1"));
            draft = draft.session(&SessionId::new("s-1")).audit_id(&AuditId::new(format!("a-{n}")));
        }
        history.append_durable(draft).await?;
        if dice.one_in(14) {
            history.seal().await?;
        }
        // The last one always, as a request just before the end: an old copy is told only by what was noted since.
        if dice.one_in(12) || n + 1 == many {
            let tip = *history.subscribe().borrow();
            let root = tip.root.context("a root")?;
            let what = format!("request team/ask-{n}");
            anchors.push(Anchor { sequence: tip.sequence, root, what, time: None });
        }
    }
    history.close().await?;
    Ok(())
}

/// A copy to tamper with.
pub(super) struct Copy {
    pub(super) dir: tempfile::TempDir,
    pub(super) db: Connection,
}

impl Copy {
    pub(super) fn sql(&self, sql: &str) -> Result<()> {
        self.db.execute_batch(sql).with_context(|| sql.to_owned())
    }

    /// Whoever has the vault's keys, as the window does.
    pub(super) fn checked(&self) -> Result<Checked> {
        Ok(self.kept()?.check(Some(&chain_key()), &[seal_key().public().fingerprint()])?)
    }

    pub(super) fn kept(&self) -> Result<Kept> {
        Ok(Kept::open(self.dir.path())?)
    }

    pub(super) fn link(&self, sequence: u64) -> Result<[u8; 32]> {
        let sequence = i64::try_from(sequence)?;
        Ok(self.db.query_row("SELECT link FROM entry WHERE sequence = ?", [sequence], |row| row.get(0))?)
    }

    pub(super) fn put_head(&self, chain: &Chain) -> Result<()> {
        Ok(fs::write(self.dir.path().join("history.head"), chain.head().to_json())?)
    }

    pub(super) fn restore(&self, from: &Path) -> Result<()> {
        copy(from, self.dir.path())
    }

    /// The checkpoints' ids, and the first entry that each covers.
    pub(super) fn checkpoints(&self) -> Result<Vec<(i64, u64)>> {
        let mut statement = self.db.prepare("SELECT id, signed FROM checkpoint ORDER BY id")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
        rows.map(|row| {
            let (id, signed) = row?;
            Ok((id, sallyport_audit::Checkpoint::parse(&signed)?.first))
        })
        .collect()
    }
}
