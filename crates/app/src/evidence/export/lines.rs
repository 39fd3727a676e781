//! Both sides as lines, newest first, as on screen; a call that both tell of is told by both.

use super::turn::Running;
use super::{Failed, Job, Out, Written};
use crate::evidence::unreadable;
use crate::history::Recorder;
use sallyport_archive::{Archive, Bounds, Call, CallId, Cursor as CallCursor, Filter as Calls};
use sallyport_audit::Entry;
use sallyport_ipc::ExportForm;
use sallyport_report::handed::{self, ToldCall};
use sallyport_store::{Cursor as OwnCursor, Filter as Entries};
use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// Rows that are read at a time.
const PAGE: usize = 500;
/// How long a page may take before it is what was found until then.
const WITHIN: Duration = Duration::from_secs(10);
/// Pages in a row on which the archive got no further.
const STUCK: usize = 100;

/// Entries, newest first.
struct Own {
    runtime: tokio::runtime::Handle,
    history: Recorder,
    filter: Entries,
    at: Option<OwnCursor>,
    read: VecDeque<Entry>,
    is_over: bool,
}

impl Own {
    fn next_at(&mut self) -> Result<Option<i64>, Failed> {
        while self.read.is_empty() && !self.is_over {
            let page = self.history.entries(self.filter.clone(), self.at, PAGE);
            let page = self.runtime.block_on(page)?;
            self.at = page.next;
            self.is_over = page.next.is_none();
            self.read = page.entries.into();
        }
        Ok(self.read.front().map(|entry| entry.at))
    }
}

/// Calls, newest first, each with its event.
struct Told {
    archive: Arc<Archive>,
    filter: Calls,
    running: Arc<Running>,
    at: Option<CallCursor>,
    read: VecDeque<(Call, Option<String>)>,
    is_over: bool,
    damaged: u64,
    unread: usize,
    unreadable: u64,
}

impl Told {
    fn next_at(&mut self) -> Result<Option<i64>, Failed> {
        let mut stuck = 0;
        while self.read.is_empty() && !self.is_over {
            self.running.until_stopped()?;
            let bounds = Bounds { within: WITHIN, cancel: self.running.cancel.clone() };
            let page = self.archive.page(&self.filter, self.at, PAGE, &bounds).map_err(unreadable)?;
            self.damaged = self.damaged.max(page.damaged);
            self.unread = self.unread.max(page.unread_segments);
            // Its blocks are merged just now, or there was no time: once more.
            if page.value.calls.is_empty() && page.value.next == self.at && !page.is_whole {
                stuck += 1;
                if stuck > STUCK {
                    return Err(Failed::Said(super::unmade()));
                }
                continue;
            }
            (self.at, self.is_over) = (page.value.next, page.value.next.is_none());
            let ids: Vec<CallId> = page.value.calls.iter().map(|call| call.id).collect();
            for (call, raw) in page.value.calls.into_iter().zip(self.archive.raws(&ids)) {
                let raw = match raw {
                    Ok(raw) => Some(raw),
                    Err(error) if error.is_damage() => {
                        self.unreadable += 1;
                        None
                    }
                    Err(sallyport_archive::ArchiveError::Gone(_)) => None,
                    Err(error) => return Err(Failed::Said(unreadable(error))),
                };
                self.read.push_back((call, raw));
            }
        }
        Ok(self.read.front().map(|(call, _)| call.at))
    }
}

impl Job {
    pub(super) fn lines(&self, out: &mut Out) -> Result<Written, Failed> {
        let runtime = tokio::runtime::Handle::current();
        let archive = match self.wanted.calls {
            Some(_) => runtime.block_on(self.evidence.archive(false))?,
            None => None,
        };
        let mut own = self.wanted.own.clone().map(|filter| Own {
            runtime,
            history: self.evidence.history.clone(),
            filter,
            at: None,
            read: VecDeque::new(),
            is_over: false,
        });
        let mut told = archive.zip(self.wanted.calls.clone()).map(|(archive, filter)| Told {
            archive,
            filter,
            running: self.running.clone(),
            at: None,
            read: VecDeque::new(),
            is_over: false,
            damaged: 0,
            unread: 0,
            unreadable: 0,
        });
        let mut written = Written::default();
        let mut text = String::new();
        if self.input.form == ExportForm::Csv {
            handed::csv_head(&mut text);
            out.write_all(text.as_bytes())?;
        }
        loop {
            let newest = match &mut own {
                Some(own) => own.next_at()?,
                None => None,
            };
            let newest_told = match &mut told {
                Some(told) => told.next_at()?,
                None => None,
            };
            text.clear();
            if newest.is_none() && newest_told.is_none() {
                break;
            }
            if newest >= newest_told {
                let Some(entry) = own.as_mut().and_then(|own| own.read.pop_front()) else { break };
                entry_line(self.input.form, &entry, &mut text);
                written.own += 1;
            } else {
                let Some((call, raw)) = told.as_mut().and_then(|told| told.read.pop_front()) else { break };
                call_line(self.input.form, &call, raw.as_deref(), &mut text);
                written.calls += 1;
            }
            out.write_all(text.as_bytes())?;
            self.running.passed(1);
        }
        if let Some(Told { damaged, unread, unreadable, .. }) = told {
            let lacks = [
                (damaged, "events are damaged; some of them may fit and are not in it"),
                (unread as u64, "files of the archive could not be opened: what they hold is not in it"),
                (unreadable, "events are in it by what is kept to find them; their own text is damaged"),
            ];
            let lacks = lacks.into_iter().filter(|(many, _)| *many > 0);
            written.lacks.extend(lacks.map(|(many, what)| format!("{many} {what}")));
        }
        Ok(written)
    }
}

fn entry_line(form: ExportForm, entry: &Entry, text: &mut String) {
    match form {
        ExportForm::Csv => handed::csv(entry, text),
        ExportForm::Ocsf => handed::ocsf(entry, text),
        _ => handed::json(entry, text),
    }
}

fn call_line(form: ExportForm, call: &Call, raw: Option<&str>, text: &mut String) {
    let told = ToldCall::of(call, raw);
    match form {
        ExportForm::Csv => told.csv(text),
        ExportForm::Ocsf => told.ocsf(text),
        _ => told.json(text),
    }
}
