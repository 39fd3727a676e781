//! One line per thing seen.

use std::fmt::Display;
use std::time::Instant;

/// Prints and counts.
pub(crate) struct Lines {
    passed: usize,
    failed: usize,
    last: Instant,
}

impl Lines {
    /// Begins with the first heading.
    pub(crate) fn new(heading: &str) -> Self {
        println!("\n# {heading}");
        Self { passed: 0, failed: 0, last: Instant::now() }
    }

    /// The next heading.
    pub(crate) fn begin(&mut self, heading: &str) {
        println!("\n# {heading}");
        self.last = Instant::now();
    }

    /// Something was seen to be so.
    pub(crate) fn seen(&mut self, what: &str, detail: impl Display) {
        self.passed += 1;
        self.line("ok", what, detail);
    }

    /// Something was not.
    pub(crate) fn failed(&mut self, what: &str, detail: impl Display) {
        self.failed += 1;
        self.line("FAILED", what, detail);
    }

    /// Many things were seen to be so, told in one line.
    pub(crate) fn seen_many(&mut self, count: usize, what: &str, detail: impl Display) {
        self.passed += count;
        self.line("ok", what, detail);
    }

    /// One or the other.
    pub(crate) fn check(&mut self, what: &str, holds: bool, detail: impl Display) {
        if holds { self.seen(what, detail) } else { self.failed(what, detail) }
    }

    /// What was counted.
    pub(crate) fn count(&self) -> (usize, usize) {
        (self.passed, self.failed)
    }

    fn line(&mut self, verdict: &str, what: &str, detail: impl Display) {
        let ms = self.last.elapsed().as_millis();
        self.last = Instant::now();
        let detail = detail.to_string();
        let detail = if detail.is_empty() { detail } else { format!(" ({detail})") };
        println!("{verdict:>6} {ms:>6} ms  {what}{detail}");
    }
}
