//! One segment on the disk. With a key: `magic(8)`, then frames of `length(4, LE) ‖ nonce(24) ‖ ciphertext`, each with the
//! segment's place and its own number as associated data, so that none can stand in for another, and none be left out before
//! one that is there. Without a key: the asciicast itself.

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use zeroize::Zeroizing;

/// What segments are sealed with.
pub type Key = Zeroizing<[u8; 32]>;

const MAGIC: [u8; 8] = *b"SALLYPR1";
const NONCE: usize = 24;
const TAG: usize = 16;
/// The largest frame that is read, bytes of text.
const FRAME_MOST: usize = 4 << 20;
/// The largest segment that is read, bytes on the disk.
const FILE_MOST: u64 = 64 << 20;

/// The name of a segment's file, by its number from 1.
pub(crate) fn file_name(number: u32, sealed: bool) -> String {
    format!("{number:05}.{}", if sealed { "sealed" } else { "cast" })
}

/// A segment that is being written.
pub(crate) struct Writing {
    file: File,
    key: Option<Key>,
    place: String,
    frames: u64,
    /// Bytes on the disk that are whole.
    good: u64,
    hash: Sha256,
    /// Bytes of text.
    pub(crate) bytes: u64,
}

impl Writing {
    /// A new file, 0600, where nothing is. `place` says which segment of which recording it is.
    pub(crate) fn begin(path: &Path, key: Option<&Key>, place: String) -> io::Result<Self> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let mut good = 0;
        if key.is_some() {
            if let Err(error) = file.write_all(&MAGIC) {
                let _ = std::fs::remove_file(path);
                return Err(error);
            }
            good = MAGIC.len() as u64;
        }
        Ok(Self { file, key: key.cloned(), place, frames: 0, good, hash: Sha256::new(), bytes: 0 })
    }

    /// Adds whole lines; when it returns they are on the disk. What could not be written whole is taken back, so that it may
    /// be tried again.
    pub(crate) fn append(&mut self, text: &[u8]) -> io::Result<()> {
        let written = match &self.key {
            None => self.write(text),
            Some(key) => seal(key, &self.place, self.frames, text).and_then(|frame| self.write(&frame)),
        };
        match written {
            Ok(length) => {
                self.good += length;
                self.frames += 1;
                self.bytes += text.len() as u64;
                self.hash.update(text);
                Ok(())
            }
            Err(error) => {
                // Where that fails too, the next try overwrites it.
                let _ = self.file.set_len(self.good);
                Err(error)
            }
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<u64> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.good))?;
        file.write_all(bytes)?;
        file.sync_data()?;
        Ok(bytes.len() as u64)
    }

    /// SHA-256 (hex) of its text.
    pub(crate) fn sha256(&self) -> String {
        hex(self.hash.clone())
    }
}

/// SHA-256 (hex) of a text.
pub(crate) fn sha256(text: &[u8]) -> String {
    hex(Sha256::new_with_prefix(text))
}

fn hex(hash: Sha256) -> String {
    sallyport_model::Digest::from(<[u8; 32]>::from(hash.finalize())).to_string()
}

fn aad(place: &str, frame: u64) -> Vec<u8> {
    [MAGIC.as_slice(), &frame.to_le_bytes(), place.as_bytes()].concat()
}

fn seal(key: &Key, place: &str, frame: u64, text: &[u8]) -> io::Result<Vec<u8>> {
    let mut nonce = [0u8; NONCE];
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    let payload = Payload { msg: text, aad: &aad(place, frame) };
    let sealed = cipher
        .encrypt(XNonce::from_slice(&nonce), payload)
        .map_err(|_| io::Error::other("it could not be sealed"))?;
    let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
    Ok([length.to_le_bytes().as_slice(), &nonce, &sealed].concat())
}

/// A segment as it was found.
pub(crate) enum Found {
    /// Its text, as far as it is whole: what follows was not written whole, was changed or is another's. Whether that is all
    /// that there was, the index says.
    Text { text: Vec<u8> },
    /// There is no such file.
    Missing,
    /// It is sealed, and there is no key; or it can't be a segment of ours.
    Unreadable,
}

/// Reads a segment.
pub(crate) fn read(path: &Path, key: Option<&Key>, sealed: bool, place: &str) -> io::Result<Found> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Missing),
        Err(error) => return Err(error),
    };
    let about = file.metadata()?;
    if !about.is_file() || about.len() > FILE_MOST {
        return Ok(Found::Unreadable);
    }
    let mut bytes = Vec::new();
    file.take(FILE_MOST).read_to_end(&mut bytes)?;
    if !sealed {
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
        return Ok(Found::Text { text: bytes });
    }
    let Some(key) = key else { return Ok(Found::Unreadable) };
    Ok(open(key, place, &bytes))
}

fn open(key: &Key, place: &str, bytes: &[u8]) -> Found {
    let Some(mut rest) = bytes.strip_prefix(&MAGIC) else { return Found::Unreadable };
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    let mut text = Vec::new();
    for frame in 0.. {
        let Some((nonce, sealed, after)) = split(rest) else { break };
        let payload = Payload { msg: sealed, aad: &aad(place, frame) };
        let Ok(opened) = cipher.decrypt(XNonce::from_slice(nonce), payload) else { break };
        text.extend_from_slice(&opened);
        rest = after;
    }
    Found::Text { text }
}

/// Nonce, ciphertext and what follows.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    if !(TAG..=FRAME_MOST + TAG).contains(&length) {
        return None;
    }
    let (nonce, rest) = rest.split_at_checked(NONCE)?;
    let (sealed, after) = rest.split_at_checked(length)?;
    Some((nonce, sealed, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    fn text(found: Found) -> String {
        match found {
            Found::Text { text } => String::from_utf8(text).unwrap(),
            Found::Missing => "missing".to_owned(),
            Found::Unreadable => "unreadable".to_owned(),
        }
    }

    #[test]
    fn p2_a_sealed_segment_shows_nothing_and_whatever_changes_it_ends_what_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(file_name(1, true));
        let key = Key::new([7; 32]);
        let mut writing = Writing::begin(&path, Some(&key), "s/t/1".to_owned()).unwrap();
        writing.append(b"password hunter2\n").unwrap();
        writing.append(b"second\n").unwrap();
        assert_eq!(writing.sha256(), sha256(b"password hunter2\nsecond\n"));
        let whole = fs::read(&path).unwrap();
        assert!(!whole.windows(6).any(|w| w == b"hunter"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read_as = |place: &str, key: Option<&Key>| text(read(&path, key, true, place).unwrap());
        assert_eq!(read_as("s/t/1", Some(&key)), "password hunter2\nsecond\n");
        assert_eq!(read_as("s/t/2", Some(&key)), "", "it stands in for another");
        assert_eq!(read_as("s/t/1", Some(&Key::new([8; 32]))), "");
        assert_eq!(read_as("s/t/1", None), "unreadable");
        let first = MAGIC.len() + 4 + NONCE + 17 + TAG;
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            fs::write(&path, &flipped).unwrap();
            let said = read_as("s/t/1", Some(&key));
            let expected = if at < first { "" } else { "password hunter2\n" };
            assert!(said == expected || said == "unreadable", "byte {at}: {said}");
        }
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let expected = if length < MAGIC.len() {
                "unreadable"
            } else if length < first {
                ""
            } else {
                "password hunter2\n"
            };
            assert_eq!(read_as("s/t/1", Some(&key)), expected, "{length}");
        }
        // The second frame in the first one's place.
        let moved = [&whole[..MAGIC.len()], &whole[first..]].concat();
        fs::write(&path, moved).unwrap();
        assert_eq!(read_as("s/t/1", Some(&key)), "");
    }

    #[test]
    fn without_a_key_it_is_the_asciicast_itself_up_to_its_last_whole_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(file_name(12, false));
        let mut writing = Writing::begin(&path, None, String::new()).unwrap();
        writing.append(b"{}\n[1]\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"{}\n[1]\n");
        fs::write(&path, b"{}\n[1").unwrap();
        assert_eq!(text(read(&path, None, false, "").unwrap()), "{}\n");
        fs::remove_file(&path).unwrap();
        assert!(matches!(read(&path, None, false, "").unwrap(), Found::Missing));
        fs::create_dir(&path).unwrap();
        assert!(matches!(read(&path, None, false, "").unwrap(), Found::Unreadable));
    }
}
