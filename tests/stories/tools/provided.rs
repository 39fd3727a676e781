//! What has to be built or installed first.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Where the tools are.
pub(super) struct Provided {
    pub(super) kubectl: PathBuf,
    pub(super) helm: PathBuf,
    pub(super) python: PathBuf,
}

impl Provided {
    /// Finds them, building what the cache lacks; progress goes to stderr.
    pub(super) async fn find() -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("planes/tools.sh");
        let out = tokio::process::Command::new(&script)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("run {}", script.display()))?;
        ensure!(
            out.status.success(),
            "{} could not provide the tools (its reasons are above)",
            script.display()
        );
        let listing = String::from_utf8(out.stdout)?;
        let find = |name: &str| {
            let found = listing.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            found.map(PathBuf::from).with_context(|| format!("tools.sh named no {name}"))
        };
        Ok(Self { kubectl: find("kubectl")?, helm: find("helm")?, python: find("python")? })
    }
}
