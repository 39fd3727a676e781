//! What failed, in few lines: a test's name and the first of its words, from what libtest prints.

use std::fmt;

/// As many lines of one test's words as are kept.
const LINES: usize = 6;
/// As many characters of a line.
const WIDTH: usize = 300;

/// The tests that failed so far.
#[derive(Default)]
pub(crate) struct Failures {
    tests: Vec<(String, Vec<String>)>,
    /// Whether the lines that come are the last test's words.
    within: bool,
}

impl Failures {
    /// Reads one line of a runner. libtest repeats each failed test's output under `---- name stdout ----`; the list of
    /// names that follows ends it.
    pub(crate) fn read(&mut self, line: &str) {
        let begins = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----"));
        if let Some(name) = begins {
            self.tests.push((name.to_owned(), Vec::new()));
            self.within = true;
        } else if line == "failures:" || line.starts_with("test result: ") {
            self.within = false;
        } else if self.within
            && let Some((_, words)) = self.tests.last_mut()
        {
            // A test that talks a lot says last what failed: from the panic on it is said anew.
            if line.starts_with("thread '") && line.contains(" panicked at ") {
                words.clear();
            }
            if words.len() < LINES && !line.trim().is_empty() {
                words.push(line.chars().take(WIDTH).collect());
            }
        }
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, words) in &self.tests {
            writeln!(out, "failed: {name}")?;
            for line in words {
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
}
