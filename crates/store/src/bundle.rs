//! Writing an archive for somebody else: whole or not at all, for its owner alone, and over nothing that is there.

use flate2::{Compression, GzBuilder};
use std::io;
use std::path::Path;

/// Why a bundle was not written.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Something is there already.
    #[error("there is something at this place already")]
    Exists,
    /// The file system refused.
    #[error("the file could not be written")]
    Io(#[source] io::Error),
}

/// Writes `files` (name and text) as a gzipped tar archive to `path`, readable by its owner alone. What is written is on disk
/// when this returns; until then nothing stands under this name.
///
/// # Errors
/// [`BundleError::Exists`] when something has this name, else what the file system said.
pub async fn write_bundle(path: &Path, files: Vec<(String, String)>) -> Result<(), BundleError> {
    let path = path.to_owned();
    crate::history::blocking(move || write(&path, &files)).await
}

fn write(path: &Path, files: &[(String, String)]) -> Result<(), BundleError> {
    if path.symlink_metadata().is_ok() {
        return Err(BundleError::Exists);
    }
    let dir = path.parent().unwrap_or(Path::new("/"));
    // A temporary file is 0600 from its first moment, and goes away with this function unless it got its name.
    let mut file =
        tempfile::Builder::new().prefix(".sallyport-support-").tempfile_in(dir).map_err(BundleError::Io)?;
    archive(&mut file, files).and_then(|()| file.as_file().sync_all()).map_err(BundleError::Io)?;
    file.persist_noclobber(path).map_err(|refused| match refused.error.kind() {
        io::ErrorKind::AlreadyExists => BundleError::Exists,
        _ => BundleError::Io(refused.error),
    })?;
    Ok(())
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
