//! One session as the desktop remembers it: what it is for, how far it is, and the view of it. Pure but for the clock that
//! measures its steps.

use super::end::End;
use super::proof::{Proof, millis};
use super::vouched::Word;
use crate::inventory::{Choice, environment_kind};
use jiff::Timestamp;
use sallyport_ipc::{
    Call, Calls, Ended, ErrorView, SessionView, Shown, Step, StepKind, StepState, TerminalView,
};
use sallyport_model::{EndReason, Given, GrantUid, Jti, RequestUid, SessionEvent, SessionId, SessionState};
use std::collections::VecDeque;
use std::mem::swap;
use std::time::{Duration, Instant};

/// How many calls the side panel shows.
const RECENT_CALLS: usize = 20;

/// Everything about one session that the window or the history may show. Holds no secret.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: SessionId,
    /// The session it was asked for to extend.
    pub(crate) extends: Option<SessionId>,
    /// Whether it has what that session had before: what becomes of that is no news of the session's.
    pub(crate) gave_way: bool,
    pub(crate) choice: Choice,
    /// Where and for how long its rights are: as asked for, until less was given.
    pub(crate) given: Given,
    pub(crate) state: SessionState,
    /// What the request is called on the hub, from just before it is asked for.
    pub(super) asked_as: Option<String>,
    pub(crate) request: Option<RequestUid>,
    pub(crate) grant: Option<GrantUid>,
    pub(crate) jti: Option<Jti>,
    /// Unix seconds, the target's clock.
    pub(crate) end: Option<i64>,
    /// The same moment on this machine's monotonic clock.
    pub(crate) deadline: Option<Instant>,
    pub(crate) opened_at: Option<Timestamp>,
    /// When it last went on under a new grant.
    extended_at: Option<Timestamp>,
    pub(crate) waiting_for: Option<String>,
    /// The provider's word for the person, where it is wanted again and again.
    pub(super) word: Option<Word>,
    pub(crate) streams: Vec<String>,
    pub(crate) terminals: Vec<TerminalView>,
    pub(crate) error: Option<ErrorView>,
    /// Whether the app ends and the request goes on: its key is kept, and the next start takes it up again.
    pub(super) is_kept: bool,
    /// Whether a token was unsealed: from then on there is something whose end has to be proven.
    pub(super) is_unsealed: bool,
    /// Whether the broker said that it is closed.
    pub(super) broker_closed: bool,
    ended: Option<Ended>,
    clicked: Instant,
    steps: Vec<(Step, Option<Instant>)>,
    /// How its own request was approved, whatever it was exchanged for since.
    approved: Option<Shown>,
    click_to_prompt: Option<Duration>,
    calls: (u32, u32),
    recent: VecDeque<(String, Call)>,
    /// Once it closes.
    pub(super) proof: Option<Proof>,
}

const STEPS: [StepKind; 5] =
    [StepKind::SignedIn, StepKind::Asked, StepKind::Approved, StepKind::Granted, StepKind::Ready];

impl Record {
    /// A session that begins now, with the click.
    pub(crate) fn new(id: SessionId, choice: Choice) -> Self {
        let step =
            |kind| (Step { kind, state: StepState::Waiting, ms: None, detail: Shown::default() }, None);
        Self {
            id,
            extends: None,
            gave_way: false,
            given: Given::all(&choice.terms),
            choice,
            state: SessionState::Opening,
            asked_as: None,
            request: None,
            grant: None,
            jti: None,
            end: None,
            deadline: None,
            opened_at: None,
            extended_at: None,
            waiting_for: None,
            word: None,
            streams: Vec::new(),
            terminals: Vec::new(),
            error: None,
            is_kept: false,
            is_unsealed: false,
            broker_closed: false,
            ended: None,
            clicked: Instant::now(),
            steps: STEPS.map(step).into(),
            approved: None,
            click_to_prompt: None,
            calls: (0, 0),
            recent: VecDeque::new(),
            proof: None,
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
        step.detail = Shown::from(detail);
        if (kind, state) == (StepKind::Approved, StepState::Done) {
            self.approved = Some(Shown::from(detail));
        }
    }

    /// How its own request was approved, once it is: that is news of it once.
    pub(super) fn approved(&self) -> Option<&Shown> {
        self.approved.as_ref()
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

    /// Puts what an extension was given in the place of what was there before, and that in its place: of the request and of
    /// what came of it, with the account of its steps, and of nothing else.
    pub(super) fn swap_stretch(&mut self, extension: &mut Self) {
        let Self {
            choice,
            given,
            asked_as,
            request,
            grant,
            jti,
            end,
            deadline,
            is_unsealed,
            broker_closed,
            word,
            steps,
            ..
        } = self;
        extension.gave_way = true;
        swap(choice, &mut extension.choice);
        swap(given, &mut extension.given);
        swap(asked_as, &mut extension.asked_as);
        swap(request, &mut extension.request);
        swap(grant, &mut extension.grant);
        swap(jti, &mut extension.jti);
        swap(end, &mut extension.end);
        swap(deadline, &mut extension.deadline);
        swap(is_unsealed, &mut extension.is_unsealed);
        swap(broker_closed, &mut extension.broker_closed);
        swap(word, &mut extension.word);
        swap(steps, &mut extension.steps);
        self.extended_at = Some(Timestamp::now());
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

    /// The closing begins, once; `elsewhere` where somebody else sees to what is left.
    pub(super) fn begin_closing(&mut self, end: &End, elsewhere: bool) {
        if !self.apply(SessionEvent::End(end.reason)) {
            return;
        }
        self.ended = Some(Ended {
            reason: end.reason,
            by: end.by.as_deref().map(Shown::from),
            message: end.words.as_deref().map(Shown::from),
            at: Timestamp::now().as_millisecond(),
        });
        self.proof = Some(Proof::begin(elsewhere));
    }

    /// The broker or hub said more about the end than was known when it began.
    pub(super) fn ended_by(&mut self, reason: EndReason, by: Option<&str>, message: &str) {
        if let Some(ended) = &mut self.ended {
            // Cut because somebody holds it: leaving the hub told is how that is done from here, and not why.
            if reason == EndReason::Left && ended.reason == EndReason::Revoked {
                return;
            }
            ended.reason = reason;
            ended.by = by.map(Shown::from).or(ended.by.take());
            ended.message = Some(Shown::from(message));
        }
    }

    /// The proof, while it closes and afterwards.
    pub(super) fn prove<T>(&mut self, doing: impl FnOnce(&mut Proof) -> T) -> Option<T> {
        self.proof.as_mut().map(doing)
    }

    /// Whether the proof says so; it says nothing before it closes.
    pub(super) fn has(&self, shown: impl FnOnce(&Proof) -> bool) -> bool {
        self.proof.as_ref().is_some_and(shown)
    }

    /// Whether the end was shown as far as quitting and signing out wait for it: the first probes have said what they can,
    /// and the hub was told once; or it is left to the next start.
    pub(crate) fn first_stage_over(&self) -> bool {
        if self.is_kept {
            return true;
        }
        let Some(proof) = &self.proof else { return false };
        *proof.told() != super::proof::Told::NotTried
            && (proof.first_stage_over() || matches!(self.state, SessionState::Closed(_)))
    }

    /// What may be left once its person is signed out, where and until when.
    pub(super) fn left_behind(&self) -> Option<String> {
        let proof = self.proof.as_ref()?;
        proof.left_behind(self.choice.terms.cluster.as_str(), self.end, self.request.is_some())
    }

    /// The view.
    pub(crate) fn view(&self) -> SessionView {
        let ends_at = self.end.map(|s| s.saturating_mul(1000));
        SessionView {
            id: self.id.to_string(),
            extends: self.extends.as_ref().map(ToString::to_string),
            is_scan: self.choice.is_scan,
            cluster: Shown::of(&self.choice.terms.cluster),
            environment: environment_kind(&self.choice.environment),
            environment_word: Shown::from(&self.choice.environment),
            namespaces: self.given.scope.to_list().iter().map(Shown::of).collect(),
            profile: Shown::of(&self.choice.terms.profile),
            reason: Shown::from(&self.choice.terms.reason),
            duration_seconds: self.given.duration.as_seconds_u32(),
            state: match self.state {
                SessionState::Opening => sallyport_ipc::SessionState::Opening,
                SessionState::Open => sallyport_ipc::SessionState::Open,
                SessionState::Closing(_) => sallyport_ipc::SessionState::Closing,
                SessionState::Closed(_) => sallyport_ipc::SessionState::Closed,
            },
            steps: self.steps.iter().map(|(s, _)| s.clone()).collect(),
            waiting_for: self.waiting_for.as_deref().map(Shown::from),
            vouching: self.word.as_ref().filter(|_| self.ended.is_none()).map(Word::view),
            recording: self.choice.terms.recording,
            opened_at: self.opened_at.map(|t| t.as_millisecond()),
            extended_at: self.extended_at.map(|t| t.as_millisecond()),
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
            streams: self.streams.iter().map(Shown::from).collect(),
            terminals: self.terminals.clone(),
            proof: self.proof.as_ref().map(|proof| proof.lines().to_vec()).unwrap_or_default(),
            ended: self.ended.clone(),
            error: self.error.clone(),
            request: self.request.as_ref().map(Shown::of),
            grant: self.grant.as_ref().map(Shown::of),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_model::{Scope, Ttl};

    fn record() -> Record {
        let choice = Choice {
            terms: sallyport_model::Terms {
                user: "oidc:ada".parse().unwrap(),
                cluster: "payments-eu-1".parse().unwrap(),
                profile: "debug".parse().unwrap(),
                revision: "6f1c2d7e-0000-4000-8000-000000000000/1".parse().unwrap(),
                scope: Scope::ClusterWide,
                duration: Ttl::minutes(45),
                reason: "why\u{202e}not".into(),
                recording: None,
            },
            environment: "prod".into(),
            approvals: 0,
            is_scan: false,
        };
        Record::new(SessionId::new("s1"), choice)
    }

    fn call(status: Option<u16>) -> Call {
        Call { verb: "get".into(), resource: "pods".into(), status, ms: None }
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
    fn an_extended_session_shows_the_steps_of_what_it_has_now() {
        let (mut open, mut extension) = (record(), record());
        open.done(StepKind::Approved, "by oidc:lee");
        extension.done(StepKind::Approved, "by oidc:pat");
        assert_eq!(open.view().extended_at, None);
        open.swap_stretch(&mut extension);
        assert_eq!(open.view().steps[2].detail, "by oidc:pat");
        assert!(open.view().extended_at.is_some() && extension.view().extended_at.is_none());
        assert_eq!(extension.view().steps[2].detail, "by oidc:lee", "what gave way keeps its own account");
        assert_eq!(open.approved().unwrap(), "by oidc:lee", "and nobody is told twice of one approval");
        assert_eq!(extension.approved().unwrap(), "by oidc:pat");
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

    #[test]
    fn p13_a_session_that_ends_before_it_opens_never_opens() {
        let mut record = record();
        record.begin_closing(&End::left(), false);
        assert!(!record.apply(SessionEvent::Ready));
        assert_eq!(record.state, SessionState::Closing(EndReason::Left));
    }

    #[test]
    fn p13_an_end_is_told_once_and_more_of_it_is_added_to_what_is_known() {
        let mut record = record();
        record.ended_by(EndReason::Revoked, Some("oidc:eve"), "before it ended");
        assert_eq!(record.view().ended, None);
        record.begin_closing(&End::left(), false);
        record.ended_by(EndReason::Revoked, Some("oidc:eve"), "stolen laptop");
        record.ended_by(EndReason::Revoked, None, "closed by the broker");
        let ended = record.view().ended.unwrap();
        assert_eq!(
            (ended.by.as_deref(), ended.message.as_deref()),
            (Some("oidc:eve"), Some("closed by the broker"))
        );
        assert_eq!(record.state, SessionState::Closing(EndReason::Left));
    }

    proptest::proptest! {
        #[test]
        fn p13_nothing_opens_after_an_end_and_every_end_is_told_once_in_whatever_order(
            moves in proptest::collection::vec(0..5_u8, 0..20)
        ) {
            let mut record = record();
            let mut told = None;
            for one in moves {
                let before = record.state;
                match one {
                    0 => drop(record.apply(SessionEvent::Ready)),
                    1 => record.begin_closing(&End::left(), false),
                    2 => record.begin_closing(&End::quit(), true),
                    3 => record.ended_by(EndReason::Revoked, Some("oidc:eve"), "no"),
                    _ => drop(record.apply(SessionEvent::Proven)),
                }
                let is_over = |state| matches!(state, SessionState::Closing(_) | SessionState::Closed(_));
                proptest::prop_assert!(!is_over(before) || is_over(record.state), "{before:?} then {:?}", record.state);
                proptest::prop_assert_eq!(is_over(record.state), record.view().ended.is_some());
                let at = record.view().ended.map(|ended| ended.at);
                proptest::prop_assert!(told.is_none() || told == at, "it was told twice");
                told = told.or(at);
            }
        }
    }
}
