//! From entries to sessions, decisions, gaps and days.

use super::view::{AccessView, DayView, DecisionView, Facts, GapView, Proof, SessionView, told};
use sallyport_audit::{Action, Entry, Outcome};
use std::collections::HashMap;

/// Days that are told one by one; a longer time has none.
const DAYS_MOST: i64 = 400;
const DAY: i64 = 86_400_000_000;

/// A session as it grows.
#[derive(Default)]
struct Growing {
    view: SessionView,
    opened: Option<i64>,
    closed: Option<i64>,
    rights_gone: bool,
    token_refused: bool,
    by_broker: bool,
    unproven: bool,
}

pub(super) fn fold(facts: &Facts<'_>) -> AccessView {
    let mut view = AccessView::default();
    let mut sessions: Vec<Growing> = Vec::new();
    let mut by_session: HashMap<&str, usize> = HashMap::new();
    let mut by_request: HashMap<&str, usize> = HashMap::new();
    let mut days = days(facts.from, facts.to);
    let is_in = |at: i64| (facts.from..facts.to).contains(&at);
    for entry in facts.entries {
        let decided = decision(entry).filter(|_| is_in(entry.at));
        if let Some(gap) = gap(entry).filter(|gap| gap.span.0 < facts.to && gap.span.1 >= facts.from) {
            view.gaps.push(gap);
        }
        let session = entry.session.as_ref().map(|id| id.as_str());
        let request = entry.request.as_ref().map(|uid| uid.as_str());
        // What this person decided of somebody else's request has no session of theirs.
        let is_of_another = matches!(entry.action, Action::Approve | Action::Deny | Action::Revoke);
        let known =
            session.and_then(|id| by_session.get(id)).or_else(|| request.and_then(|uid| by_request.get(uid)));
        let at = match known {
            Some(at) => *at,
            None if is_of_another || (session.is_none() && request.is_none()) => {
                view.decisions.extend(decided);
                continue;
            }
            None => {
                sessions.push(Growing::default());
                sessions.len() - 1
            }
        };
        if let Some(id) = session {
            by_session.insert(id, at);
        }
        if let Some(uid) = request {
            by_request.insert(uid, at);
        }
        let Some(growing) = sessions.get_mut(at) else { continue };
        growing.note(entry);
        // What it was about was said when it was asked for.
        let profile = || growing.view.profile.clone();
        view.decisions
            .extend(decided.map(|one| DecisionView { profile: one.profile.or_else(profile), ..one }));
        let day = entry.at.div_euclid(DAY) - facts.from.div_euclid(DAY);
        let day = usize::try_from(day).ok().filter(|_| is_in(entry.at));
        if is_in(entry.at) {
            growing.count(entry);
        }
        if let Some(day) = day.and_then(|day| days.get_mut(day)) {
            match entry.action {
                Action::SessionOpen if entry.outcome == Outcome::Ok => day.sessions += 1,
                Action::Call | Action::StreamStart if !is_told_twice(entry) => {
                    day.calls += 1;
                    day.refused += u64::from(is_refused(entry));
                }
                Action::CallRefused => day.refused += 1,
                _ => {}
            }
        }
    }
    let until = if facts.is_complete { facts.to } else { facts.reach.map_or(facts.from, |(_, last)| last) };
    view.sessions = sessions
        .into_iter()
        .map(|one| one.ended(until.min(facts.to)))
        .filter(|one| is_told(one, facts))
        .collect();
    view.sessions.sort_by_key(|one| std::cmp::Reverse(one.at));
    view.decisions.sort_by_key(|one| std::cmp::Reverse(one.micros));
    for at in facts.unreadable.iter().copied().filter(|at| is_in(*at)) {
        view.gaps.push(GapView {
            from: told(at),
            to: told(at),
            why: "a row that is no entry".to_owned(),
            span: (at, at),
        });
    }
    view.gaps.sort_by_key(|gap| gap.span);
    view.days = days;
    view
}

/// Whether a session belongs into the time that is reported on.
fn is_told(one: &SessionView, facts: &Facts<'_>) -> bool {
    let (from, to) = one.span.unwrap_or((one.at, one.at));
    from < facts.to && to >= facts.from
}

fn days(from: i64, to: i64) -> Vec<DayView> {
    let (first, last) = (from.div_euclid(DAY), to.saturating_sub(1).div_euclid(DAY));
    if last < first || last - first >= DAYS_MOST {
        return Vec::new();
    }
    let name = |day: i64| told(day.saturating_mul(DAY)).chars().take(10).collect();
    (first..=last).map(|day| DayView { day: name(day), ..DayView::default() }).collect()
}

fn text(entry: &Entry, key: &str) -> Option<String> {
    let value = entry.detail.get(key)?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned)).filter(|text| !text.is_empty())
}

/// Who, of a text that says by whom.
fn by(entry: &Entry) -> Option<String> {
    text(entry, "by").map(|by| by.strip_prefix("by ").map(str::to_owned).unwrap_or(by))
}

/// Whether it says of a call that it goes on, of which another entry tells when it is over.
fn is_told_twice(entry: &Entry) -> bool {
    entry.detail.get("slow").is_some()
}

fn is_refused(entry: &Entry) -> bool {
    let status = entry.detail.number("status");
    matches!(status, Some(401 | 403)) || entry.outcome == Outcome::Refused
}

impl Growing {
    fn note(&mut self, entry: &Entry) {
        let view = &mut self.view;
        let set = |into: &mut Option<String>, value: Option<String>| {
            if into.is_none() {
                *into = value;
            }
        };
        if view.at == 0 {
            view.at = entry.at;
        }
        set(&mut view.request, entry.request.as_ref().map(|uid| uid.to_string()));
        set(&mut view.person, entry.user.as_ref().map(|user| user.to_string()));
        set(&mut view.cluster, entry.cluster.as_ref().map(|cluster| cluster.to_string()));
        let is_ok = entry.outcome == Outcome::Ok;
        match entry.action {
            Action::Ask => {
                set(&mut view.asked, Some(told(entry.at)));
                for (into, key) in [
                    (&mut view.profile, "profile"),
                    (&mut view.namespaces, "namespaces"),
                    (&mut view.reason, "reason"),
                ] {
                    set(into, text(entry, key));
                }
                if !is_ok {
                    view.ended =
                        Some(text(entry, "why").map_or("asking was refused".to_owned(), |why| {
                            format!("asking was refused: {why}")
                        }));
                }
            }
            Action::Approved => set(&mut view.approved, by(entry).or(Some("at once".to_owned()))),
            Action::Denied => set(
                &mut view.ended,
                Some(text(entry, "why").map_or("denied".to_owned(), |why| format!("denied: {why}"))),
            ),
            Action::Unanswered => set(&mut view.ended, Some("nobody answered in time".to_owned())),
            Action::Granted => set(&mut view.account, text(entry, "account")),
            Action::SessionOpen if is_ok => self.opened = self.opened.or(Some(entry.at)),
            Action::SessionOpen => set(&mut view.ended, Some("it could not be opened".to_owned())),
            Action::SessionClosed => {
                self.closed = Some(entry.at);
                set(&mut view.ended, text(entry, "reason"));
            }
            Action::Revoked => {
                view.ended =
                    Some(text(entry, "by").map_or("revoked".to_owned(), |by| format!("revoked {by}")))
            }
            Action::Expired => set(&mut view.ended, Some("its time was up".to_owned())),
            Action::RightsGone => self.rights_gone |= is_ok,
            Action::TokenRefused => self.token_refused |= is_ok,
            Action::ProvenByBroker => self.by_broker = true,
            Action::ProofUnproven => self.unproven = true,
            _ => {}
        }
    }

    fn count(&mut self, entry: &Entry) {
        match entry.action {
            Action::Call | Action::StreamStart if !is_told_twice(entry) => {
                self.view.calls += 1;
                self.view.refused += u64::from(is_refused(entry));
            }
            Action::CallRefused => self.view.refused += 1,
            _ => {}
        }
    }

    /// `until`: how far the history tells.
    fn ended(self, until: i64) -> SessionView {
        let mut view = self.view;
        let Some(opened) = self.opened else { return view };
        let end = self.closed.unwrap_or(until).max(opened);
        view.opened = Some(told(opened));
        view.closed = self.closed.map(told);
        view.seconds = end.abs_diff(opened) / 1_000_000;
        view.span = Some((opened, end));
        // A proof that came after a try that failed is a proof.
        view.proof = match (self.closed, self.token_refused || self.rights_gone) {
            (_, true) => Proof::Proven,
            (_, false) if self.by_broker => Proof::ByBroker,
            (_, false) if self.unproven => Proof::Unproven,
            (None, false) => Proof::Open,
            (Some(_), false) => Proof::Untold,
        };
        view
    }
}

fn decision(entry: &Entry) -> Option<DecisionView> {
    let me = || entry.user.as_ref().map(|user| user.to_string()).unwrap_or_default();
    let (what, by, whose) = match entry.action {
        _ if entry.outcome != Outcome::Ok => return None,
        Action::Approved => ("approved", by(entry).unwrap_or("at once".to_owned()), Some(me())),
        Action::Denied => ("denied", by(entry).unwrap_or_default(), Some(me())),
        Action::Revoked => ("revoked", by(entry).unwrap_or_default(), Some(me())),
        Action::Approve => ("approved", me(), text(entry, "for")),
        Action::Deny => ("denied", me(), text(entry, "for")),
        Action::Revoke => ("revoked", me(), text(entry, "for")),
        Action::Hold => ("held", me(), text(entry, "what")),
        Action::HoldRemoved => ("hold ended", me(), text(entry, "what")),
        Action::ProfileChanged => ("profile changed", me(), None),
        _ => return None,
    };
    Some(DecisionView {
        at: told(entry.at),
        what,
        by,
        whose,
        cluster: entry.cluster.as_ref().map(|cluster| cluster.to_string()),
        profile: text(entry, "profile"),
        micros: entry.at,
    })
}

fn gap(entry: &Entry) -> Option<GapView> {
    if entry.action != Action::Gap {
        return None;
    }
    let at = |key: &str| entry.detail.get(key).and_then(serde_json::Value::as_i64);
    // Of recordings there are some whose one moment is in milliseconds.
    let is_old = entry.detail.get("terminal").is_some() && at("to").is_none();
    let from = at("from").filter(|_| !is_old).unwrap_or(entry.at);
    let to = at("to").unwrap_or(entry.at).max(from);
    let why = text(entry, "why").unwrap_or("no reason is told".to_owned());
    Some(GapView { from: told(from), to: told(to), why, span: (from, to) })
}
