//! The access report of a time, as the command line makes it.

use super::{Failed, Job, Out, Written};
use crate::desk::AppError;
use crate::evidence::{number, unreadable};
use sallyport_archive::{Bounds, Column, Filter};
use sallyport_report::access::{AccessView, Facts, SeenAccount, SeenAccounts};
use sallyport_report::html;
use sallyport_store::read_beside;
use std::io::Write as _;
use std::time::Duration;

/// Calls of the history that are read.
const CALLS_MOST: usize = 200_000;
/// Accounts of sessions that are kept apart.
const ACCOUNTS_MOST: usize = 100_000;
/// How long API servers' events are counted.
const WITHIN: Duration = Duration::from_secs(60);

impl Job {
    pub(super) fn access(&self, out: &mut Out) -> Result<Written, Failed> {
        let runtime = tokio::runtime::Handle::current();
        let now = jiff::Timestamp::now().as_microsecond();
        let to = self.input.filter.to_us.map_or(now, |to| to.min(now));
        let begun = runtime.block_on(self.evidence.history.range())?.map_or(to - 1, |(first, _)| first);
        let from = self.input.filter.from_us.unwrap_or(begun).min(to - 1);
        let recorded = read_beside(&self.evidence.desk.dirs.data, from, CALLS_MOST).map_err(|error| {
            AppError::failed("the history can't be read")
                .hint("Try again; the log has the details.")
                .because(error)
        })?;
        self.running.until_stopped()?;
        let seen = self.seen(from, to)?;
        let facts = Facts {
            entries: &recorded.entries,
            from,
            to,
            reach: recorded.first.zip(recorded.last),
            is_complete: recorded.is_complete,
            unreadable: &recorded.unreadable,
            has_more_calls: recorded.has_more,
            seen,
            readings: self.beside.readings.clone(),
        };
        let view = AccessView::of(facts, now);
        self.running.until_stopped()?;
        out.write_all(html::access(&view, (from, to)).as_bytes())?;
        let told = recorded.entries.iter().filter(|entry| (from..to).contains(&entry.at)).count();
        Ok(Written { own: number(told as u64), lacks: view.not_known, ..Written::default() })
    }

    /// What API servers told of session accounts in that time; none where there is no archive.
    fn seen(&self, from: i64, to: i64) -> Result<Option<SeenAccounts>, Failed> {
        let runtime = tokio::runtime::Handle::current();
        let Some(archive) = runtime.block_on(self.evidence.archive(false))? else { return Ok(None) };
        let bounds = Bounds { within: WITHIN, cancel: self.running.cancel.clone() };
        let filter = Filter::default().ended().from(from).to(to);
        let columns = [Column::Cluster, Column::Session];
        let answer = archive.combinations(&filter, &columns, ACCOUNTS_MOST, &bounds).map_err(unreadable)?;
        let is_whole = answer.lacks_nothing() && answer.value.others == 0;
        let found = answer.value.rows.into_iter().filter_map(|row| {
            let [cluster, account] = <[String; 2]>::try_from(row.texts).ok()?;
            Some(SeenAccount { cluster, account, calls: row.calls, first: row.first, last: row.last })
        });
        Ok(Some(SeenAccounts::of(found, is_whole)))
    }
}
