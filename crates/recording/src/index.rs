//! The index of one terminal's recording: what it is of, and its segments. It says nothing of what was on screen.

use crate::cast::Screen;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::{fs, io};

/// The name of its file.
pub(crate) const FILE: &str = "index.json";
/// The largest index that is read, bytes: some ten thousand segments.
const MOST: u64 = 8 << 20;
const VERSION: u32 = 1;

/// What a recording is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct About {
    /// The session's id.
    pub session: String,
    /// The terminal's id.
    pub terminal: String,
    /// The cluster.
    pub cluster: String,
    /// Who had it open.
    pub user: String,
    /// `bash`, `zsh`, …
    pub shell: String,
    /// Whether what was typed is taken down too, where the terminal echoed it.
    pub input: bool,
}

/// One segment that is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Part {
    /// Which, from 1.
    pub number: u32,
    /// Its first moment, Unix milliseconds.
    pub begins_ms: i64,
    /// Its last moment, Unix milliseconds.
    pub ends_ms: i64,
    /// Bytes of its text.
    pub bytes: u64,
    /// SHA-256 (hex) of its text.
    pub sha256: String,
    /// Columns at its beginning.
    pub columns: u16,
    /// Rows at its beginning.
    pub rows: u16,
}

impl Part {
    /// The terminal's size at its beginning.
    pub fn screen(&self) -> Screen {
        Screen::new(self.columns, self.rows)
    }
}

/// A recording as its index has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Index {
    version: u32,
    /// What it is of.
    pub about: About,
    /// Whether its segments are sealed.
    pub sealed: bool,
    /// When it began, Unix milliseconds.
    pub begins_ms: i64,
    /// When it ended, Unix milliseconds; none while it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_ms: Option<i64>,
    /// It was cut off by the end of the process: up to a second before that is missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut_off: bool,
    /// Its closed segments, in order.
    pub parts: Vec<Part>,
}

/// Why an index is none.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// It could not be read.
    #[error("the index of a recording can't be read: {0}")]
    Io(#[from] io::Error),
    /// It is not as we write it.
    #[error("the index of a recording is damaged: {0}")]
    Damaged(String),
}

impl Index {
    pub(crate) fn new(about: About, sealed: bool, begins_ms: i64) -> Self {
        Self { version: VERSION, about, sealed, begins_ms, ends_ms: None, cut_off: false, parts: Vec::new() }
    }

    /// Reads the index in a folder.
    pub(crate) fn read(dir: &Path) -> Result<Self, IndexError> {
        let path = dir.join(FILE);
        let about = fs::symlink_metadata(&path)?;
        if !about.is_file() || about.len() > MOST {
            return Err(IndexError::Damaged("it is no file of a size that we write".to_owned()));
        }
        Self::parse(&fs::read(&path)?)
    }

    fn parse(text: &[u8]) -> Result<Self, IndexError> {
        let index: Self = serde_json::from_slice(text).map_err(|e| IndexError::Damaged(e.to_string()))?;
        let wrong = |what: &str| Err(IndexError::Damaged(what.to_owned()));
        if index.version != VERSION {
            return wrong("it is of another version");
        }
        let mut last = index.begins_ms;
        for (part, number) in index.parts.iter().zip(1u32..) {
            if part.number != number {
                return wrong("its segments are not in order");
            }
            if part.begins_ms < last || part.ends_ms < part.begins_ms {
                return wrong("its times are not in order");
            }
            if part.sha256.len() != 64 || !part.sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
                return wrong("a hash is none");
            }
            last = part.ends_ms;
        }
        if index.ends_ms.is_some_and(|end| end < last) {
            return wrong("its times are not in order");
        }
        Ok(index)
    }

    /// Writes it in the place of the one before, whole or not at all.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        let mut fresh = tempfile::Builder::new()
            .prefix(".index-")
            .permissions(fs::Permissions::from_mode(0o600))
            .tempfile_in(dir)?;
        fresh.write_all(&serde_json::to_vec(self).map_err(io::Error::other)?)?;
        fresh.as_file().sync_all()?;
        fresh.persist(dir.join(FILE)).map_err(|e| e.error)?;
        fs::File::open(dir)?.sync_all()
    }

    /// Bytes of text in its closed segments.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.bytes))
    }

    /// The number of the segment after the closed ones.
    pub(crate) fn next(&self) -> u32 {
        u32::try_from(self.parts.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// What a segment is sealed under.
    pub(crate) fn place(&self, number: u32) -> String {
        format!("{}/{}/{number}", self.about.session, self.about.terminal)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn about() -> About {
        About {
            session: "s-1".to_owned(),
            terminal: "t-1".to_owned(),
            cluster: "prod-eu-1".to_owned(),
            user: "oidc:ada@example.test".to_owned(),
            shell: "bash".to_owned(),
            input: false,
        }
    }

    fn part(number: u32, begins_ms: i64, ends_ms: i64) -> Part {
        Part { number, begins_ms, ends_ms, bytes: 10, sha256: "0".repeat(64), columns: 80, rows: 24 }
    }

    #[test]
    fn an_index_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = Index::new(about(), true, 1000);
        index.parts = vec![part(1, 1000, 2000), part(2, 2000, 2500)];
        index.ends_ms = Some(2600);
        index.write(dir.path()).unwrap();
        assert_eq!(Index::read(dir.path()).unwrap(), index);
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!((index.bytes(), index.next()), (20, 3));
    }

    #[test]
    fn what_is_no_index_of_ours_is_refused() {
        let index = Index { parts: vec![part(1, 1000, 2000)], ..Index::new(about(), true, 1000) };
        let text = serde_json::to_string(&index).unwrap();
        assert!(Index::parse(text.as_bytes()).is_ok());
        for (from, to) in [
            ("\"version\":1", "\"version\":2"),
            ("\"number\":1", "\"number\":7"),
            ("\"endsMs\":2000", "\"endsMs\":999"),
            ("\"beginsMs\":1000,\"endsMs\"", "\"beginsMs\":1,\"endsMs\""),
            ("\"sealed\":true", "\"sealed\":true,\"more\":1"),
            ("000000\"", "00000/\""),
            ("\"columns\":80", "\"columns\":-1"),
            ("\"session\":\"s-1\"", "\"session\":null"),
            ("{", "[{"),
        ] {
            let bad = text.replacen(from, to, 1);
            assert_ne!(bad, text, "{from}");
            assert!(matches!(Index::parse(bad.as_bytes()), Err(IndexError::Damaged(_))), "{from} → {to}");
        }
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Index::read(dir.path()), Err(IndexError::Io(_))));
        std::os::unix::fs::symlink("/dev/zero", dir.path().join(FILE)).unwrap();
        assert!(matches!(Index::read(dir.path()), Err(IndexError::Damaged(_))));
    }
}
