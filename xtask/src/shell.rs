//! Running programs in the repository's root.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The repository's root, by where this runs and not by where it was built: one build serves every clone.
pub(crate) fn root() -> PathBuf {
    let at =
        std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).or_else(|| std::env::current_dir().ok());
    let at = at.unwrap_or_default();
    let found = at.ancestors().find(|folder| folder.join("Cargo.lock").is_file()).map(Path::to_path_buf);
    found.expect("xtask is run in the repository")
}

/// A program started in the root.
pub(crate) fn program(name: &str, args: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(args).current_dir(root());
    // What cargo tells xtask of xtask. Build scripts that look at it would run again in every clone, and whatever depends
    // on them (`ring` does: most of the tree).
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    command
}

/// Runs to its end, its output shown; whether it exited with 0.
pub(crate) fn passes(mut command: Command) -> Result<bool> {
    let shown = format!("{command:?}");
    Ok(command.status().with_context(|| format!("could not start {shown}"))?.success())
}

/// Runs to its end and returns what it printed; an error when it failed.
pub(crate) fn output(mut command: Command) -> Result<String> {
    let shown = format!("{command:?}");
    let out =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("could not start {shown}"))?;
    if !out.status.success() {
        bail!("{shown} failed: {}", out.status);
    }
    String::from_utf8(out.stdout).with_context(|| format!("{shown} printed something that is not UTF-8"))
}

/// Runs to its end, shows each line of its standard output as it comes and hands it to `line`.
pub(crate) fn watched(mut command: Command, mut line: impl FnMut(&str)) -> Result<bool> {
    let shown = format!("{command:?}");
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("could not start {shown}"))?;
    let stdout = child.stdout.take().expect("standard output is piped");
    for text in BufReader::new(stdout).lines() {
        let text = text.with_context(|| format!("could not read what {shown} prints"))?;
        println!("{text}");
        line(&text);
    }
    Ok(child.wait()?.success())
}
