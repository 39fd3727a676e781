//! Directories and files that only their owner may read, made so that nobody can slip another one in.

use crate::processes::{self, Family};
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// How long what an earlier run left running gets to end by itself.
const GRACE: Duration = Duration::from_millis(400);

/// What directories of a private kubeconfig begin with.
pub(crate) const KUBECONFIG: &str = "k-";
/// What directories of a terminal begin with.
pub(crate) const TERMINAL: &str = "t-";

/// Makes the directory, or makes sure that it is a directory of ours alone. A link, another owner's or one others
/// may enter is refused: in a shared place like /tmp someone else may have been first.
pub(crate) fn directory(dir: &Path) -> io::Result<()> {
    match DirBuilder::new().recursive(true).mode(0o700).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(dir)?;
    if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not a directory of this user"));
    }
    if found.mode() & 0o077 != 0 {
        fs::set_permissions(dir, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// A new directory with a name nobody can foresee, removed on drop.
pub(crate) fn fresh_directory(parent: &Path, prefix: &str) -> io::Result<TempDir> {
    directory(parent)?;
    tempfile::Builder::new().prefix(prefix).permissions(Permissions::from_mode(0o700)).tempdir_in(parent)
}

/// Writes a file that was not there, readable by its owner alone (`executable`: and to be run).
pub(crate) fn file(path: &Path, body: &[u8], executable: bool) -> io::Result<()> {
    let mode = if executable { 0o700 } else { 0o600 };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(body)
}

/// Whether programs can be run from this directory: seen by running one. A mount option (noexec) forbids it, or a
/// policy of the system.
pub(crate) fn runs_programs(dir: &Path) -> bool {
    let probe = dir.join("probe");
    if file(&probe, b"#!/bin/sh\nexit 0\n", true).is_err() {
        return false;
    }
    let run = || Command::new(&probe).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).status();
    let mut ran = run();
    // Another thread's child may still hold the file that was just written, for as long as it takes to exec.
    for _ in 0..20 {
        match &ran {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(10));
                ran = run();
            }
            _ => break,
        }
    }
    let _ = fs::remove_file(&probe);
    ran.is_ok_and(|status| status.success())
}

/// Something an earlier run left behind and [`sweep`] removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swept {
    /// A private kubeconfig, with the directory it was in.
    Kubeconfig(PathBuf),
    /// A terminal's files.
    Terminal(PathBuf),
}

/// Removes the private kubeconfigs and terminal files that earlier runs left in the runtime directory, ends what was
/// started in those terminals and still runs (a tmux server outlives its terminal), and says what it removed. For the start, under the lock of the instance: what belongs to a running one would go as well.
///
/// # Errors
/// When the directory can't be read, or something in it not removed: then it is still there.
pub fn sweep(runtime: &Path) -> io::Result<Vec<Swept>> {
    let entries = match fs::read_dir(runtime) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut swept = Vec::new();
    for entry in entries {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        let what = if name.starts_with(KUBECONFIG) {
            Swept::Kubeconfig(path.clone())
        } else if name.starts_with(TERMINAL) {
            Swept::Terminal(path.clone())
        } else {
            continue;
        };
        // Only what was made here: `file_type` does not follow links, so a link is not a directory.
        if entry.file_type()?.is_dir() {
            if matches!(what, Swept::Terminal(_)) {
                processes::end(&Family::marked(&path), GRACE);
            }
            fs::remove_dir_all(&path)?;
            swept.push(what);
        }
    }
    Ok(swept)
}
