//! `make run`: builds the app and hands over to the demo program, which starts the fleet and the window.

use crate::shell::{passes, program, root};
use anyhow::Result;
use std::path::PathBuf;

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
    let built = passes(program("npm", &["run", "--silent", "build"]))?
        && passes(program("cargo", &["build", "--locked", "-p", "sallyport"]))?
        && passes(program("cargo", &parts))?;
    if !built {
        return Ok(false);
    }
    // Run as it is: through cargo another choice of packages would mean other features, and all of it built again.
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let demo = root().join(target).join("debug/demo");
    passes(program(&demo.to_string_lossy(), &[]))
}
