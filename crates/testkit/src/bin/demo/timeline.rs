//! What happened, with the milliseconds since the line before.

use std::time::{Duration, Instant};

/// Prints a line for each step.
pub(crate) struct Timeline {
    began: Instant,
    last: Instant,
}

impl Timeline {
    /// Begins now.
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), last: Instant::now() }
    }

    /// A heading.
    pub(crate) fn part(&mut self, name: &str) {
        println!("\n{name}");
        self.last = Instant::now();
    }

    /// A step that is done.
    pub(crate) fn step(&mut self, what: &str) {
        self.took(what, self.last.elapsed());
        self.last = Instant::now();
    }

    /// A step that was measured elsewhere.
    pub(crate) fn took(&self, what: &str, time: Duration) {
        println!("  {:>6} ms  {what}", time.as_millis());
    }

    /// Time that belongs to no step: pictures.
    pub(crate) fn skip(&mut self) {
        self.last = Instant::now();
    }

    /// The last line.
    pub(crate) fn total(&self) {
        println!("\n{:.1} s in all", self.began.elapsed().as_secs_f64());
    }
}
