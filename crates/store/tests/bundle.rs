//! A support bundle on disk.

use flate2::read::GzDecoder;
use sallyport_store::{PlaceError, write_bundle};
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn files() -> Vec<(String, String)> {
    vec![("README.txt".into(), "one\ntwo\n".into()), ("log.txt".into(), "ä\n".repeat(10_000))]
}

fn read(path: &Path) -> Vec<(String, String)> {
    let mut archive = tar::Archive::new(GzDecoder::new(fs::File::open(path).unwrap()));
    let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (name.strip_prefix("sallyport-support/").unwrap().to_owned(), text)
    };
    archive.entries().unwrap().map(read).collect()
}

#[tokio::test]
async fn what_is_written_is_what_was_given_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tar.gz");
    write_bundle(&path, files()).await.unwrap();
    assert_eq!(read(&path), files());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let again = dir.path().join("b.tar.gz");
    write_bundle(&again, files()).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), fs::read(&again).unwrap(), "nothing of the moment is in it");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing else is left behind");
}

#[tokio::test]
async fn nothing_that_is_there_is_written_over_also_no_link() {
    let dir = tempfile::tempdir().unwrap();
    let (path, link, goal) = (dir.path().join("a"), dir.path().join("link"), dir.path().join("goal"));
    fs::write(&path, "mine").unwrap();
    std::os::unix::fs::symlink(&goal, &link).unwrap();
    for taken in [&path, &link] {
        assert!(matches!(write_bundle(taken, files()).await, Err(PlaceError::Exists)));
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    assert!(!goal.exists(), "no link was followed");
    let nowhere = dir.path().join("no-such-dir").join("a");
    assert!(matches!(write_bundle(&nowhere, files()).await, Err(PlaceError::Io(_))));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}
