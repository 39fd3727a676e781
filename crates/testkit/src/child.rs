//! A test binary once more, as a process that its test may kill.

use anyhow::{Context as _, Result};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};

/// Where [`dir`] finds what [`Child::start`] was given.
const DIR: &str = "SALLYPORT_TEST_DIR";

/// This test binary again, running one ignored test. Dropping it ends it.
#[derive(Debug)]
pub struct Child {
    process: process::Child,
    out: BufReader<process::ChildStdout>,
}

impl Child {
    /// Runs the test of that name, which works in `dir`.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(test: &str, dir: &Path) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--ignored", "--exact", test, "--nocapture"])
            .env(DIR, dir)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {test} as a process of its own"))?;
        let out = BufReader::new(process.stdout.take().context("its output")?);
        Ok(Self { process, out })
    }

    /// The next line that it [said](say), without the test harness's own; `None` when it is gone.
    ///
    /// # Errors
    /// When its output can't be read.
    pub fn line(&mut self) -> Result<Option<String>> {
        loop {
            let mut line = String::new();
            if self.out.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            // A process that is killed in the middle of a line said nothing.
            if let Some(said) = line.strip_suffix('\n').and_then(|line| line.strip_prefix("said ")) {
                return Ok(Some(said.to_owned()));
            }
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// With SIGKILL, which leaves it no time for anything; returns when it is gone.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// In the child: where it works.
///
/// # Errors
/// When it was not run by its parent.
pub fn dir() -> Result<PathBuf> {
    std::env::var_os(DIR).map(PathBuf::from).context("it is run by its parent")
}

/// In the child: says a line to the parent; ends the process where nobody listens any more.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "\nsaid {line}").and_then(|()| out.flush()).is_err() {
        process::exit(1);
    }
}
