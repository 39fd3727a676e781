//! What failed, in few lines: a test's name, the first of its words and the last, from what libtest prints.

use std::collections::VecDeque;
use std::fmt;

/// As many lines of a test's first words as are kept: what was wanted.
const FIRST: usize = 6;
/// As many of its last: a play that is quoted whole says there how it ended.
const LAST: usize = 24;
/// As many characters of a line.
const WIDTH: usize = 300;

/// What one test said.
#[derive(Default)]
struct Words {
    first: Vec<String>,
    last: VecDeque<String>,
    /// Lines between them that are not kept.
    left_out: usize,
}

impl Words {
    fn say(&mut self, line: &str) {
        let line: String = line.chars().take(WIDTH).collect();
        if self.first.len() < FIRST {
            self.first.push(line);
            return;
        }
        self.last.push_back(line);
        if self.last.len() > LAST {
            self.last.pop_front();
            self.left_out += 1;
        }
    }
}

/// The tests that failed so far.
#[derive(Default)]
pub(crate) struct Failures {
    tests: Vec<(String, Words)>,
    /// Whether the lines that come are the last test's words.
    within: bool,
}

impl Failures {
    /// Reads one line of a runner. libtest repeats each failed test's output under `---- name stdout ----`; the list of
    /// names that follows ends it.
    pub(crate) fn read(&mut self, line: &str) {
        let begins = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----"));
        if let Some(name) = begins {
            self.tests.push((name.to_owned(), Words::default()));
            self.within = true;
        } else if line == "failures:" || line.starts_with("test result: ") {
            self.within = false;
        } else if self.within
            && let Some((_, words)) = self.tests.last_mut()
        {
            // A test that talks a lot says last what failed: from the panic on it is said anew.
            if line.starts_with("thread '") && line.contains(" panicked at ") {
                *words = Words::default();
            }
            if !line.trim().is_empty() {
                words.say(line);
            }
        }
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, words) in &self.tests {
            writeln!(out, "failed: {name}")?;
            for line in &words.first {
                writeln!(out, "    {line}")?;
            }
            if words.left_out > 0 {
                writeln!(out, "    … {} lines …", words.left_out)?;
            }
            for line in &words.last {
                writeln!(out, "    {line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_test_is_named_with_what_it_panicked_with() {
        let long = "x".repeat(1000);
        let printed = [
            "running 2 tests",
            "test good ... ok",
            "test bad ... FAILED",
            "",
            "failures:",
            "",
            "---- bad stdout ----",
            "1 of many lines",
            "2 of many lines",
            "",
            "thread 'bad' (7) panicked at crates/x.rs:3:5:",
            &long,
            "note: run with `RUST_BACKTRACE=1`",
            "",
            "---- worse stdout ----",
            "Error: nothing",
            "",
            "",
            "failures:",
            "    bad",
            "    worse",
            "",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored",
            "noise that belongs to nobody",
        ];
        let mut failures = Failures::default();
        printed.iter().for_each(|line| failures.read(line));
        let said = failures.to_string();
        let cut = "x".repeat(WIDTH);
        assert_eq!(
            said,
            format!(
                "failed: bad\n    thread 'bad' (7) panicked at crates/x.rs:3:5:\n    {cut}\n    \
                 note: run with `RUST_BACKTRACE=1`\nfailed: worse\n    Error: nothing\n"
            )
        );
    }
    #[test]
    fn a_play_that_is_quoted_whole_says_how_it_ended() {
        let mut failures = Failures::default();
        failures.read("---- play stdout ----");
        (1..=100).for_each(|n| failures.read(&format!("step {n}")));
        let said = failures.to_string();
        let lines: Vec<&str> = said.lines().map(str::trim).collect();
        assert_eq!(lines.len(), 1 + FIRST + 1 + LAST);
        assert_eq!((lines[1], lines[FIRST]), ("step 1", "step 6"));
        assert_eq!((lines[FIRST + 1], lines[FIRST + 2]), ("… 70 lines …", "step 77"));
        assert_eq!(lines.last(), Some(&"step 100"));
    }
}
