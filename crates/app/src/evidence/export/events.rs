//! The clusters' events that go with a pack, and the entry that says which they are: written and sealed before the pack is
//! made, so that the pack holds it.

use super::{Failed, Job, words};
use crate::evidence::{number, unreadable};
use sallyport_archive::Bounds;
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_report::handed::{EVENTS_SHA256, Events, Lacks, Telling};
use sallyport_store::spare_file;
use std::fs::File;
use std::io::{BufWriter, Seek as _};
use std::time::Duration;

/// How long the archive is looked through, and counted.
const WITHIN: Duration = Duration::from_secs(600);
const COUNTED: Duration = Duration::from_secs(30);

/// Events in a file without a name, from its beginning, and what is said of them.
pub(super) struct Gathered {
    pub(super) said: Events,
    pub(super) file: File,
}

impl Job {
    /// None where they are not wanted, or there is no archive.
    pub(super) fn gathered(&self) -> Result<Option<Gathered>, Failed> {
        let Some(filter) = self.wanted.calls.as_ref().filter(|_| self.has_calls) else { return Ok(None) };
        let runtime = tokio::runtime::Handle::current();
        let Some(archive) = runtime.block_on(self.evidence.archive(false))? else { return Ok(None) };
        let bounds = |within| Bounds { within, cancel: self.running.cancel.clone() };
        let of = archive.count(filter, &bounds(COUNTED)).map_err(unreadable)?;
        let mut telling = Telling::new(BufWriter::with_capacity(1 << 16, spare_file(&self.path)?));
        let walked = telling.walk(|take| {
            archive.each_raw(filter, &bounds(WITHIN), |call, raw| {
                self.running.passed(1);
                take(call, raw)
            })
        })?;
        let (said, out) = telling.end(Lacks::of(&of, &walked.map_err(unreadable)?));
        let mut file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Some(Gathered { said, file }))
    }

    /// Writes down which events are about to leave, and seals it. What comes of the pack another entry says.
    pub(super) fn vouch(&self, said: &Events) -> Result<(), Failed> {
        let draft = Draft::new(Action::Exported)
            .outcome(Outcome::Unknown)
            .detail("format", words::form(self.input.form))
            .detail("filter", &self.about.said)
            .detail("calls", said.events)
            .detail("bytes", said.bytes)
            .detail(EVENTS_SHA256, &said.sha256);
        let runtime = tokio::runtime::Handle::current();
        runtime.block_on(self.evidence.history.keep(self.about.entry(draft)))?;
        runtime.block_on(self.evidence.history.seal());
        self.running.passed(number(1));
        Ok(())
    }
}
