//! The same files and questions for whoever else is installed: jq, and DuckDB by its Python wheel.

use crate::generate::{self, CLUSTERS};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// How many deletes jq finds, and in how many seconds; `None` where it is not installed.
pub(crate) fn jq(dir: &Path) -> Result<Option<(u64, f64)>> {
    if !is_there("jq", &["--version"]) {
        return Ok(None);
    }
    let began = Instant::now();
    let mut deletes = 0;
    for number in 0..CLUSTERS {
        let filter = r#"select(.verb == "delete") | 1"#;
        let ran = Command::new("jq").arg("-c").arg(filter).arg(generate::file(dir, number)).output()?;
        ensure!(ran.status.success(), "jq: {}", String::from_utf8_lossy(&ran.stderr));
        deletes += ran.stdout.iter().filter(|byte| **byte == b'\n').count() as u64;
    }
    Ok(Some((deletes, began.elapsed().as_secs_f64())))
}

/// What DuckDB says (`duckdb.py` tells what); `None` where no Python has it. `DUCKDB_PYTHON` names one that has.
pub(crate) fn duckdb(dir: &Path, questions: &Value) -> Result<Option<Value>> {
    let python = std::env::var("DUCKDB_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if !is_there(&python, &["-c", "import duckdb"]) {
        return Ok(None);
    }
    let ran = Command::new(&python)
        .args(["-c", include_str!("duckdb.py")])
        .arg(dir)
        .arg(questions.to_string())
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(ran.status.success(), "DuckDB failed");
    let said = String::from_utf8(ran.stdout)?;
    serde_json::from_str(said.lines().last().context("its answer")?).context("its answer").map(Some)
}

fn is_there(program: &str, args: &[&str]) -> bool {
    let ran = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ran.is_ok_and(|status| status.success())
}
