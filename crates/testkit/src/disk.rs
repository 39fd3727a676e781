//! A disk that is soon full, or can only be read.

use anyhow::{Context as _, Result, ensure};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A tmpfs of its own, where tests may mount; dropping it takes it away.
#[derive(Debug)]
pub struct SmallDisk {
    dir: tempfile::TempDir,
}

impl SmallDisk {
    /// Of a size as tmpfs takes it (`900k`, `24m`); `None` where tests may not mount.
    ///
    /// # Errors
    /// When no folder can be made.
    pub fn mount(size: &str) -> Result<Option<Self>> {
        let disk = tempfile::tempdir().context("a folder for a disk")?;
        let is_there = run(disk.path(), &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]);
        Ok(is_there.then_some(Self { dir: disk }))
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
