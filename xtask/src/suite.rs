//! `make test`, `make story` and `make bench`: one runner per level, one count at the end.

use crate::failures::Failures;
use crate::programs::{self, Program};
use crate::shell::{passes, program, root, watched};
use anyhow::{Result, anyhow, bail};
use std::process::Command;
use std::time::{Duration, Instant};

/// What a runner counted.
#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
}

impl Count {
    /// Reads a runner's closing lines: libtest's, or the plain `N passed, N failed` of ours.
    fn read(&mut self, line: &str) {
        let counted =
            line.strip_prefix("test result: ").map(|rest| rest.split_once(". ").map_or(rest, |r| r.1));
        let words: Vec<&str> =
            counted.unwrap_or(line).split([' ', ',', ';']).filter(|w| !w.is_empty()).collect();
        if let [passed, "passed", failed, "failed", ..] = words[..]
            && let (Ok(passed), Ok(failed)) = (passed.parse::<u64>(), failed.parse::<u64>())
        {
            self.passed += passed;
            self.failed += failed;
        }
    }
}

/// What was counted and what failed.
#[derive(Default)]
struct Board {
    count: Count,
    failures: Failures,
    all_good: bool,
}

impl Board {
    fn read(&mut self, line: &str) {
        self.count.read(line);
        self.failures.read(line);
    }

    /// Notes how a level went.
    fn level(&mut self, name: &str, took: Duration, good: bool) {
        eprintln!("{name}: {} after {} s", if good { "ok" } else { "FAILED" }, took.as_secs());
        self.all_good &= good;
    }

    fn command(&mut self, name: &str, command: Command) -> Result<()> {
        let began = Instant::now();
        let good = watched(command, |line| self.read(line))?;
        self.level(name, began.elapsed(), good);
        Ok(())
    }

    /// Commands that mostly wait for different things.
    fn beside(&mut self, commands: Vec<(&str, Command)>) -> Result<()> {
        let ran: Vec<_> = std::thread::scope(|scope| {
            let run = |(name, command)| {
                scope.spawn(move || {
                    let (began, mut lines) = (Instant::now(), Vec::new());
                    let good = watched(command, |line| lines.push(line.to_owned()));
                    (name, began.elapsed(), lines, good)
                })
            };
            let running: Vec<_> = commands.into_iter().map(run).collect();
            running.into_iter().map(|one| one.join()).collect()
        });
        for one in ran {
            let (name, took, lines, good) = one.map_err(|_| anyhow!("a level ended in a panic"))?;
            lines.iter().for_each(|line| self.read(line));
            self.level(name, took, good?);
        }
        Ok(())
    }

    fn programs(&mut self, name: &str, at_once: usize, programs: &[Program]) -> Result<()> {
        let began = Instant::now();
        let good =
            programs::run(at_once, programs, |_, ran| ran.lines.iter().for_each(|line| self.read(line)))?;
        self.level(name, began.elapsed(), good);
        Ok(())
    }
}

/// Everything, cheapest first. A level that fails does not hide the next one.
pub(crate) fn test() -> Result<bool> {
    let mut board = Board { all_good: true, ..Board::default() };
    // Embedded by the window's binary, so it comes before any build of it.
    board.command("window's files", program("npm", &["run", "--silent", "build"]))?;
    // Everything at once and with the features of the tests: another set would build each dependency again. What is built
    // needs no browser, and the tests in the browser wait for timers more than they work.
    board.beside(vec![
        ("window in a browser", program("npm", &["test", "--silent"])),
        ("build", everything("build", &["--all-targets"])),
    ])?;
    let began = Instant::now();
    match programs::build(everything("test", &[]))? {
        None => board.level("tests", began.elapsed(), false),
        Some(all) => {
            // What measures milliseconds runs alone, what needs clusters afterwards and side by side.
            let (mut clusters, crates): (Vec<_>, Vec<_>) =
                all.into_iter().partition(|program| BESIDE.iter().any(|name| program.name.starts_with(name)));
            clusters.sort_by_key(|program| {
                LONGEST.iter().position(|name| program.is(name)).unwrap_or(LONGEST.len())
            });
            board.programs("crates", 1, &crates)?;
            board.programs("stories, guardrails, window", 2, &clusters)?;
        }
    }
    board.command("examples in documents", everything("test", &["--doc", "--quiet"]))?;
    let Board { count, failures, all_good } = board;
    if count.passed + count.failed == 0 {
        bail!("no test ran");
    }
    // A runner that dies before it counts is a failure of its own.
    let failed = if all_good { count.failed } else { count.failed.max(1) };
    // Once more at the end, where whoever sees only the last lines finds them.
    print!("{failures}");
    println!("{} passed, {failed} failed", count.passed);
    Ok(failed == 0)
}

/// The package whose tests start clusters, and the tests that wait for an identity provider: beside each other, since they
/// wait more than they work.
const BESIDE: [&str; 2] = ["crates/testkit", "crates/oidc provider"];
/// Those of them that take longest, the longest first: what is begun last is waited for alone.
const LONGEST: [&str; 4] = ["stories", "broker", "demo", "guardrails"];

/// Tests that need the whole product, and the broker that can be made to die, are behind features.
pub(crate) const FEATURES: &str = "sallyport-testkit/product,sallyport-broker/faults";

/// A cargo command over the whole workspace.
pub(crate) fn everything(what: &str, more: &[&str]) -> Command {
    let mut command = program("cargo", &[what, "--locked", "--workspace", "--features", FEATURES]);
    command.args(more);
    command
}

/// One story by name; all of them without one.
pub(crate) fn story(name: Option<&str>) -> Result<bool> {
    if !passes(everything("build", &["--all-targets"]))? {
        return Ok(false);
    }
    let mut command = everything("test", &["-q", "--test"]);
    match name {
        Some("guardrails") => command.arg("guardrails"),
        Some(name) => command.args(["stories", "--", name]),
        None => command.arg("stories"),
    };
    passes(command)
}

const BENCHES: [&str; 4] = ["way_in", "gateway", "leaving", "hub_idle"];

/// One bench by name, as a release build; all of them without one.
pub(crate) fn bench(name: Option<&str>) -> Result<bool> {
    let names: Vec<&str> = name.map_or(BENCHES.to_vec(), |n| vec![n]);
    if let Some(unknown) = names.iter().find(|n| !BENCHES.contains(n)) {
        bail!("there is no bench {unknown}; known: {}", BENCHES.join(", "));
    }
    let mut build =
        program("cargo", &["build", "--release", "--locked", "--features", "sallyport-testkit/product"]);
    build.args(["-p", "sallyport-broker", "-p", "sallyport-testkit", "--bin", "sallyport-broker"]);
    for name in &names {
        build.args(["--bin", &format!("bench_{name}")]);
    }
    let mut good = passes(build)?;
    for name in names {
        good &= passes(program(&built("release", &format!("bench_{name}")), &[]))?;
    }
    Ok(good)
}

/// The path of a program that was built.
pub(crate) fn built(profile: &str, name: &str) -> String {
    // As cargo reads it: a relative one is meant from the root.
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root().join(target).join(profile).join(name).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_closing_lines_are_counted_and_noise_is_not() {
        let mut count = Count::default();
        for line in [
            "test result: ok. 16 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.21s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored",
            "42 passed, 1 failed",
            "nothing passed, nothing failed",
            "they passed 3 times",
        ] {
            count.read(line);
        }
        assert_eq!((count.passed, count.failed), (61, 3));
    }
}
