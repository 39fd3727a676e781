//! What happened, with the milliseconds since the line before.

use std::time::Instant;

/// Prints a line for each step.
pub(crate) struct Timeline {
    began: Instant,
    last: Instant,
    part: String,
    done: Option<String>,
}

impl Timeline {
    /// Begins now.
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self { began: now, last: now, part: "the start".to_owned(), done: None }
    }

    /// A heading.
    pub(crate) fn part(&mut self, name: &str) {
        println!("\n{name}");
        name.clone_into(&mut self.part);
        self.done = None;
        self.last = Instant::now();
    }

    /// A step that is done.
    pub(crate) fn step(&mut self, what: &str) {
        println!("  {:>6} ms  {what}", self.last.elapsed().as_millis());
        self.done = Some(what.to_owned());
        self.last = Instant::now();
    }

    /// Where it is: in which part, after which step.
    pub(crate) fn place(&self) -> String {
        let after = self.done.as_ref().map(|done| format!(", after the step “{done}”"));
        format!("in “{}”{}", self.part, after.unwrap_or_else(|| ", at its first step".to_owned()))
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
