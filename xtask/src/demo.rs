//! `make run`: builds the app and hands over to the demo program, which starts the fleet and the window.

use crate::shell::{passes, program};
use anyhow::Result;

/// Builds what the demo needs and runs it.
pub(crate) fn run() -> Result<bool> {
    let built = passes(program("npm", &["run", "--silent", "build"]))?
        && passes(program("cargo", &["build", "--locked", "--bin", "sallyport"]))?
        && passes(program("cargo", &["build", "--locked", "-p", "sallyport-broker", "-p", "sallyport-testkit", "--bins"]))?;
    Ok(built && passes(program("cargo", &["run", "-q", "--locked", "-p", "sallyport-testkit", "--bin", "demo"]))?)
}
