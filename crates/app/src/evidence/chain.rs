//! The chain of a session, from signing in to the last proof: the steps of this desktop, and what the cluster tells of the
//! account, the token and the bindings that were made for it, by whoever made and removed them.

use super::{Evidence, lacks, or_lacks, row};
use crate::desk::AppError;
use sallyport_archive::{Call, Column, Filter};
use sallyport_audit::{Action, Entry, Outcome};
use sallyport_ipc::{LacksView, TimelineRow};
use sallyport_model::{RequestUid, SessionAccount, UserName};
use sallyport_store::Filter as Entries;
use std::collections::HashMap;

/// Steps of a session that are shown, the first.
const STEPS: usize = 500;
/// Sign-ins before the request that are looked at for one that succeeded.
const SIGN_INS: usize = 20;
/// What the cluster tells of making and removing that is shown, the newest.
const MADE: usize = 200;
/// Roles that a profile may have, each of which has a binding of its own number.
const ROLES: usize = 16;
/// What makes, changes or removes an object; nobody cares who looked at it.
const WRITES: [&str; 4] = ["create", "update", "patch", "delete"];

/// Which session, and when it was.
pub(super) struct Of<'a> {
    pub(super) request: &'a RequestUid,
    /// Its entries, oldest first.
    pub(super) entries: &'a [Entry],
    /// Where; may be empty.
    pub(super) cluster: &'a str,
    /// The accounts that it was granted.
    pub(super) accounts: &'a [String],
    /// From when to when the cluster is asked for it.
    pub(super) time: (i64, Option<i64>),
}

impl Evidence {
    /// Oldest first, and what is missing in it.
    pub(super) async fn chain(&self, of: &Of<'_>) -> Result<(Vec<TimelineRow>, LacksView), AppError> {
        let mut rows: Vec<TimelineRow> = Vec::new();
        if let Some(first) = of.entries.first() {
            let who = of.entries.iter().find_map(|entry| entry.user.clone());
            rows.extend(self.signed_in(who, first.at).await?.as_ref().map(row::own));
        }
        rows.extend(of.entries.iter().filter(|entry| !entry.action.is_call()).take(STEPS).map(row::own));
        let (made, missing) = self.made_for(of).await?;
        rows.extend(made);
        rows.sort_by_key(|row| row.at_us);
        Ok((rows, missing))
    }

    /// The last time that this person signed in before a moment.
    async fn signed_in(&self, who: Option<UserName>, before: i64) -> Result<Option<Entry>, AppError> {
        let Some(who) = who else { return Ok(None) };
        let sign_ins = Entries {
            user: Some(who),
            actions: vec![Action::SignIn],
            to: Some(before),
            ..Entries::default()
        };
        let page = self.history.entries(sign_ins, None, SIGN_INS).await?;
        Ok(page.entries.into_iter().find(|entry| entry.outcome == Outcome::Ok))
    }

    /// What the archive tells of the session's account, its token, its grant and its bindings: by their names, which nobody
    /// else ever has. So a second token of the account, or a binding that somebody changed, stands there too.
    async fn made_for(&self, of: &Of<'_>) -> Result<(Vec<TimelineRow>, LacksView), AppError> {
        if of.cluster.is_empty() || of.accounts.is_empty() {
            return Ok((Vec::new(), LacksView::default()));
        }
        let wanted = wanted(of);
        let asked = self.ask("what was made for a session", move |archive, bounds| {
            archive.page(&wanted, None, MADE, bounds)
        });
        let (answer, why) = or_lacks(asked).await?;
        let Some(page) = answer else { return Ok((Vec::new(), why)) };
        let mut missing = lacks(&page);
        missing.is_cut |= page.value.next.is_some();
        let calls: Vec<Call> = page.value.calls;
        Ok((self.rows(calls.iter(), &HashMap::new()).await?, missing))
    }
}

fn wanted(of: &Of<'_>) -> Filter {
    let grant = SessionAccount::derive_grant_name(of.request);
    let bindings = (0..ROLES).map(|number| format!("{grant}-{number}"));
    let names = of.accounts.iter().cloned().chain(bindings).chain([grant.clone()]);
    let filter = Filter::default().ended().only(Column::Cluster, of.cluster).from(of.time.0);
    let filter = names.fold(filter, |filter, name| filter.only(Column::Name, name));
    let filter = WRITES.iter().fold(filter, |filter, verb| filter.only(Column::Verb, *verb));
    of.time.1.into_iter().fold(filter, Filter::to)
}
