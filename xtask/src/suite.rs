//! `make test`, `make story` and `make bench`: one runner per level, one count at the end.

use crate::failures::Failures;
use crate::programs::{self, Program};
use crate::shell::{passes, program, root, watched};
use anyhow::{Context as _, Result, anyhow, bail};
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

    /// Builds the programs with tests beside a command; `None` when they can't be built.
    fn build_beside(&mut self, name: &str, command: Command) -> Result<Option<Vec<Program>>> {
        let (built, took) = std::thread::scope(|scope| {
            let build = scope.spawn(|| {
                let began = Instant::now();
                (programs::build(everything("test", &[])), began.elapsed())
            });
            self.command(name, command)?;
            build.join().map_err(|_| anyhow!("the build ended in a panic"))
        })?;
        let built = built?;
        self.level("build", took, built.is_some());
        Ok(built)
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
    // What is built needs no browser.
    if let Some(all) = board.build_beside("window in a browser", program("npm", &["test", "--silent"]))? {
        let Order { crates, clusters } = Order::of(all)?;
        // Both wait more than they work. How quick something is the benches measure, on a machine that does nothing else.
        board.programs("crates", 2, &crates)?;
        board.programs("stories, guardrails, window", 4, &clusters)?;
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

/// The programs that start clusters or wait for an identity provider: beside each other, since they wait more than they
/// work. Those that take longest come first: what is begun last is waited for alone.
const CLUSTERS: [&str; 13] = [
    "crates/broker broker",
    "crates/fleet stories",
    "tools/demo demo",
    "crates/fleet guardrails",
    "crates/fleet window",
    "crates/testkit planes",
    "crates/gateway gateway",
    "crates/oidc provider",
    "crates/hub hub",
    "crates/cli posture",
    "crates/cli audit",
    "crates/cli collect",
    "crates/feeds victorialogs",
];

/// What runs when: the crates' own programs first, since they say more precisely what is wrong.
#[derive(Debug)]
struct Order {
    /// Everything else.
    crates: Vec<Program>,
    /// [`CLUSTERS`].
    clusters: Vec<Program>,
}

impl Order {
    /// # Errors
    /// When one that is listed was not built: moved or renamed, it would start its clusters beside the crates' own programs.
    fn of(mut crates: Vec<Program>) -> Result<Self> {
        let take = |name: &&str| {
            let place = crates.iter().position(|one| one.name == *name);
            place.map(|place| crates.remove(place)).with_context(|| {
                format!("no program is called {name}; please correct the list in xtask/src/suite.rs")
            })
        };
        let clusters: Vec<Program> = CLUSTERS.iter().map(take).collect::<Result<_>>()?;
        Ok(Self { clusters: clusters.iter().flat_map(parts).collect(), crates })
    }
}

/// A program in the parts that run beside each other; only stories have some.
fn parts(program: &Program) -> Vec<Program> {
    match program.name.as_str() {
        // It ends where it has another number of parts, so that none is left out.
        "crates/fleet stories" => {
            (1..=4).map(|part| program.part(&["--part", &format!("{part}/4")])).collect()
        }
        _ => vec![program.clone()],
    }
}

/// A cargo command over the whole workspace: each choice of packages means features of its own, and every dependency
/// built again.
pub(crate) fn everything(what: &str, more: &[&str]) -> Command {
    let mut command = program("cargo", &[what, "--locked", "--workspace"]);
    command.args(more);
    command
}

/// One story by name; all of them without one.
pub(crate) fn story(name: Option<&str>) -> Result<bool> {
    if !passes(everything("test", &["--no-run", "--quiet"]))? {
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

const BENCHES: [&str; 10] = [
    "way_in",
    "gateway",
    "leaving",
    "hub_idle",
    "login_storm",
    "inbox",
    "revoke_all",
    "ui",
    "posture",
    "audit",
];

/// One bench by name, as a release build; all of them without one.
pub(crate) fn bench(name: Option<&str>) -> Result<bool> {
    let names: Vec<&str> = name.map_or(BENCHES.to_vec(), |n| vec![n]);
    if let Some(unknown) = names.iter().find(|n| !BENCHES.contains(n)) {
        bail!("there is no bench {unknown}; known: {}", BENCHES.join(", "));
    }
    let mut build = program("cargo", &["build", "--release", "--locked"]);
    build.args(["-p", "sallyport-broker", "-p", "sallyport-bench", "--bin", "sallyport-broker"]);
    let mut good = true;
    if names.contains(&"ui") {
        // Embedded by the window's binary.
        good = passes(program("npm", &["run", "--silent", "build"]))?;
        build.args(["-p", "sallyport-desktop", "--bin", "sallyport-desktop"]);
    }
    for name in &names {
        build.args(["--bin", &format!("bench_{name}")]);
    }
    good = good && passes(build)?;
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
    fn what_is_listed_is_told_apart_and_missed() {
        let others = ["crates/gateway wire", "crates/oidc sallyport_oidc"];
        let all = || -> Vec<Program> {
            CLUSTERS.iter().rev().chain(&others).copied().map(Program::named).collect()
        };
        let names =
            |programs: &[Program]| -> Vec<String> { programs.iter().map(|p| p.name.clone()).collect() };
        let order = Order::of(all()).unwrap();
        assert_eq!(names(&order.crates), others);
        let stories = |part: u8| format!("crates/fleet stories --part {part}/4");
        assert_eq!(names(&order.clusters)[0], CLUSTERS[0], "the longest first");
        assert_eq!(names(&order.clusters)[1..5], [1, 2, 3, 4].map(stories));
        assert_eq!(names(&order.clusters)[5..], CLUSTERS[2..]);
        let missed = Order::of(all().split_off(1)).unwrap_err().to_string();
        assert!(missed.contains(CLUSTERS[CLUSTERS.len() - 1]), "{missed}");
    }

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
