//! The tree's edge beside a history that nobody signs: without it each start would have to hash every entry there is, for a
//! root alone. It proves nothing and is believed where it is whole and the chain has the very link with which it was written:
//! a root that is wrong by one bit would go into requests, and accuse whoever has the history of changing it. Whoever may
//! write beside the history can make such a file all the same; without a key nothing here keeps them from that.

use super::FILE as DATABASE;
use crate::StoreError;
use rusqlite::{Connection, OptionalExtension as _};
use sallyport_audit::Edge;
use sallyport_model::Digest;
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

const FILE: &str = "history.edge";
const HEAD: &[u8] = b"sallyport-edge-2\n";
/// A hash for each bit of a size, what stands before them, and the hash of it all behind.
const MOST: u64 = 17 + 8 + 32 + 64 * 32 + 32;

/// As it was at the last stop, where the entry that it ended with is there as it was then. Whatever else stands in the file
/// is as good as none.
pub(super) fn read(dir: &Path, db: &Connection) -> Result<Option<Edge>, StoreError> {
    let mut bytes = Vec::new();
    let read = fs::File::open(dir.join(FILE)).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes));
    let Some((edge, link)) = read.ok().and_then(|_| parse(&bytes)) else { return Ok(None) };
    let Ok(last) = i64::try_from(edge.size()) else { return Ok(None) };
    let found: Option<Vec<u8>> = db
        .query_row("SELECT link FROM entry WHERE sequence = ?", [last], |row| {
            Ok(row.get::<_, Vec<u8>>(0).unwrap_or_default())
        })
        .optional()
        .map_err(StoreError::sql(DATABASE, "read"))?;
    Ok(found.is_some_and(|found| found == link.bytes()).then_some(edge))
}

fn parse(bytes: &[u8]) -> Option<(Edge, Digest)> {
    let (bytes, whole) = bytes.split_last_chunk::<32>()?;
    if Digest::of(bytes).bytes() != whole {
        return None;
    }
    let (size, rest) = bytes.strip_prefix(HEAD)?.split_first_chunk::<8>()?;
    let (all, rest) = rest.as_chunks::<32>();
    let (link, hashes) = all.split_first().filter(|_| rest.is_empty())?;
    let hashes = hashes.iter().map(|hash| Digest::from(*hash)).collect();
    let edge = Edge::resume(u64::from_le_bytes(*size), hashes).ok().filter(|edge| edge.size() > 0)?;
    Some((edge, Digest::from(*link)))
}

/// Keeps it, with the link of the entry that it ends with.
pub(super) fn write(dir: &Path, edge: &Edge, link: Digest) -> Result<(), StoreError> {
    let (path, new) = (dir.join(FILE), dir.join("history.edge.new"));
    let mut bytes = HEAD.to_vec();
    bytes.extend(edge.size().to_le_bytes());
    for digest in std::iter::once(&link).chain(edge.hashes()) {
        bytes.extend_from_slice(digest.bytes());
    }
    let whole = Digest::of(&bytes);
    bytes.extend_from_slice(whole.bytes());
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        fs::rename(&new, &path)
    };
    write().map_err(StoreError::io(&path, "written"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::History;
    use crate::history::open::open;
    use sallyport_audit::{Action, Draft};

    async fn of_some(dir: &Path, many: i64) {
        let history = History::open(dir, None).await.unwrap();
        for n in 0..many {
            history.append(Draft::new(Action::Call).detail("n", n)).await.unwrap();
        }
        history.close().await.unwrap();
    }

    /// The root that a start finds.
    fn root(dir: &Path) -> Option<Digest> {
        open(dir, None, None).unwrap().tip.root
    }

    fn sql(dir: &Path, sql: &str) {
        let db = Connection::open(dir.join(DATABASE)).unwrap();
        let triggers =
            "DROP TRIGGER IF EXISTS entry_is_not_edited; DROP TRIGGER IF EXISTS entry_is_not_deleted;";
        db.execute_batch(triggers).unwrap();
        db.execute_batch(sql).unwrap();
    }

    #[tokio::test]
    async fn a_start_without_a_key_goes_on_from_the_last_stop() {
        let dir = tempfile::tempdir().unwrap();
        let (dir, file) = (dir.path(), dir.path().join(FILE));
        for many in [0, 1, 30, 0, 300] {
            of_some(dir, many).await;
            let (kept, bytes) = (root(dir), fs::read(&file).unwrap());
            fs::remove_file(&file).unwrap();
            assert!(kept.is_some() && kept == root(dir), "as one that reads it all has it");
            fs::write(&file, bytes).unwrap();
        }
        // A row that is no entry any more: whoever reads it has no root.
        sql(dir, "UPDATE entry SET detail = '{' WHERE sequence = 3");
        assert!(root(dir).is_some(), "nothing from before the last stop is read");
        fs::remove_file(&file).unwrap();
        assert!(root(dir).is_none(), "and this sees what is");
    }

    #[tokio::test]
    async fn what_does_not_fit_the_chain_is_as_good_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let (dir, file) = (dir.path(), dir.path().join(FILE));
        of_some(dir, 20).await;
        let (whole, bytes) = (root(dir).unwrap(), fs::read(&file).unwrap());
        let other = tempfile::tempdir().unwrap();
        of_some(other.path(), 20).await;
        let at = |place: usize| {
            let mut bytes = bytes.clone();
            bytes[place] ^= 1;
            bytes
        };
        for (what, odd) in [
            ("empty", Vec::new()),
            ("noise", vec![b'x'; 5000]),
            ("of another version", at(0)),
            ("of another size", at(HEAD.len())),
            ("with another link", at(HEAD.len() + 8)),
            ("with another hash", at(HEAD.len() + 8 + 32)),
            ("with another last hash", at(bytes.len() - 33)),
            ("with another hash of it all", at(bytes.len() - 1)),
            ("cut", bytes[..bytes.len() - 1].to_vec()),
            ("with a hash too many", [&bytes[..], &[0; 32]].concat()),
            ("another history's", fs::read(other.path().join(FILE)).unwrap()),
        ] {
            fs::write(&file, odd).unwrap();
            assert_eq!(root(dir), Some(whole), "{what}");
        }
        fs::write(&file, &bytes).unwrap();
        // With the last entry gone, and with what was written since an older stop.
        sql(dir, "DELETE FROM entry WHERE sequence = (SELECT max(sequence) FROM entry)");
        assert!(root(dir).is_some_and(|root| root != whole));
    }
}
