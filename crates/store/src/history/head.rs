//! The head's file: written anew and renamed, so that it is the old or the new one, never half of one.

use crate::StoreError;
use sallyport_audit::{Head, HeadError};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

const FILE: &str = "history.head";

/// None when there is none, an inner error when what is there is no head.
pub(super) fn read(dir: &Path) -> Result<Option<Result<Head, HeadError>>, StoreError> {
    let path = dir.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(Head::parse(&String::from_utf8_lossy(&bytes)))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io(&path, "read")(error)),
    }
}

pub(super) fn write(dir: &Path, head: &Head) -> Result<(), StoreError> {
    let path = dir.join(FILE);
    let new = dir.join("history.head.new");
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(head.to_json().as_bytes())?;
        file.sync_data()?;
        fs::rename(&new, &path)
    };
    write().map_err(StoreError::io(&path, "written"))
}
