use std::collections::VecDeque;
use std::io;
use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError};

/// How many lines are kept, and how long one may be, in characters.
const LINES: usize = 400;
const LONGEST: usize = 2000;

/// The last lines of the log, in memory, for a support bundle. Whoever installs the log writes into a clone of it; all clones
/// are the same, but for the line that is being written into one.
#[derive(Debug, Default)]
pub struct LogTail {
    kept: Arc<Mutex<VecDeque<String>>>,
    begun: Vec<u8>,
}

impl LogTail {
    /// Its lines, the oldest first.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Keeps what was written, line by line.
    fn keep(&mut self) {
        let begun = take(&mut self.begun);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for line in String::from_utf8_lossy(&begun).lines() {
            if kept.len() == LINES {
                kept.pop_front();
            }
            kept.push_back(sallyport_model::clip(line, LONGEST));
        }
    }
}

impl Clone for LogTail {
    fn clone(&self) -> Self {
        Self { kept: self.kept.clone(), begun: Vec::new() }
    }
}

impl io::Write for LogTail {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(part);
        if part.ends_with(b"\n") {
            self.keep();
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.keep();
        Ok(())
    }
}

impl Drop for LogTail {
    fn drop(&mut self) {
        self.keep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn the_last_lines_are_kept_and_none_is_endless() {
        let tail = LogTail::default();
        for n in 0..LINES + 5 {
            writeln!(tail.clone(), "line {n}").unwrap();
        }
        tail.clone().write_all("x".repeat(9000).as_bytes()).unwrap();
        let lines = tail.lines();
        assert_eq!((lines.len(), lines[0].as_str()), (LINES, "line 6"));
        assert_eq!(lines[LINES - 1].chars().count(), LONGEST);
    }
}
