//! `audit anchor`: how a history is, as a line for a file that its owner can't change.

use super::args::AnchorArgs;
use super::named;
use crate::audit::said::said;
use crate::end::{End, Stop};
use sallyport_model::visible;
use sallyport_store::{Kept, LastCheckpoint};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// More than a line has.
const LINE: u64 = 8 << 10;

pub(crate) fn anchor(args: &AnchorArgs) -> Result<(String, End), Stop> {
    let newest = Kept::open(&args.history).and_then(|kept| kept.newest()).map_err(said)?;
    let checkpoint = match newest {
        LastCheckpoint::Signed(checkpoint) => checkpoint,
        LastCheckpoint::Never => {
            return Err(Stop(format!(
                "nothing of the history in {} is sealed: it was written without a key (no keyring), or by an older \
                 Sallyport. Start Sallyport with its keyring once",
                named(&args.history)
            )));
        }
        LastCheckpoint::Broken(why) => return Err(Stop(broken(&args.history, &why))),
    };
    let line = checkpoint.handed_on();
    let Some(path) = &args.to else { return Ok((line + "\n", End::Good)) };
    let mut options = OpenOptions::new();
    let file = options.read(true).append(true).create(true).mode(0o600).open(path);
    let is_new = file.and_then(|file| append(file, &line));
    let is_new = is_new.map_err(|error| Stop(format!("{} can't be written: {error}", named(path))))?;
    let what = if is_new { "is noted" } else { "was noted before" };
    Ok((format!("entry {} of the history {what} in {}\n", checkpoint.last, named(path)), End::Good))
}

/// What is said of a history whose last checkpoint is none: it was sealed, and somebody changed that.
pub(in crate::audit) fn broken(history: &Path, why: &str) -> String {
    format!(
        "the last checkpoint of the history in {} is broken: {}. So there is no anchor of it. Leave it as it is, copy it, and \
         run `sallyport audit verify --history` on it with the anchors of before (--anchors, --anchors-from): it says from \
         which entry on it is not what it was",
        named(history),
        visible(why)
    )
}

/// Unless it is the last line there. A last line that breaks off is left as it is, with an end.
fn append(mut file: File, line: &str) -> io::Result<bool> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LINE)))?;
    let mut end = Vec::new();
    (&mut file).take(LINE).read_to_end(&mut end)?;
    let whole = [line.as_bytes(), b"\n"].concat();
    if end.ends_with(&whole) {
        return Ok(false);
    }
    let mut text = if end.last().is_some_and(|last| *last != b'\n') { b"\n".to_vec() } else { Vec::new() };
    text.extend(whole);
    file.write_all(&text)?;
    file.sync_all()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_noted_once_and_never_glued_to_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("anchors.jsonl");
        let open = || OpenOptions::new().read(true).append(true).create(true).open(&path).unwrap();
        assert!(
            append(open(), "a").unwrap() && !append(open(), "a").unwrap() && append(open(), "b").unwrap()
        );
        assert!(append(open(), "a").unwrap(), "it was another in between");
        std::fs::write(&path, "a\nbro").unwrap();
        assert!(append(open(), "a").unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a\nbro\na\n");
    }
}
