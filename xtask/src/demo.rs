//! `make run`: builds the app and hands over to the demo program, which starts the fleet and the window.

use crate::shell::{passes, program};
use crate::suite::built;
use anyhow::Result;

/// Builds what the demo needs and runs it.
pub(crate) fn run() -> Result<bool> {
    let parts = [
        "build",
        "--locked",
        "-p",
        "sallyport-broker",
        "-p",
        "sallyport-testkit",
        "--features",
        "sallyport-testkit/product",
        "--bins",
    ];
    let ready = passes(program("npm", &["run", "--silent", "build"]))?
        && passes(program("cargo", &["build", "--locked", "-p", "sallyport"]))?
        && passes(program("cargo", &parts))?;
    if !ready {
        return Ok(false);
    }
    // Run as it is: through cargo another choice of packages would mean other features, and all of it built again.
    passes(program(&built("debug", "demo"), &[]))
}
