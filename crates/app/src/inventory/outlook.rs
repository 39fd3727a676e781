//! How what is about to be asked for would be answered now: the same evaluation as the broker's, by the hub's clock as this
//! machine reckons it and by what its person may read. It decides nothing.

use super::Inventory;
use super::choose::place_and_time;
use super::known::{Known, Remembered};
use crate::desk::AppError;
use crate::person::{Signed, WorkspaceId, not_signed_in};
use futures::future::try_join_all;
use sallyport_hub::past;
use sallyport_ipc::{DayView, OpenInput, OutlookView, Shown};
use sallyport_model::{ClusterName, ErrorCode, Profile, Scope, Ttl};
use sallyport_policy::{Asking, Outlook, Past, changes, evaluate, left_of_day, outlook};
use std::time::Duration;

/// The longest that somebody who looks waits for what they had before.
const WAITED: Duration = Duration::from_secs(3);
/// The longest sleep: a machine that was suspended wakes to another time.
const SLEEP: Duration = Duration::from_secs(600);

impl Inventory {
    /// How an ask would be answered at this moment, and until when. Reads the person's own requests under a profile that counts
    /// them, for at most 3 s; what could not be read is said to be unknown.
    ///
    /// # Errors
    /// When the ask means nothing: no such cluster or profile, more than the profile allows.
    pub(crate) async fn outlook(&self, input: OpenInput) -> Result<OutlookView, AppError> {
        let signed = self.person.is_signed_in().ok_or_else(not_signed_in)?;
        let cluster: ClusterName = input
            .cluster
            .parse()
            .map_err(|e: sallyport_model::NameError| AppError::new(ErrorCode::BadInput, e.to_string()))?;
        let last = self.last_opening(&cluster).await;
        let profile =
            self.known(&signed.workspace, |known| known.pick(&cluster, &input, last.as_ref()))?.profile;
        let last = last.filter(|last| last.profile == profile.name);
        let (scope, duration) =
            place_and_time(&profile, &input, last.as_ref(), self.desk.default_duration())?;
        let now = self.person.hub_now(&signed.workspace);
        let past = self.past(&signed, &profile, &cluster, now).await;
        let opened = past.as_ref().map(|past| &past.opened);
        let asking = Asking { groups: &signed.who.groups, scope: &scope, duration, opened };
        Ok(view(&profile, outlook(&profile, &asking, now), past.as_ref(), duration, now))
    }

    /// How long is asked for where nobody said: no longer than what is left of the person's day, where it leaves a session at
    /// all. What can't be counted here is left to the broker, and so is a day that is used up: it says so.
    pub(super) async fn within_day(
        &self,
        signed: &Signed,
        profile: &Profile,
        cluster: &ClusterName,
        wanted: Ttl,
    ) -> Ttl {
        if profile.max_per_day.is_none() {
            return wanted;
        }
        let now = self.person.hub_now(&signed.workspace);
        let past = self.past(signed, profile, cluster, now).await;
        shortened(profile, wanted, past.as_ref(), now)
    }

    /// What the person's requests of before came to, in the teams they may ask in; `None` where it could not be read, or where
    /// nothing counts it.
    async fn past(
        &self,
        signed: &Signed,
        profile: &Profile,
        cluster: &ClusterName,
        now: i64,
    ) -> Option<Past> {
        if profile.max_per_day.is_none() && !profile.counts_openings() {
            return None;
        }
        let hub = self.hub(signed);
        let teams = signed.teams.iter().filter(|team| team.may_ask);
        let reads =
            teams.map(|team| hub.requests_under(&team.name, &signed.who.user, (&profile.name, cluster)));
        let all = tokio::time::timeout(WAITED, try_join_all(reads)).await.ok()?.ok()?;
        let mut sum = Past::default();
        for listed in &all {
            let one = past(listed, None, now).ok()?;
            sum.spells.extend(one.spells);
            for (name, times) in one.opened {
                *sum.opened.entry(name).or_default() += times;
            }
        }
        Some(sum)
    }

    /// Has the list looked at again whenever a clock makes another answer of a profile.
    pub(super) async fn mind_clocks(&self, workspace: &WorkspaceId) {
        let mut moved = self.moves();
        loop {
            let now = self.person.hub_now(workspace);
            let next = self.known(workspace, |known| known.next_change(now));
            let wait = next.and_then(|next| u64::try_from(next - now).ok()).map(Duration::from_secs);
            tokio::select! {
                () = tokio::time::sleep(wait.unwrap_or_default().min(SLEEP)), if wait.is_some() => {}
                changed = moved.changed() => if changed.is_err() { return },
            }
            if next.is_some_and(|next| next <= self.person.hub_now(workspace)) {
                self.changed();
            }
        }
    }
}

impl Known {
    /// Whether one click opens a profile at `now` (Unix seconds, the hub's clock) with what it would take by itself. How
    /// often an autoApproval was met is not read for a list: what counts that is asked for in the form.
    pub(super) fn opens_at_once(&self, profile: &Profile, remembered: &Remembered, now: i64) -> bool {
        if profile.approvals == 0 {
            return true;
        }
        let last = remembered.last.as_ref().filter(|last| profile.name.as_str() == last.profile);
        let names = last.and_then(|last| {
            last.namespaces.iter().map(|name| name.parse().ok()).collect::<Option<Vec<_>>>()
        });
        let scope = names.map(Scope::from_list).filter(|scope| scope.within(&profile.scope));
        let scope = scope.unwrap_or_else(|| profile.scope.clone());
        let asking =
            Asking { groups: &self.groups, scope: &scope, duration: remembered.usual(profile), opened: None };
        evaluate(&profile.auto_approvals, &asking, now).is_ok()
    }

    /// When the clock makes another answer of one of the profiles, after `now`; `None`: not within a week.
    fn next_change(&self, now: i64) -> Option<i64> {
        let profiles = self.profiles.values().filter_map(|object| Profile::try_from(object).ok());
        profiles.filter_map(|profile| changes(&profile.auto_approvals, now).next()).min()
    }
}

/// What is wanted, or as much of it as is left of the day where that is a session.
fn shortened(profile: &Profile, wanted: Ttl, past: Option<&Past>, now: i64) -> Ttl {
    let (Some(most), Some(past)) = (profile.max_per_day, past) else { return wanted };
    if past.has_room(most, wanted, now) {
        return wanted;
    }
    let left = left_of_day(profile, Some(past), now).map(Ttl::whole_minutes);
    left.filter(|left| *left >= Ttl::SHORTEST).map_or(wanted, |left| wanted.min(left))
}

fn view(profile: &Profile, outlook: Outlook, past: Option<&Past>, duration: Ttl, now: i64) -> OutlookView {
    let milliseconds = |at: i64| at.saturating_mul(1000);
    let day = profile.max_per_day.map(|most| DayView {
        most_seconds: most.as_seconds_u32(),
        left_seconds: left_of_day(profile, past, now).map(Ttl::as_seconds_u32),
        fits: past.is_none_or(|past| past.has_room(most, duration, now)),
    });
    let approvals = profile.approvals.into();
    match outlook {
        Outlook::AtOnce { by, until } => OutlookView {
            at_once: true,
            by: by.map(|met| Shown::from(&met.name)),
            approvals,
            changes_at: until.map(milliseconds),
            unmet: Vec::new(),
            day,
        },
        Outlook::People { unmet, opens_at, .. } => OutlookView {
            at_once: false,
            by: None,
            approvals,
            changes_at: opens_at.map(milliseconds),
            unmet: unmet.iter().map(Shown::of).collect(),
            day,
        },
    }
}

#[cfg(test)]
mod tests;
