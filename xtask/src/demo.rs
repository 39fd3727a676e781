//! `make run`: builds the app and hands over to the demo program, which starts the fleet and the window.

use crate::shell::{passes, program};
use crate::suite::built;
use anyhow::{Result, bail};
use std::os::unix::process::CommandExt as _;

/// Builds what the demo needs and runs it.
pub(crate) fn run() -> Result<bool> {
    // In one go: each choice of packages means features of its own, and every dependency built again.
    let parts = [
        "build",
        "--locked",
        "-p",
        "sallyport-desktop",
        "-p",
        "sallyport-broker",
        "-p",
        "sallyport-demo",
        "--bins",
    ];
    let ready = passes(program("npm", &["run", "--silent", "build"]))? && passes(program("cargo", &parts))?;
    if !ready {
        return Ok(false);
    }
    // Run as it is, for the same reason; and in our place, so that nobody is between make and the demo who could die of
    // a signal before the demo has removed what it made.
    let demo = built("debug", "demo");
    bail!("could not start {demo}: {}", program(&demo, &[]).exec())
}
