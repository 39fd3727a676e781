//! One session as the desktop remembers it: what it is for, how far it is, and the view of it.

use jiff::Timestamp;
use sallyport_ipc::{
    Call, Calls, Ended, EnvironmentKind, ErrorView, Proof, ProofKind, ProofState, SessionView, Step,
    StepKind, StepState, TerminalView,
};
use sallyport_model::{
    ClusterName, EndReason, GrantUid, Jti, ProfileName, RequestUid, Scope, SessionEvent, SessionId,
    SessionState, Ttl, visible,
};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many calls the side panel shows.
const RECENT_CALLS: usize = 20;

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) cluster: ClusterName,
    pub(crate) environment: String,
    pub(crate) profile: ProfileName,
    pub(crate) scope: Scope,
    pub(crate) duration: Ttl,
    pub(crate) reason: String,
    /// How many people have to say yes.
    pub(crate) approvals: u8,
}

/// Everything about one session that the window or the history may show. Holds no secret.
#[derive(Debug)]
pub(crate) struct SessionRecord {
    pub(crate) id: SessionId,
    pub(crate) wanted: Wanted,
    pub(crate) state: SessionState,
    pub(crate) request: Option<RequestUid>,
    pub(crate) grant: Option<GrantUid>,
    pub(crate) jti: Option<Jti>,
    /// Unix seconds, the target's clock.
    pub(crate) end: Option<i64>,
    /// The same moment on this machine's monotonic clock.
    pub(crate) deadline: Option<Instant>,
    pub(crate) opened_at: Option<Timestamp>,
    pub(crate) waiting_for: Option<String>,
    pub(crate) streams: Vec<String>,
    pub(crate) terminals: Vec<TerminalView>,
    pub(crate) error: Option<ErrorView>,
    ended: Option<Ended>,
    clicked: Instant,
    steps: Vec<(Step, Option<Instant>)>,
    click_to_prompt: Option<Duration>,
    calls: (u32, u32),
    recent: VecDeque<(String, Call)>,
    closing: Option<Instant>,
    proof: Vec<Proof>,
    /// Whether each right was refused by the authorizer: then its binding is gone, and not the token alone.
    pub(crate) bindings_gone: bool,
    /// What the broker can't remove, in its words.
    pub(crate) hindrance: Option<String>,
}

const STEPS: [StepKind; 5] =
    [StepKind::SignedIn, StepKind::Asked, StepKind::Approved, StepKind::Granted, StepKind::Ready];

impl SessionRecord {
    /// A session that begins now, with the click.
    pub(crate) fn new(id: SessionId, wanted: Wanted) -> Self {
        let step = |kind| (Step { kind, state: StepState::Waiting, ms: None, detail: String::new() }, None);
        Self {
            id,
            wanted,
            state: SessionState::Opening,
            request: None,
            grant: None,
            jti: None,
            end: None,
            deadline: None,
            opened_at: None,
            waiting_for: None,
            streams: Vec::new(),
            terminals: Vec::new(),
            error: None,
            ended: None,
            clicked: Instant::now(),
            steps: STEPS.map(step).into(),
            click_to_prompt: None,
            calls: (0, 0),
            recent: VecDeque::new(),
            closing: None,
            proof: Vec::new(),
            bindings_gone: false,
            hindrance: None,
        }
    }

    /// Moves the state machine; false where the move is not drawn.
    pub(crate) fn apply(&mut self, event: SessionEvent) -> bool {
        let next = self.state.apply(event);
        if let Some(next) = next {
            self.state = next;
        }
        next.is_some()
    }

    /// A step begins. Beginning one that runs or is over changes nothing.
    pub(crate) fn begin(&mut self, kind: StepKind) {
        let (step, since) = self.step(kind);
        if step.state == StepState::Waiting {
            step.state = StepState::Running;
            *since = Some(Instant::now());
        }
    }

    /// A step is done, with what is worth saying about it.
    pub(crate) fn done(&mut self, kind: StepKind, detail: impl AsRef<str>) {
        self.finish(kind, StepState::Done, detail.as_ref());
    }

    /// Whatever runs has failed.
    pub(crate) fn fail(&mut self, error: ErrorView) {
        let running = self.steps.iter().find(|(s, _)| s.state == StepState::Running).map(|(s, _)| s.kind);
        if let Some(kind) = running {
            self.finish(kind, StepState::Failed, &error.message);
        }
        self.error = Some(error);
    }

    fn finish(&mut self, kind: StepKind, state: StepState, detail: &str) {
        let (step, since) = self.step(kind);
        if matches!(step.state, StepState::Done | StepState::Failed) {
            return;
        }
        step.ms = Some(since.map_or(0, |s| millis(s.elapsed())));
        step.state = state;
        step.detail = visible(detail);
    }

    fn step(&mut self, kind: StepKind) -> &mut (Step, Option<Instant>) {
        self.steps.iter_mut().find(|(s, _)| s.kind == kind).expect("every session has all five steps")
    }

    /// The first call answered: the session is open until `end`.
    pub(crate) fn opened(&mut self) -> Duration {
        let took = self.clicked.elapsed();
        self.click_to_prompt = Some(took);
        self.opened_at = Some(Timestamp::now());
        took
    }

    /// A call through the gateway began or ended.
    pub(crate) fn call(&mut self, audit_id: &str, call: Call) {
        let known = self.recent.iter_mut().find(|(id, _)| id == audit_id);
        let is_new = known.is_none();
        let ended = call.status.is_some();
        let refused = matches!(call.status, Some(401 | 403));
        match known {
            Some((_, old)) => {
                if refused && !matches!(old.status, Some(401 | 403)) {
                    self.calls.1 += 1;
                }
                *old = call;
            }
            None => {
                self.recent.push_front((audit_id.to_owned(), call));
                self.recent.truncate(RECENT_CALLS);
                self.calls.1 += u32::from(refused && ended);
            }
        }
        self.calls.0 += u32::from(is_new);
    }

    /// The closing begins: `lines` are what will be proven, in order.
    pub(crate) fn begin_closing(
        &mut self,
        reason: EndReason,
        by: Option<&str>,
        message: Option<&str>,
        lines: &[ProofKind],
    ) {
        self.closing = Some(Instant::now());
        self.ended = Some(Ended {
            reason: reason.into(),
            by: by.map(visible),
            message: message.map(visible),
            at: Timestamp::now().as_millisecond(),
        });
        self.proof = lines
            .iter()
            .map(|kind| Proof {
                kind: *kind,
                state: ProofState::Waiting,
                ms: None,
                first_ms: None,
                detail: String::new(),
            })
            .collect();
    }

    /// The broker or hub said more about the end than was known when it began.
    pub(crate) fn ended_by(&mut self, reason: EndReason, by: Option<&str>, message: Option<&str>) {
        if let Some(ended) = &mut self.ended {
            ended.reason = reason.into();
            ended.by = by.map(visible).or(ended.by.take());
            ended.message = message.map(visible).or(ended.message.take());
        }
    }

    /// Time since the closing began.
    pub(crate) fn since_closing(&self) -> Duration {
        self.closing.map(|at| at.elapsed()).unwrap_or_default()
    }

    /// A line of the proof moved.
    pub(crate) fn prove(&mut self, kind: ProofKind, state: ProofState, detail: impl AsRef<str>) {
        let ms = millis(self.since_closing());
        if let Some(line) = self.proof.iter_mut().find(|l| l.kind == kind)
            && !matches!(line.state, ProofState::Done | ProofState::Unproven)
        {
            line.ms = matches!(state, ProofState::Done | ProofState::Unproven).then_some(ms);
            line.state = state;
            line.detail = visible(detail.as_ref());
        }
    }

    /// So many of the probes of a running line were refused; true where that is news.
    pub(crate) fn refused(&mut self, kind: ProofKind, refused: usize, of: usize) -> bool {
        let ms = millis(self.since_closing());
        let Some(line) = self.proof.iter_mut().find(|l| l.kind == kind && l.state == ProofState::Running)
        else {
            return false;
        };
        if refused > 0 && line.first_ms.is_none() {
            line.first_ms = Some(ms);
        }
        let detail = if refused == 0 { String::new() } else { format!("{refused} of {of} refused") };
        let news = line.detail != detail;
        line.detail = detail;
        news
    }

    /// What was shown is so no more: a right came back. True where that is news.
    pub(crate) fn take_back(&mut self, kind: ProofKind, why: &str) -> bool {
        let Some(line) = self.proof.iter_mut().find(|l| l.kind == kind && l.state == ProofState::Done) else {
            return false;
        };
        line.state = ProofState::Unproven;
        line.detail = visible(why);
        true
    }

    /// What may be left once its person is signed out, where and until when; `None` when its end was shown. `told`:
    /// whether the hub knows of the end.
    pub(crate) fn left_behind(&self, told: bool) -> Option<String> {
        let done = |kind| self.proof_of(kind) == Some(ProofState::Done);
        if done(ProofKind::AccountRemoved) {
            return None;
        }
        let cluster = visible(self.wanted.cluster.as_str());
        let at = self.end.and_then(|end| Timestamp::from_second(end).ok());
        match (at, &self.request) {
            (Some(_), _) if done(ProofKind::RightsGone) => None,
            (Some(at), _) => {
                let until = at.strftime("%H:%M UTC");
                let why =
                    self.proof.iter().find(|l| l.kind == ProofKind::RightsGone).map(|l| l.detail.as_str());
                let why =
                    why.filter(|why| !why.is_empty()).map(|why| format!(" ({why})")).unwrap_or_default();
                Some(format!("rights on {cluster} stay until {until}{why}"))
            }
            (None, Some(_)) if !told => {
                Some(format!("the request for {cluster} was not taken back on the hub"))
            }
            (None, _) => None,
        }
    }

    /// What is unproven is about to be looked at once more, by a probe of its own. What was on this machine is not:
    /// nothing ends or looks at a terminal or a kubeconfig again, so what was said of it stays.
    pub(crate) fn look_again(&mut self) {
        let again = |kind| {
            matches!(kind, ProofKind::RightsGone | ProofKind::AccountRemoved | ProofKind::TokenRefused)
        };
        for line in self.proof.iter_mut() {
            if line.state == ProofState::Unproven && again(line.kind) {
                line.state = ProofState::Waiting;
            }
        }
    }

    /// How a line of the proof stands.
    pub(crate) fn proof_of(&self, kind: ProofKind) -> Option<ProofState> {
        self.proof.iter().find(|l| l.kind == kind).map(|l| l.state)
    }

    /// The view.
    pub(crate) fn view(&self) -> SessionView {
        let ends_at = self.end.map(|s| s.saturating_mul(1000));
        SessionView {
            id: self.id.to_string(),
            cluster: self.wanted.cluster.to_string(),
            environment: environment_kind(&self.wanted.environment),
            environment_word: self.wanted.environment.clone(),
            namespaces: self.wanted.scope.to_list().iter().map(ToString::to_string).collect(),
            profile: self.wanted.profile.to_string(),
            reason: visible(&self.wanted.reason),
            duration_seconds: u32::try_from(self.wanted.duration.as_seconds()).unwrap_or(u32::MAX),
            state: match self.state {
                SessionState::Opening => sallyport_ipc::SessionState::Opening,
                SessionState::Open => sallyport_ipc::SessionState::Open,
                SessionState::Closing(_) => sallyport_ipc::SessionState::Closing,
                SessionState::Closed(_) => sallyport_ipc::SessionState::Closed,
            },
            steps: self.steps.iter().map(|(s, _)| s.clone()).collect(),
            waiting_for: self.waiting_for.as_deref().map(visible),
            opened_at: self.opened_at.map(|t| t.as_millisecond()),
            ends_at,
            ends_in_ms: self.deadline.map(|d| {
                i64::try_from(d.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(i64::MAX)
            }),
            click_to_prompt_ms: self.click_to_prompt.map(millis),
            calls: Calls {
                total: self.calls.0,
                refused: self.calls.1,
                recent: self.recent.iter().map(|(_, c)| c.clone()).collect(),
            },
            streams: self.streams.iter().map(|s| visible(s)).collect(),
            terminals: self.terminals.clone(),
            proof: self.proof.clone(),
            ended: self.ended.clone(),
            error: self.error.clone(),
            request: self.request.as_ref().map(ToString::to_string),
            grant: self.grant.as_ref().map(ToString::to_string),
        }
    }
}

/// The colour that goes with an environment's word.
pub(crate) fn environment_kind(word: &str) -> EnvironmentKind {
    match word {
        "prod" | "production" => EnvironmentKind::Prod,
        "stage" | "staging" => EnvironmentKind::Stage,
        "dev" | "development" | "test" => EnvironmentKind::Dev,
        _ => EnvironmentKind::Other,
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> SessionRecord {
        let wanted = Wanted {
            cluster: "payments-eu-1".parse().unwrap(),
            environment: "prod".into(),
            profile: "debug".parse().unwrap(),
            scope: Scope::ClusterWide,
            duration: Ttl::minutes(45),
            reason: "why\u{202e}not".into(),
            approvals: 0,
        };
        SessionRecord::new(SessionId::new("s1"), wanted)
    }

    fn call(status: Option<u16>) -> Call {
        Call { verb: "get".into(), resource: "pods".into(), status, ms: None }
    }

    #[test]
    fn p13_a_line_that_is_unproven_turns_green_by_another_look_only() {
        let mut record = record();
        record.begin_closing(EndReason::Left, None, None, &[ProofKind::RightsGone, ProofKind::TokenRefused]);
        record.prove(ProofKind::RightsGone, ProofState::Unproven, "no answer");
        record.prove(ProofKind::RightsGone, ProofState::Done, "late");
        assert_eq!(record.proof_of(ProofKind::RightsGone), Some(ProofState::Unproven));
        assert_eq!(record.proof_of(ProofKind::AccountRemoved), None);
        record.look_again();
        record.prove(ProofKind::RightsGone, ProofState::Done, "refused when asked once more");
        assert_eq!(record.proof_of(ProofKind::RightsGone), Some(ProofState::Done));
    }

    #[test]
    fn fault_d2_p13_what_still_runs_here_stays_unproven_while_the_rights_are_looked_at_again() {
        let mut record = record();
        let here = [ProofKind::StreamsCut, ProofKind::TerminalsEnded, ProofKind::KubeconfigDeleted];
        let there = [ProofKind::RightsGone, ProofKind::AccountRemoved, ProofKind::TokenRefused];
        record.begin_closing(EndReason::Left, None, None, &[here, there].concat());
        for kind in here.into_iter().chain(there) {
            record.prove(kind, ProofState::Unproven, "tmux: server (process 7)");
        }
        record.look_again();
        for kind in there {
            assert_eq!(record.proof_of(kind), Some(ProofState::Waiting), "{kind:?}");
            record.prove(kind, ProofState::Done, "refused when asked once more");
        }
        for kind in here {
            assert_eq!(record.proof_of(kind), Some(ProofState::Unproven), "{kind:?}");
        }
        assert!(record.view().proof[..3].iter().all(|line| line.detail == "tmux: server (process 7)"));
    }

    #[test]
    fn fault_a1_p13_a_tick_is_taken_back_when_a_right_comes_back_and_never_given_by_progress() {
        let mut record = record();
        record.begin_closing(EndReason::Left, None, None, &[ProofKind::RightsGone]);
        assert!(!record.refused(ProofKind::RightsGone, 1, 4), "it has not begun");
        record.prove(ProofKind::RightsGone, ProofState::Running, "");
        assert!(record.refused(ProofKind::RightsGone, 1, 4));
        assert!(!record.refused(ProofKind::RightsGone, 1, 4), "no news");
        record.refused(ProofKind::RightsGone, 4, 4);
        let line = record.view().proof[0].clone();
        assert_eq!((line.state, line.detail.as_str()), (ProofState::Running, "4 of 4 refused"));
        assert!(line.first_ms.is_some() && line.ms.is_none());
        record.prove(ProofKind::RightsGone, ProofState::Done, "all refused");
        assert!(record.take_back(ProofKind::RightsGone, "payments/sallyport:debug is allowed again"));
        assert_eq!(record.proof_of(ProofKind::RightsGone), Some(ProofState::Unproven));
    }

    #[test]
    fn fault_a10_what_is_left_is_named_with_place_and_time_until_its_end_is_shown() {
        let mut record = record();
        assert_eq!(record.left_behind(false), None, "nothing was asked for");
        record.request = Some(RequestUid::new("u"));
        let kinds = [ProofKind::RightsGone, ProofKind::AccountRemoved];
        record.begin_closing(EndReason::Left, None, None, &kinds);
        assert_eq!(
            record.left_behind(false).as_deref(),
            Some("the request for payments-eu-1 was not taken back on the hub")
        );
        assert_eq!(record.left_behind(true), None);
        record.end = Some(1_795_530_720);
        record.prove(ProofKind::RightsGone, ProofState::Unproven, "it can't be reached");
        assert_eq!(
            record.left_behind(true).as_deref(),
            Some("rights on payments-eu-1 stay until 14:32 UTC (it can't be reached)")
        );
        record.prove(ProofKind::AccountRemoved, ProofState::Done, "");
        assert_eq!(record.left_behind(false), None);
    }

    #[test]
    fn a_call_is_counted_once_however_often_it_is_told_and_refusals_too() {
        let mut record = record();
        record.call("a", call(None));
        record.call("a", call(Some(403)));
        record.call("a", call(Some(403)));
        record.call("b", call(Some(200)));
        let calls = record.view().calls;
        assert_eq!((calls.total, calls.refused, calls.recent.len()), (2, 1, 2));
    }

    #[test]
    fn p24_a_reason_is_shown_with_its_hidden_characters() {
        assert!(record().view().reason.contains("⟨U+202E⟩"));
    }

    #[test]
    fn steps_take_time_from_their_own_beginning_and_finish_once() {
        let mut record = record();
        record.begin(StepKind::Asked);
        record.done(StepKind::Asked, "first");
        record.done(StepKind::Asked, "second");
        assert_eq!(record.view().steps[1].detail, "first");
    }
}
