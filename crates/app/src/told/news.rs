//! What is news of the person's own sessions, each once. Pure.

use crate::sessions::Standing;
use sallyport_ipc::Shown;
use sallyport_model::EndReason;
use std::collections::BTreeMap;
use std::time::Duration;

/// When the end of an open session is told, before it comes.
const FIVE_MINUTES: Duration = Duration::from_secs(5 * 60);

/// One thing that happened to one session or to the request for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct News {
    pub(super) what: What,
    pub(super) session: String,
    pub(super) cluster: Shown,
    pub(super) profile: Shown,
    /// Who did it, where somebody else did.
    pub(super) by: Option<Shown>,
    /// In their words.
    pub(super) why: Option<Shown>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// People said yes.
    Approved,
    /// Somebody said no.
    Denied,
    /// Nobody answered in time.
    Unanswered,
    /// Five minutes are left.
    FiveMinutes,
    /// The provider's word for the person is overdue, and what is open is closed without it.
    Unvouched,
    /// Somebody else ended it.
    Revoked,
    /// It is closed, and not all of that was shown.
    Unproven,
}

impl What {
    /// Whether it is about a request and not about a session that was open.
    pub(super) fn is_of_request(self) -> bool {
        matches!(self, Self::Approved | Self::Denied | Self::Unanswered)
    }
}

/// What was seen of each session.
#[derive(Default)]
pub(super) struct Watched(BTreeMap<String, Seen>);

#[derive(Default)]
struct Seen {
    approved: bool,
    /// Whether more than five minutes were left: one that is shorter gives no warning.
    had_time: bool,
    ended: bool,
    unproven: bool,
    unvouched: bool,
}

impl Watched {
    /// What has happened since the last look. Sessions that were put away are forgotten.
    pub(super) fn news(&mut self, now: &[Standing]) -> Vec<News> {
        self.0.retain(|id, _| now.iter().any(|standing| standing.id == *id));
        let mut news = Vec::new();
        for standing in now {
            let seen = self.0.entry(standing.id.clone()).or_default();
            news.extend(seen.news(standing).into_iter().map(|what| of(what, standing)));
        }
        news
    }

    /// How long until there may be news by the clock alone.
    pub(super) fn next(now: &[Standing]) -> Option<Duration> {
        now.iter().filter_map(|one| one.left?.checked_sub(FIVE_MINUTES)).min()
    }
}

impl Seen {
    fn news(&mut self, now: &Standing) -> Vec<What> {
        let mut news = Vec::new();
        let mut once = |seen: &mut bool, is: bool, what: What| {
            if is && !std::mem::replace(seen, true) {
                news.push(what);
            }
        };
        // Where it has ended already, that it had been approved is no news any more.
        once(&mut self.approved, now.approved.is_some() && now.ended.is_none(), What::Approved);
        if let Some(what) = now.ended.as_ref().and_then(|ended| ended_by_others(ended.reason)) {
            once(&mut self.ended, true, what);
        }
        once(&mut self.unproven, now.is_unproven, What::Unproven);
        // Once for each time that it is overdue.
        once(&mut self.unvouched, now.unvouched.is_some(), What::Unvouched);
        self.unvouched &= now.unvouched.is_some();
        if let Some(left) = now.left {
            if left > FIVE_MINUTES {
                self.had_time = true;
            } else if std::mem::take(&mut self.had_time) {
                news.push(What::FiveMinutes);
            }
        }
        news
    }
}

fn ended_by_others(reason: EndReason) -> Option<What> {
    match reason {
        EndReason::Denied => Some(What::Denied),
        EndReason::Unanswered => Some(What::Unanswered),
        EndReason::Revoked => Some(What::Revoked),
        // Their own doing, or what five minutes before was told; and a failure is shown where they wait for it.
        EndReason::Left | EndReason::Expired | EndReason::Failed => None,
    }
}

fn of(what: What, standing: &Standing) -> News {
    let ended = standing.ended.as_ref();
    let (by, why) = match what {
        What::Approved => (standing.approved.clone(), None),
        What::Denied | What::Revoked => {
            (ended.and_then(|e| e.by.clone()), ended.and_then(|e| e.message.clone()))
        }
        What::Unanswered | What::FiveMinutes | What::Unproven | What::Unvouched => (None, None),
    };
    News {
        what,
        session: standing.shown_as.clone(),
        cluster: standing.cluster.clone(),
        profile: standing.profile.clone(),
        by,
        why,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use sallyport_ipc::Ended;

    pub(crate) fn standing(id: &str) -> Standing {
        Standing {
            id: id.to_owned(),
            shown_as: id.to_owned(),
            cluster: "pay-eu".into(),
            profile: "debug".into(),
            approved: None,
            left: None,
            unvouched: None,
            ended: None,
            is_unproven: false,
        }
    }

    pub(crate) fn ended(reason: EndReason) -> Option<Ended> {
        Some(Ended { reason, by: Some("oidc:lee".into()), message: Some("too late".into()), at: 0 })
    }

    fn whats(watched: &mut Watched, now: &[Standing]) -> Vec<What> {
        watched.news(now).into_iter().map(|news| news.what).collect()
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn each_thing_is_told_once_however_often_it_is_looked_at() {
        let mut watched = Watched::default();
        let mut one = standing("1");
        assert!(whats(&mut watched, &[one.clone()]).is_empty());
        one.approved = Some("by oidc:lee".into());
        assert_eq!(whats(&mut watched, &[one.clone()]), [What::Approved]);
        one.left = Some(MINUTE * 15);
        assert!(whats(&mut watched, &[one.clone()]).is_empty());
        assert_eq!(Watched::next(&[one.clone()]), Some(MINUTE * 10));
        one.left = Some(MINUTE * 5);
        assert_eq!(whats(&mut watched, &[one.clone()]), [What::FiveMinutes]);
        one.left = Some(MINUTE * 4);
        assert!(whats(&mut watched, &[one.clone()]).is_empty());
        assert_eq!(Watched::next(&[one.clone()]), None);
        (one.left, one.ended) = (None, ended(EndReason::Revoked));
        assert_eq!(whats(&mut watched, &[one.clone()]), [What::Revoked]);
        one.is_unproven = true;
        assert_eq!(whats(&mut watched, &[one.clone()]), [What::Unproven]);
        assert!(whats(&mut watched, &[one]).is_empty());
    }

    #[test]
    fn a_word_that_is_overdue_is_told_once_each_time() {
        let mut watched = Watched::default();
        let mut one = standing("1");
        let overdue = || Some("the identity provider can't be reached".into());
        one.unvouched = overdue();
        assert_eq!(whats(&mut watched, &[one.clone()]), [What::Unvouched]);
        assert!(whats(&mut watched, &[one.clone()]).is_empty());
        one.unvouched = None;
        assert!(whats(&mut watched, &[one.clone()]).is_empty());
        one.unvouched = overdue();
        assert_eq!(whats(&mut watched, &[one]), [What::Unvouched]);
    }

    #[test]
    fn what_the_person_did_or_waits_for_is_no_news() {
        for reason in EndReason::ALL {
            let mut one = standing("1");
            one.ended = ended(reason);
            let told = whats(&mut Watched::default(), &[one]);
            let expected: &[What] = match reason {
                EndReason::Denied => &[What::Denied],
                EndReason::Unanswered => &[What::Unanswered],
                EndReason::Revoked => &[What::Revoked],
                EndReason::Left | EndReason::Expired | EndReason::Failed => &[],
            };
            assert_eq!(told, expected, "{reason:?}");
        }
    }

    #[test]
    fn an_approval_that_was_overtaken_by_an_end_is_not_told() {
        let mut one = standing("1");
        (one.approved, one.ended) = (Some("by oidc:lee".into()), ended(EndReason::Denied));
        assert_eq!(whats(&mut Watched::default(), &[one]), [What::Denied]);
    }

    #[test]
    fn one_that_never_had_more_than_five_minutes_gives_no_warning_and_one_that_was_put_away_is_forgotten() {
        let mut watched = Watched::default();
        let mut one = standing("1");
        one.left = Some(MINUTE * 3);
        assert!(whats(&mut watched, &[one.clone()]).is_empty());
        watched.news(&[]);
        assert!(watched.0.is_empty());
    }
}
