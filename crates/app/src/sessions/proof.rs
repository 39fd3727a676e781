//! The proof that a session is over: its lines, and what is known behind them. Pure. No line of rights or token turns
//! green without a probe, and what is unproven turns green by another look only (promise P13).

use super::terminal::EndedTerminals;
use sallyport_gateway::CutReport;
use sallyport_ipc::{Proof as Line, ProofKind, ProofState, Shown};
use sallyport_provision::{Progress, Proof as Probed};
use std::time::{Duration, Instant};

/// A token that is refused this close to its end may have run out. Seconds.
const NEAR_ITS_END: i64 = 10;

const LINES: [ProofKind; 6] = [
    ProofKind::StreamsCut,
    ProofKind::TerminalsEnded,
    ProofKind::KubeconfigDeleted,
    ProofKind::RightsGone,
    ProofKind::AccountRemoved,
    ProofKind::TokenRefused,
];

/// What was on this machine.
const HERE: [ProofKind; 3] = [ProofKind::StreamsCut, ProofKind::TerminalsEnded, ProofKind::KubeconfigDeleted];

/// Whether the hub was told of a session's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It was not tried.
    NotTried,
    /// It could not hear; why. It is told again.
    NotYet(String),
    /// It never answered the request and may still take it in: it is looked for, so that it can be taken back.
    LookedFor(String),
    /// It knows, or there is nothing to tell.
    Yes,
}

/// What is known of the account's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// There is no request.
    NothingAsked,
    /// The hub shows it closed: the broker's word.
    Closed,
    /// The session's own probes have shown it.
    Shown,
    /// Nothing came in time.
    Silent,
}

/// How far the end of a session is shown.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    began: Instant,
    lines: Vec<Line>,
    /// Whether there is a token, and something that it was allowed: only then the probes' lines say anything of the grant.
    probed: bool,
    /// Whether each right was refused by the authorizer: then its binding is gone, and not the token alone.
    bindings_gone: bool,
    /// What the broker can't remove, in its words.
    hindrance: Option<String>,
    told: Told,
    /// Whether somebody else ended it: that it was removed by this session itself would be untrue.
    elsewhere: bool,
}

impl Proof {
    /// Nothing is shown yet.
    pub(super) fn begin(elsewhere: bool) -> Self {
        let line = |kind| Line {
            kind,
            state: ProofState::Waiting,
            ms: None,
            first_ms: None,
            detail: Shown::default(),
        };
        Self {
            began: Instant::now(),
            lines: LINES.map(line).into(),
            probed: false,
            bindings_gone: false,
            hindrance: None,
            told: Told::NotTried,
            elsewhere,
        }
    }

    /// Since the closing began.
    fn since(&self) -> u32 {
        millis(self.began.elapsed())
    }

    fn set(&mut self, kind: ProofKind, state: ProofState, detail: impl AsRef<str>) {
        let ms = self.since();
        if let Some(line) = self.lines.iter_mut().find(|l| l.kind == kind)
            && !matches!(line.state, ProofState::Done | ProofState::Unproven)
        {
            line.ms = matches!(state, ProofState::Done | ProofState::Unproven).then_some(ms);
            line.state = state;
            line.detail = Shown::from(detail.as_ref());
        }
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// How a line stands.
    pub(super) fn state(&self, kind: ProofKind) -> ProofState {
        self.lines.iter().find(|l| l.kind == kind).map_or(ProofState::Waiting, |l| l.state)
    }

    fn is_done(&self, kind: ProofKind) -> bool {
        self.state(kind) == ProofState::Done
    }

    // --- What is on this machine.

    /// What the gateway reports of its cut; nothing where it served nothing.
    pub(super) fn streams_cut(&mut self, report: Option<&CutReport>) {
        let (streams, ms) = report.map_or((0, 0), |report| (report.streams.len(), millis(report.took)));
        let detail = match streams {
            0 => "none was open".to_owned(),
            1 => format!("1 stream, in {ms} ms"),
            n => format!("{n} streams, in {ms} ms"),
        };
        let (state, detail) = match report {
            Some(report) if !report.complete => {
                (ProofState::Unproven, format!("{detail}, and something of them still runs"))
            }
            _ => (ProofState::Done, detail),
        };
        self.set(ProofKind::StreamsCut, state, detail);
    }

    /// Its session goes on under another grant, and what streams there was not its own to cut.
    pub(super) fn streams_go_on(&mut self) {
        self.set(ProofKind::StreamsCut, ProofState::Done, "they go on in the session that was extended");
    }

    pub(super) fn terminals_ended(&mut self, ended: &EndedTerminals) {
        let (state, detail) = ended.proven();
        self.set(ProofKind::TerminalsEnded, state, detail);
    }

    pub(super) fn kubeconfig_removed(&mut self, removed: Result<&str, String>) {
        let (state, detail) = match removed {
            Ok(detail) => (ProofState::Done, detail.to_owned()),
            Err(why) => (ProofState::Unproven, why),
        };
        self.set(ProofKind::KubeconfigDeleted, state, detail);
    }

    // --- What the probes show.

    /// No token ever reached this desktop, so there is nothing to probe with and nothing a probe could show.
    pub(super) fn nothing_was_given(&mut self) {
        for kind in [ProofKind::RightsGone, ProofKind::TokenRefused] {
            self.set(kind, ProofState::Done, "no token was ever opened here");
        }
    }

    /// A token was unsealed, and can't be used to ask: what it is allowed stays unknown.
    pub(super) fn nothing_can_be_asked(&mut self) {
        for kind in [ProofKind::RightsGone, ProofKind::TokenRefused] {
            self.set(
                kind,
                ProofState::Unproven,
                "its token was opened here, but nothing can be asked with it",
            );
        }
    }

    /// A stage of the probes begins, with a token that is allowed so many things.
    pub(super) fn probing(&mut self, kind: ProofKind, rights: usize) {
        self.probed |= rights > 0;
        self.set(kind, ProofState::Running, "");
    }

    /// So many were refused in one round; true where that is news.
    pub(super) fn progress(&mut self, progress: Progress) -> bool {
        let ms = self.since();
        let kind = ProofKind::RightsGone;
        let running = |l: &&mut Line| l.kind == kind && l.state == ProofState::Running;
        let Some(line) = self.lines.iter_mut().find(running) else { return false };
        if progress.refused > 0 && line.first_ms.is_none() {
            line.first_ms = Some(ms);
        }
        let detail = match progress.refused {
            0 => Shown::default(),
            refused => format!("{refused} of {} refused", progress.of).into(),
        };
        let news = line.detail != detail;
        line.detail = detail;
        news
    }

    /// A stage is over. Returns why, where it is unproven.
    pub(super) fn concluded(&mut self, kind: ProofKind, probed: &Probed) -> Option<String> {
        match probed {
            Probed::Proven(proven) => {
                self.bindings_gone |= kind == ProofKind::RightsGone && proven.by_authorizer;
                let detail = match proven.refused {
                    1 => format!("{} answered {} itself", proven.by, proven.status),
                    all => format!("{} answered {} itself to all {all}", proven.by, proven.status),
                };
                self.set(kind, ProofState::Done, detail);
                None
            }
            Probed::Unproven { why } => {
                let why = match &self.hindrance {
                    Some(words) => format!("{why}; the broker says: {words}"),
                    None => why.clone(),
                };
                self.set(kind, ProofState::Unproven, &why);
                Some(why)
            }
        }
    }

    /// A right that was refused is allowed again: somebody or something made a binding anew. True where that is news.
    pub(super) fn came_back(&mut self, progress: Progress) -> bool {
        self.bindings_gone = false;
        let done = |l: &&mut Line| l.kind == ProofKind::RightsGone && l.state == ProofState::Done;
        let Some(line) = self.lines.iter_mut().find(done) else { return false };
        line.state = ProofState::Unproven;
        line.detail = format!(
            "{} of {} were allowed again after all had been refused: something makes a binding anew",
            progress.allowed, progress.of
        )
        .into();
        true
    }

    /// Whether a token that was refused shows that its account is gone, and every binding with it. `end` is the token's;
    /// both by the target's clock, Unix seconds.
    pub(super) fn shows_account_gone(&self, probed: &Probed, end: Option<i64>) -> bool {
        matches!(probed, Probed::Proven(proven) if self.bindings_gone && before_its_end(proven.at, end))
    }

    // --- What is known of request, grant and account.

    /// The session has ended its own grant.
    pub(super) fn own_grant_ended(&mut self) {
        let detail = "this session ended its own grant; what hangs on it is being removed";
        self.set(ProofKind::AccountRemoved, ProofState::Running, detail);
    }

    pub(super) fn waiting_for_account(&mut self) {
        if self.state(ProofKind::AccountRemoved) == ProofState::Waiting {
            self.set(ProofKind::AccountRemoved, ProofState::Running, "");
        }
    }

    /// The hub was told, or could not hear.
    pub(super) fn told_hub(&mut self, told: Told) {
        self.told = told;
    }

    pub(super) fn told(&self) -> &Told {
        &self.told
    }

    /// Whether the hub was told, or there is nothing to tell.
    pub(super) fn hub_knows(&self) -> bool {
        self.told == Told::Yes
    }

    /// What the broker says it can't remove.
    pub(super) fn hindered(&mut self, hindrance: Option<String>) {
        self.hindrance = hindrance;
    }

    /// What is known of the account.
    pub(super) fn account(&mut self, account: Account) {
        let (state, detail) = self.said_of_account(account);
        self.set(ProofKind::AccountRemoved, state, detail);
    }

    fn said_of_account(&self, account: Account) -> (ProofState, String) {
        let untold = match &self.told {
            Told::Yes => String::new(),
            Told::NotTried => "; the hub is told as soon as it can hear".to_owned(),
            Told::NotYet(why) | Told::LookedFor(why) => {
                format!("; the hub is told as soon as it can hear ({why})")
            }
        };
        match account {
            Account::NothingAsked => (ProofState::Done, "nothing was asked for".to_owned()),
            Account::Closed => {
                (ProofState::Done, "the broker removed bindings, then ServiceAccount, then grant".to_owned())
            }
            Account::Shown => {
                let by = if self.elsewhere { "" } else { " by this session itself" };
                let seen = format!("removed on the cluster{by}: every right and then its token were refused");
                (ProofState::Done, format!("{seen}{untold}"))
            }
            Account::Silent if matches!(self.told, Told::LookedFor(_)) => {
                let why = "the hub never answered the request and may still take it in; it is looked for until it can't, \
                           and taken back";
                (ProofState::Unproven, why.to_owned())
            }
            Account::Silent => {
                let why = match &self.hindrance {
                    Some(words) => format!("still there: {words}; the broker goes on trying"),
                    None => "the broker has not confirmed it yet; it is asked again until it does".to_owned(),
                };
                (ProofState::Unproven, format!("{why}{untold}"))
            }
        }
    }

    // --- What follows from all of it.

    /// What is unproven is about to be looked at once more, by a probe of its own. What was on this machine is not:
    /// nothing ends or looks at a terminal or a kubeconfig again, so what was said of it stays.
    pub(super) fn look_again(&mut self) {
        let again = |kind| {
            matches!(kind, ProofKind::RightsGone | ProofKind::AccountRemoved | ProofKind::TokenRefused)
        };
        for line in self.lines.iter_mut() {
            if line.state == ProofState::Unproven && again(line.kind) {
                line.state = ProofState::Waiting;
            }
        }
    }

    /// Nobody goes on with it: what is not shown by now is not shown.
    pub(super) fn given_up(&mut self, why: &str) {
        for kind in LINES {
            self.set(kind, ProofState::Unproven, why);
        }
    }

    /// Whether the broker has confirmed the end, or both probes have shown it.
    pub(super) fn is_over(&self) -> bool {
        self.is_done(ProofKind::AccountRemoved)
            || (self.probed
                && self.bindings_gone
                && self.is_done(ProofKind::RightsGone)
                && self.is_done(ProofKind::TokenRefused))
    }

    /// Whether a line says what it can.
    fn has_spoken(&self, kind: ProofKind) -> bool {
        matches!(self.state(kind), ProofState::Done | ProofState::Unproven)
    }

    /// Whether nothing of it is left on this machine, or it was said what is, and the first probes have said what they
    /// can: quitting waits for no more. And for no less: the process that holds the private kubeconfig removes it.
    pub(super) fn first_stage_over(&self) -> bool {
        HERE.into_iter().chain([ProofKind::RightsGone]).all(|kind| self.has_spoken(kind))
    }

    /// Whether nothing is left that ending the own grant could end.
    pub(super) fn nothing_left_to_end(&self) -> bool {
        self.has_spoken(ProofKind::RightsGone) || self.is_done(ProofKind::AccountRemoved)
    }

    /// What may be left once its person is signed out, where and until when; `None` when its end was shown. `end` is the
    /// grant's, if one was given; `asked`, whether a request is known.
    pub(super) fn left_behind(&self, cluster: &str, end: Option<i64>, asked: bool) -> Option<String> {
        if self.is_done(ProofKind::AccountRemoved) {
            return None;
        }
        let cluster = Shown::from(cluster);
        let at = end.and_then(|end| jiff::Timestamp::from_second(end).ok());
        match at {
            Some(_) if self.is_done(ProofKind::RightsGone) => None,
            Some(at) => {
                let until = at.strftime("%H:%M UTC");
                let gone = self.lines.iter().find(|l| l.kind == ProofKind::RightsGone);
                let why = gone.map(|l| l.detail.as_str()).filter(|why| !why.is_empty());
                let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
                Some(format!("rights on {cluster} stay until {until}{why}"))
            }
            None if matches!(self.told, Told::LookedFor(_)) => {
                Some(format!("the hub never answered the request for {cluster} and may still take it in"))
            }
            None if asked && self.told != Told::Yes => {
                Some(format!("the request for {cluster} was not taken back on the hub"))
            }
            None => None,
        }
    }
}

/// A token that is refused well before its end is refused because its account is gone, and not because it ran out.
fn before_its_end(at: Option<i64>, end: Option<i64>) -> bool {
    matches!((at, end), (Some(at), Some(end)) if at + NEAR_ITS_END < end)
}

pub(super) fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
