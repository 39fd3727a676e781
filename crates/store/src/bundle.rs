//! Writing an archive for somebody else: whole or not at all, for its owner alone, and over nothing that is there.

use crate::{NewFile, PlaceError};
use flate2::{Compression, GzBuilder};
use std::io;
use std::path::Path;

/// Writes `files` (name and text) as a gzipped tar archive to `path`, readable by its owner alone. What is written is on disk
/// when this returns; until then nothing stands under this name.
///
/// # Errors
/// [`PlaceError::Exists`] when something has this name, else what the file system said.
pub async fn write_bundle(path: &Path, files: Vec<(String, String)>) -> Result<(), PlaceError> {
    let path = path.to_owned();
    crate::history::blocking(move || write(&path, &files)).await
}

fn write(path: &Path, files: &[(String, String)]) -> Result<(), PlaceError> {
    let mut file = NewFile::begin(path)?;
    archive(&mut file, files).map_err(PlaceError::Io)?;
    file.place()
}

/// The same bytes for the same files: no time, no owner.
fn archive(into: impl io::Write, files: &[(String, String)]) -> io::Result<()> {
    let mut tar = tar::Builder::new(GzBuilder::new().mtime(0).write(into, Compression::default()));
    for (name, text) in files {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o600);
        header.set_size(text.len() as u64);
        tar.append_data(&mut header, format!("sallyport-support/{name}"), text.as_bytes())?;
    }
    tar.into_inner()?.finish()?.flush()
}
