//! `make run`: builds the app and hands over to the demo program, which starts the fleet and the window.

use crate::shell::{passes, program};
use crate::suite::built;
use anyhow::Result;

/// Builds what the demo needs and runs it.
pub(crate) fn run() -> Result<bool> {
    // In one go: each choice of packages means features of its own, and every dependency built again.
    let parts = [
        "build",
        "--locked",
        "-p",
        "sallyport",
        "-p",
        "sallyport-broker",
        "-p",
        "sallyport-testkit",
        "--features",
        "sallyport-testkit/product",
        "--bins",
    ];
    let ready = passes(program("npm", &["run", "--silent", "build"]))? && passes(program("cargo", &parts))?;
    if !ready {
        return Ok(false);
    }
    // Run as it is, for the same reason.
    passes(program(&built("debug", "demo"), &[]))
}
