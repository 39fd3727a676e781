//! `make check`: format, lint, tidy, licences, generated files, the window's own checks.

use crate::shell::{passes, program};
use crate::suite::everything;
use crate::{codegen, licences, tidy};
use anyhow::Result;

/// Runs every check, and says at the end which ones failed.
pub(crate) fn run() -> Result<bool> {
    let clippy = everything("clippy", &["--all-targets", "--quiet", "--", "-D", "warnings"]);
    let results = [
        ("format", passes(program("cargo", &["fmt", "--all", "--check"]))?),
        ("tidy", tidy::run()?),
        ("licences", licences::run()?),
        ("window", passes(program("npm", &["run", "--silent", "check"]))?),
        ("window's files", passes(program("npm", &["run", "--silent", "build"]))?),
        ("lint", passes(clippy)?),
        ("generated files", codegen::is_current()?),
    ];
    for (name, good) in &results {
        println!("check {name}: {}", if *good { "ok" } else { "FAILED" });
    }
    Ok(results.iter().all(|(_, good)| *good))
}
