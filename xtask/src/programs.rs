//! The programs that cargo makes of tests, run by ourselves: those that mostly wait for clusters beside each other.

use crate::shell::root;
use anyhow::{Context, Result};
use serde_json::Value;
use std::io::{BufRead, BufReader, pipe};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Instant;

/// A program with tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// The package's folder and the target's name, as in `crates/fleet stories`.
    pub(crate) name: String,
    /// Where cargo would run it.
    at: PathBuf,
    path: PathBuf,
    args: Vec<String>,
}

impl Program {
    /// The same, told to run a part of what it has.
    pub(crate) fn part(&self, args: &[&str]) -> Self {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        Self { name: format!("{} {}", self.name, args.join(" ")), args, ..self.clone() }
    }
}

#[cfg(test)]
impl Program {
    /// One that is only called so.
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), at: PathBuf::new(), path: PathBuf::new(), args: Vec::new() }
    }
}

/// What a program printed, and whether it ended well.
pub(crate) struct Ran {
    pub(crate) lines: Vec<String>,
    pub(crate) good: bool,
}

/// Builds what is tested; `None` when that fails.
pub(crate) fn build(mut command: Command) -> Result<Option<Vec<Program>>> {
    command.args(["--no-run", "--message-format=json-render-diagnostics"]);
    let shown = format!("{command:?}");
    let out =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("could not start {shown}"))?;
    let said = String::from_utf8(out.stdout).with_context(|| format!("{shown} printed no UTF-8"))?;
    Ok(out.status.success().then(|| said.lines().filter_map(program).collect()))
}

/// One line of what cargo says (its external tools' format): a program, if it is one with tests.
fn program(line: &str) -> Option<Program> {
    let said: Value = serde_json::from_str(line).ok()?;
    if said["reason"] != "compiler-artifact" || said["profile"]["test"] != true {
        return None;
    }
    let at = PathBuf::from(said["manifest_path"].as_str()?).parent()?.to_path_buf();
    let within = at.strip_prefix(root()).unwrap_or(&at).display().to_string();
    let name = format!("{within} {}", said["target"]["name"].as_str()?).trim_start().to_owned();
    Some(Program { name, path: said["executable"].as_str()?.into(), at, args: Vec::new() })
}

/// Runs programs in their order, so many at once, and tells what each printed when it has ended. Returns whether all
/// ended well.
pub(crate) fn run(
    at_once: usize,
    programs: &[Program],
    mut told: impl FnMut(&Program, &Ran),
) -> Result<bool> {
    let waiting = Mutex::new(programs.iter());
    let (says, heard) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            let (says, waiting) = (says.clone(), &waiting);
            scope.spawn(move || {
                let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some(program) = next() {
                    let began = Instant::now();
                    let ran = run_one(program);
                    eprintln!("{}: {} s", program.name, began.elapsed().as_secs());
                    if says.send((program, ran)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(says);
        let mut all_good = true;
        for (program, ran) in heard {
            let ran = ran?;
            println!("\n     Running {}", program.name);
            ran.lines.iter().for_each(|line| println!("{line}"));
            told(program, &ran);
            all_good &= ran.good;
        }
        Ok(all_good)
    })
}

fn run_one(program: &Program) -> Result<Ran> {
    let failed = || format!("could not run {}", program.path.display());
    let (reader, writer) = pipe()?;
    let mut command = Command::new(&program.path);
    command
        .args(&program.args)
        .current_dir(&program.at)
        .env("CARGO_MANIFEST_DIR", &program.at)
        .stdin(Stdio::null());
    let mut child = command.stdout(writer.try_clone()?).stderr(writer).spawn().with_context(failed)?;
    // It holds the pipe's other end, and nothing would ever be read to its end.
    drop(command);
    let mut lines = Vec::new();
    for line in BufReader::new(reader).split(b'\n') {
        lines.push(String::from_utf8_lossy(&line.with_context(failed)?).into_owned());
    }
    Ok(Ran { lines, good: child.wait()?.success() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_cargo_made_to_be_tested_is_a_program() {
        let at = root().join("crates/fleet");
        let said = |test: bool, executable: Value| {
            json!({
                "reason": "compiler-artifact", "manifest_path": at.join("Cargo.toml"), "executable": executable,
                "target": {"name": "stories", "kind": ["test"]}, "profile": {"test": test},
            })
            .to_string()
        };
        let found = program(&said(true, json!("/target/stories-1"))).unwrap();
        assert_eq!(found.name, "crates/fleet stories");
        assert_eq!((found.at, found.path), (at.clone(), PathBuf::from("/target/stories-1")));
        for other in
            [said(false, json!("/target/demo")), said(true, Value::Null), "Compiling x".into(), "{}".into()]
        {
            assert_eq!(program(&other), None, "{other}");
        }
    }

    #[test]
    fn programs_run_side_by_side_and_each_is_told_of() {
        let script = |name: &str, path: &str| Program {
            name: name.into(),
            at: root(),
            path: path.into(),
            args: Vec::new(),
        };
        let all = [script("a", "/bin/true"), script("b", "/bin/false"), script("c", "/bin/pwd")];
        for at_once in [1, 2, 5] {
            let mut seen = Vec::new();
            let good = run(at_once, &all, |program, ran| {
                seen.push((program.name.clone(), ran.good, ran.lines.clone()))
            });
            assert!(!good.unwrap(), "one of them failed");
            if at_once == 1 {
                assert!(seen.iter().map(|(name, ..)| name).eq(["a", "b", "c"]), "in order");
            }
            seen.sort();
            let here = root().display().to_string();
            assert_eq!(
                seen,
                [
                    ("a".to_owned(), true, vec![]),
                    ("b".to_owned(), false, vec![]),
                    ("c".to_owned(), true, vec![here])
                ]
            );
        }
        assert!(run(2, &[script("d", "/nowhere")], |_, _| {}).is_err());
    }
}
