//! A program that was run to its end.

use anyhow::{Context as _, Result};
use serde_json::Value;
use std::process::Stdio;
use tokio::process::Command;

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Ran {
    /// Runs it with nothing to read.
    ///
    /// # Errors
    /// When it can't be started, is ended by a signal, or writes what is no text.
    pub async fn of(mut command: Command) -> Result<Self> {
        let output = command.stdin(Stdio::null()).output().await?;
        Ok(Self {
            code: output.status.code().context("it was ended by a signal")?,
            out: String::from_utf8(output.stdout)?,
            err: String::from_utf8(output.stderr)?,
        })
    }

    /// Its standard output as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.out).with_context(|| format!("no JSON: {} {}", self.out, self.err))
    }
}
