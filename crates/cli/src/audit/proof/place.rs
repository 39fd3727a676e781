//! Where what is handed on is written.

use super::named;
use crate::end::Stop;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Who made it, as a pack says.
pub(super) const BY: &str = concat!("sallyport ", env!("CARGO_PKG_VERSION"));

/// Whole or not at all, for its owner alone, and over nothing that is there.
pub(super) fn place<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<T, Stop>,
) -> Result<T, Stop> {
    let failed = |why: String| Stop(format!("{} can't be written: {why}", named(path)));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Such files are made for their owner alone.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(error.to_string()))?;
    let mut out = BufWriter::new(&mut file);
    let done = write(&mut out)?;
    out.flush().map_err(|error| failed(error.to_string()))?;
    drop(out);
    file.as_file().sync_all().map_err(|error| failed(error.to_string()))?;
    file.persist_noclobber(path).map_err(|error| failed(error.error.to_string()))?;
    Ok(done)
}
