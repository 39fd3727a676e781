//! The files of a spool as they lie in its folder.

use super::{SpoolError, io};
use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Which of the spool's files it is, by its name.
pub(super) fn number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix("events-")?.strip_suffix(".jsonl")?.parse().ok()
}

/// How long a file is, without half a line at its end.
pub(super) fn whole_lines(path: &Path) -> Result<u64, SpoolError> {
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(io(path, "opened"))?;
    let mut end = file.seek(SeekFrom::End(0)).map_err(io(path, "read"))?;
    let length = end;
    let mut chunk = vec![0; 64 * 1024];
    while end > 0 {
        let begin = end.saturating_sub(chunk.len() as u64);
        let part = &mut chunk[..(end - begin) as usize];
        file.seek(SeekFrom::Start(begin)).and_then(|_| file.read_exact(part)).map_err(io(path, "read"))?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            end = begin + at as u64 + 1;
            break;
        }
        end = begin;
    }
    if end < length {
        file.set_len(end).and_then(|()| file.sync_all()).map_err(io(path, "cut"))?;
    }
    Ok(end)
}
