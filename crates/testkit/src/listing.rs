//! What a script of ours provides: programs it finds or builds, named in lines of `name=path`.

use crate::repository::root;
use anyhow::{Context, Result, ensure};
use std::path::PathBuf;
use std::process::Stdio;
use tokio::process::Command;

/// A script's answer.
pub struct Listing {
    script: String,
    lines: String,
}

impl Listing {
    /// Runs `planes/<script>`, which builds what the cache lacks; its progress goes to stderr.
    ///
    /// # Errors
    /// When a prerequisite is missing or the build fails; the script's own words are on stderr.
    pub async fn of(script: &str) -> Result<Self> {
        let path = root().join("crates/testkit/planes").join(script);
        let output = Command::new("bash")
            .arg(&path)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("run {}", path.display()))?;
        ensure!(
            output.status.success(),
            "{} could not provide what it is for (its reasons are above)",
            path.display()
        );
        Ok(Self { script: script.to_owned(), lines: String::from_utf8(output.stdout)? })
    }

    /// What it says of a name.
    ///
    /// # Errors
    /// When it says nothing of it.
    pub fn value(&self, name: &str) -> Result<&str> {
        self.lines
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .with_context(|| format!("{} named no {name}", self.script))
    }

    /// The path it gives to a name.
    ///
    /// # Errors
    /// When it gives none.
    pub fn path(&self, name: &str) -> Result<PathBuf> {
        self.value(name).map(PathBuf::from)
    }

    #[cfg(test)]
    pub(crate) fn read(script: &str, lines: &str) -> Self {
        Self { script: script.to_owned(), lines: lines.to_owned() }
    }
}
