//! The repository's chores, behind `make`: test, story, bench, run, check, codegen, tidy.

mod check;
mod circles;
mod codegen;
mod demo;
mod failures;
mod licences;
mod parts;
mod programs;
mod shell;
mod suite;
mod tidy;

use anyhow::{Result, bail};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (command, name) = (args.next().unwrap_or_default(), args.next().filter(|n| !n.is_empty()));
    match run(&command, name.as_deref()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask {command}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, name: Option<&str>) -> Result<bool> {
    match command {
        "test" => suite::test(),
        "story" => suite::story(name),
        "bench" => suite::bench(name),
        "run" => demo::run(),
        "check" => check::run(),
        "codegen" => codegen::write().map(|()| true),
        "tidy" => tidy::run(),
        "licences" => licences::run(),
        _ => {
            bail!("there is no such command; known: test, story, bench, run, check, codegen, tidy, licences")
        }
    }
}
