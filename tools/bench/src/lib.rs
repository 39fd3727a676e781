//! What several benches share.

pub mod cpu;

use anyhow::{Context, Result, ensure};
use sallyport_testkit::repository::root;

/// Runs a script of `ui/tools` and returns its line that begins with `key`; what else it says is passed on.
///
/// # Errors
/// When it fails, with its own words, or says no such line.
pub async fn in_browser(script: &str, key: &str) -> Result<String> {
    let ui = root().join("ui");
    let run =
        tokio::process::Command::new("node").arg(format!("tools/{script}")).current_dir(ui).output().await?;
    ensure!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let said = String::from_utf8(run.stdout)?;
    print!("{said}");
    let line = said.lines().find(|line| line.starts_with(key)).context("the window's line")?;
    Ok(line.to_owned())
}

/// The most memory this process has had, in MiB.
///
/// # Errors
/// Where the kernel does not say it.
pub fn memory_most() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    Ok(kib.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}

/// Values in order, to read percentiles from.
#[derive(Debug)]
pub struct Sorted(Vec<f64>);

impl Sorted {
    /// Of these values, in any order.
    #[must_use]
    pub fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value at a part (0 to 1) of them; 0 where there is none.
    #[must_use]
    pub fn at(&self, part: f64) -> f64 {
        let place = (self.0.len().saturating_sub(1) as f64 * part).round() as usize;
        self.0.get(place).copied().unwrap_or_default()
    }
}
