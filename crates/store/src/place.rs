//! A new file for somebody: whole or not at all, for its owner alone, and over nothing that is there.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Why a file was not placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Something is there already.
    #[error("there is something at this place already")]
    Exists,
    /// The file system refused.
    #[error("the file could not be written")]
    Io(#[source] io::Error),
}

/// A file that is written beside its place, and goes away with this unless it got its name. Blocks.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    out: BufWriter<NamedTempFile>,
}

impl NewFile {
    /// Begins one.
    ///
    /// # Errors
    /// [`PlaceError::Exists`] when something has this name, else what the file system said.
    pub fn begin(path: &Path) -> Result<Self, PlaceError> {
        if path.symlink_metadata().is_ok() {
            return Err(PlaceError::Exists);
        }
        // A temporary file is 0600 from its first moment.
        let file = tempfile::Builder::new().prefix(".sallyport-").tempfile_in(folder(path));
        let out = BufWriter::with_capacity(1 << 16, file.map_err(PlaceError::Io)?);
        Ok(Self { path: path.to_owned(), out })
    }

    /// Gives it its name. What was written is on the disk when this returns.
    ///
    /// # Errors
    /// [`PlaceError::Exists`] when something has this name by now, else what the file system said; nothing is left then.
    pub fn place(self) -> Result<(), PlaceError> {
        let file = self.out.into_inner().map_err(|error| PlaceError::Io(error.into_error()))?;
        file.as_file().sync_all().map_err(PlaceError::Io)?;
        file.persist_noclobber(&self.path).map_err(|refused| match refused.error.kind() {
            io::ErrorKind::AlreadyExists => PlaceError::Exists,
            _ => PlaceError::Io(refused.error),
        })?;
        Ok(())
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A file without a name, on the disk where `path` will be: for what has to be known whole before it is written there.
///
/// # Errors
/// What the file system said.
pub fn spare_file(path: &Path) -> io::Result<File> {
    tempfile::tempfile_in(folder(path))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_testkit::disk::SmallDisk;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    fn left(dir: &Path) -> Vec<String> {
        let names = fs::read_dir(dir).unwrap();
        let mut names: Vec<String> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name != "lost+found");
        names.sort();
        names
    }

    #[test]
    fn a_file_is_there_whole_for_its_owner_alone_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let mut file = NewFile::begin(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists(), "what is not whole has no name");
        drop(file);
        assert_eq!(left(dir.path()), Vec::<String>::new(), "what was given up leaves nothing");

        let mut file = NewFile::begin(&path).unwrap();
        file.write_all(b"whole").unwrap();
        file.place().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(NewFile::begin(&path), Err(PlaceError::Exists)));
    }

    #[test]
    fn what_came_there_meanwhile_stays_and_so_does_a_link_that_leads_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let mut file = NewFile::begin(&path).unwrap();
        file.write_all(b"ours").unwrap();
        fs::write(&path, "theirs").unwrap();
        assert!(matches!(file.place(), Err(PlaceError::Exists)));
        assert_eq!(
            (fs::read(&path).unwrap(), left(dir.path())),
            (b"theirs".to_vec(), vec!["a.csv".to_owned()])
        );
        let link = dir.path().join("link.csv");
        std::os::unix::fs::symlink(dir.path().join("nowhere"), &link).unwrap();
        assert!(matches!(NewFile::begin(&link), Err(PlaceError::Exists)));
        assert!(matches!(NewFile::begin(&dir.path().join("no/such/a.csv")), Err(PlaceError::Io(_))));
    }

    #[test]
    fn a_full_disk_leaves_nothing_and_is_said_as_one() {
        let Some(disk) = SmallDisk::mount("64k").unwrap() else { return };
        let path = disk.path().join("a.csv");
        let mut file = NewFile::begin(&path).unwrap();
        let written = (0..64).try_for_each(|_| file.write_all(&[b'x'; 4096]));
        let error = match written {
            Err(error) => {
                drop(file);
                error
            }
            Ok(()) => match file.place() {
                Err(PlaceError::Io(error)) => error,
                other => panic!("{other:?}"),
            },
        };
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(left(disk.path()), Vec::<String>::new());
    }
}
