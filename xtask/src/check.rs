//! `make check`: format, lint, tidy, licences, generated files, the window's own checks.

use crate::shell::{passes, program};
use crate::suite::everything;
use crate::{codegen, licences, tidy};
use anyhow::{Result, anyhow};

/// Runs every check, and says at the end which ones failed.
pub(crate) fn run() -> Result<bool> {
    let mut results = vec![
        ("format", passes(program("cargo", &["fmt", "--all", "--check"]))?),
        ("tidy", tidy::run()?),
        ("licences", licences::run()?),
    ];
    // Embedded by the window's crate, so it comes before any look at that.
    let files = passes(program("npm", &["run", "--silent", "build"]))?;
    // The window's own checks take one core, and so does the end of the lint, where one crate waits for another.
    let (window, lint) = std::thread::scope(|scope| {
        let window = scope.spawn(|| passes(program("npm", &["run", "--silent", "check"])));
        let lint = passes(everything("clippy", &["--all-targets", "--quiet", "--", "-D", "warnings"]));
        Ok::<_, anyhow::Error>((window.join().map_err(|_| anyhow!("the checks ended in a panic"))??, lint?))
    })?;
    let generated = codegen::is_current()?;
    results.extend([
        ("window's files", files),
        ("window", window),
        ("lint", lint),
        ("generated files", generated),
    ]);
    for (name, good) in &results {
        println!("check {name}: {}", if *good { "ok" } else { "FAILED" });
    }
    Ok(results.iter().all(|(_, good)| *good))
}
