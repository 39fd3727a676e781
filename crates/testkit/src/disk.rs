//! A disk that is soon full, or can only be read.
//!
//! A test on one is never passed untried: where this process may not mount, its test runs once more in a process that may,
//! one of a user namespace; where that is refused too it fails, unless [`UNTRIED`] says that this is known.

use anyhow::{Context as _, Result, bail, ensure};
use std::env;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set to anything, tests on small disks pass untried where nothing can be mounted, and each says so.
pub const UNTRIED: &str = "SALLYPORT_UNTRIED";
/// Set to anything, this process mounts nothing itself: to see that its tests run elsewhere.
const ELSEWHERE: &str = "SALLYPORT_DISKS_ELSEWHERE";
/// Set in a process that was started to mount.
const WITHIN: &str = "SALLYPORT_DISKS_WITHIN";
/// Root of a user namespace of its own, with its own mounts.
const NAMESPACE: [&str; 4] = ["--user", "--map-root-user", "--mount", "--"];

/// A tmpfs of its own, where tests may mount; dropping it takes it away.
#[derive(Debug)]
pub struct SmallDisk {
    dir: tempfile::TempDir,
}

impl SmallDisk {
    /// Of a size as tmpfs takes it (`900k`, `24m`). `None` where there is nothing left to do for this process: the test was
    /// run elsewhere from its beginning and passed, or may be left untried.
    ///
    /// # Errors
    /// When no folder can be made; when nothing can be mounted anywhere; when the test failed where it was run.
    pub fn mount(size: &str) -> Result<Option<Self>> {
        let disk = tempfile::tempdir().context("a folder for a disk")?;
        let is_within = env::var_os(WITHIN).is_some();
        let may = is_within || env::var_os(ELSEWHERE).is_none();
        if may && run(disk.path(), &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]) {
            return Ok(Some(Self { dir: disk }));
        }
        ensure!(!is_within, "a disk of {size} can't be mounted in a user namespace of our own either");
        match elsewhere()? {
            Elsewhere::Passed => Ok(None),
            Elsewhere::Refused(why) if env::var_os(UNTRIED).is_some() => {
                eprintln!("NOT TRIED, a disk of {size}: {why}");
                Ok(None)
            }
            Elsewhere::Refused(why) => bail!(
                "nothing that needs a disk of {size} can be tried here: this process may not mount, and {why}. Run it where \
                 one of them may, or set {UNTRIED}=1 to let it pass untried"
            ),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// From now on it can only be read.
    ///
    /// # Errors
    /// When something is open for writing there.
    pub fn read_only(&self) -> Result<()> {
        ensure!(run(self.path(), &["-o", "remount,ro"]), "it could not be made read-only");
        Ok(())
    }

    /// From now on it can be written again.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn writable(&self) -> Result<()> {
        ensure!(run(self.path(), &["-o", "remount,rw"]), "it could not be made writable");
        Ok(())
    }

    /// Takes all that is left.
    ///
    /// # Errors
    /// When nothing can be made there at all.
    pub fn fill(&self) -> Result<()> {
        let mut file = File::create(self.ballast())?;
        while file.write_all(&[1; 4096]).is_ok() {}
        Ok(())
    }

    /// Gives it back.
    ///
    /// # Errors
    /// When it was not taken.
    pub fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }
}

enum Elsewhere {
    Passed,
    Refused(String),
}

/// Runs the test of this thread once more where it may mount. Fails when it failed there.
fn elsewhere() -> Result<Elsewhere> {
    let probe = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/tmp"];
    let probe = Command::new("unshare").args(NAMESPACE).args(probe).stdin(Stdio::null()).output();
    match probe {
        Ok(probe) if probe.status.success() => {}
        Ok(probe) => {
            let said = String::from_utf8_lossy(&probe.stderr);
            return Ok(Elsewhere::Refused(format!("neither may one in a user namespace ({})", said.trim())));
        }
        Err(error) => return Ok(Elsewhere::Refused(format!("`unshare` can't be run ({error})"))),
    }
    // libtest calls a test's thread as the test.
    let thread = std::thread::current();
    let Some(test) = thread.name().filter(|name| *name != "main") else {
        return Ok(Elsewhere::Refused("what needs it is no test that could be run by its name".to_owned()));
    };
    let exe = env::current_exe().context("this test")?;
    let mut within = Command::new("unshare");
    within.args(NAMESPACE).arg(exe).args([test, "--exact", "--include-ignored", "--nocapture"]);
    let ran =
        within.env(WITHIN, "1").stdin(Stdio::null()).output().context("the test in a user namespace")?;
    let out = String::from_utf8_lossy(&ran.stdout);
    // None that was found by that name would have passed as well.
    let is_one = out.contains("test result: ok. 1 passed");
    ensure!(
        ran.status.success() && is_one,
        "{test} in a user namespace: {}\n{out}\n{}",
        ran.status,
        String::from_utf8_lossy(&ran.stderr)
    );
    println!("{test}: tried in a user namespace, and passed");
    Ok(Elsewhere::Passed)
}

fn run(dir: &Path, options: &[&str]) -> bool {
    let mount = Command::new("mount").args(options).arg(dir).stderr(Stdio::null()).status();
    mount.is_ok_and(|status| status.success())
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Also while somebody still has a file open there.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A test that passes has been tried: here or elsewhere.
    #[test]
    fn a_small_disk_is_full_when_it_is() {
        let Some(disk) = SmallDisk::mount("200k").unwrap() else { return };
        disk.fill().unwrap();
        let full = fs::write(disk.path().join("more"), [1; 8192]).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
        disk.free().unwrap();
        fs::write(disk.path().join("more"), [1; 8192]).unwrap();
        disk.read_only().unwrap();
        assert!(File::create(disk.path().join("another")).is_err());
        disk.writable().unwrap();
    }

    /// What fails elsewhere fails here, and a name that is none there is no pass.
    #[test]
    fn what_was_not_run_elsewhere_did_not_pass() {
        if env::var_os(WITHIN).is_some() {
            return;
        }
        let of_nobody = std::thread::Builder::new().name("no::such::test".to_owned());
        let tried = of_nobody.spawn(elsewhere).unwrap().join().unwrap();
        assert!(!matches!(tried, Ok(Elsewhere::Passed)), "a test that is none passed");
        let nameless = std::thread::spawn(elsewhere).join().unwrap();
        assert!(!matches!(nameless, Ok(Elsewhere::Passed)));
    }
}
