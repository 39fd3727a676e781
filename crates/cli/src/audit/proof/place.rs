//! Where what is handed on is written.

use super::named;
use crate::end::Stop;
use sallyport_store::{NewFile, PlaceError};
use std::io::Write;
use std::path::Path;

/// Whole or not at all, for its owner alone, and over nothing that is there.
pub(super) fn place<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<T, Stop>,
) -> Result<T, Stop> {
    let failed = |error: PlaceError| match error {
        PlaceError::Exists => {
            Stop(format!("there is something at {} already: name another file", named(path)))
        }
        PlaceError::Io(error) => Stop(format!("{} can't be written: {error}", named(path))),
    };
    let mut file = NewFile::begin(path).map_err(failed)?;
    let done = write(&mut file)?;
    file.place().map_err(failed)?;
    Ok(done)
}
