//! A seat: whether somebody sits in one workspace, and whether somebody tries to. What may follow what is decided here and
//! nowhere else. Pure: who sits is only handed on.

use super::notes::Learned;
use super::signed::SignIns;
use super::workspace::Workspace;
use sallyport_ipc::{ErrorView, HubLink, HubState, Shown, SignIn, SignInStep, StepUp};
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The seat in one workspace.
pub(crate) struct Seat<S> {
    pub(super) workspace: Workspace,
    pub(super) learned: Learned,
    pub(super) hub: HubState,
    /// The hub's clock minus ours, seconds, from its `Date`.
    pub(super) hub_ahead: Option<i64>,
    /// Whether it is the demo's.
    pub(super) is_demo: bool,
    sits: Sits<S>,
    tries: Tries,
    /// Tries to sign in and people who sat here, so far.
    count: u64,
    told: watch::Sender<SignIns>,
}

/// Who sits.
enum Sits<S> {
    /// Nobody. `expected` is somebody else than last time, who was named and may sign in when they do it again (`sub`).
    Nobody { expected: Option<String> },
    /// Somebody; a step-up keeps the number.
    In { number: u64, signed: Arc<S> },
}

/// Who tries to sit, or to sit here with more: a step-up is a try beside somebody who sits.
enum Tries {
    None,
    UnderWay { attempt: Attempt, shown: SignIn },
    Failed(SignIn),
}

/// One try to sign in, held by whoever makes it. A later one is another.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    number: u64,
    /// Ends it.
    pub(super) given_up: CancellationToken,
}

impl<S> Seat<S> {
    /// Nobody sits and nobody tries.
    pub(super) fn new(workspace: Workspace, now: i64) -> Self {
        Self {
            workspace,
            learned: Learned::default(),
            hub: hub_state(HubLink::Idle, None, now),
            hub_ahead: None,
            is_demo: false,
            sits: Sits::Nobody { expected: None },
            tries: Tries::None,
            count: 0,
            told: watch::Sender::new(SignIns::default()),
        }
    }

    /// Somebody tries. One at a time: `None` while another one does. Whoever waits for a stronger sign-in is not woken:
    /// only what comes of this one counts.
    pub(super) fn begin(
        &mut self,
        given_up: CancellationToken,
        step: SignInStep,
        step_up: Option<&StepUp>,
        now: i64,
    ) -> Option<Attempt> {
        if matches!(self.tries, Tries::UnderWay { .. }) {
            return None;
        }
        self.count += 1;
        let attempt = Attempt { number: self.count, given_up };
        let shown = SignIn { step, since: now, step_up: step_up.cloned(), error: None };
        self.tries = Tries::UnderWay { attempt: attempt.clone(), shown };
        self.told.send_if_modified(|told| {
            told.in_vain = None;
            false
        });
        Some(attempt)
    }

    /// How far it is. One that is over moves nothing.
    pub(super) fn at_step(&mut self, attempt: &Attempt, step: SignInStep) {
        if let Tries::UnderWay { attempt: now, shown } = &mut self.tries
            && now.number == attempt.number
        {
            shown.step = step;
        }
    }

    /// It is over: what is shown of it is why it failed, if it did and nobody gave it up.
    pub(super) fn over(&mut self, attempt: &Attempt, failed: Option<ErrorView>) {
        let Tries::UnderWay { attempt: now, shown } = &self.tries else { return };
        if now.number != attempt.number {
            return;
        }
        self.tries = match failed {
            Some(error) => {
                Tries::Failed(SignIn { step: SignInStep::Failed, error: Some(error), ..shown.clone() })
            }
            None => Tries::None,
        };
    }

    /// Ends the try that is under way, if one is.
    pub(super) fn give_up(&self) {
        if let Tries::UnderWay { attempt, .. } = &self.tries {
            attempt.given_up.cancel();
        }
    }

    /// Somebody sits. False where the try was given up or is over, or somebody else sits: then they do not, and whoever
    /// signed in has to be told so. `who` learns which sign-in of this seat it is.
    pub(super) fn sit(&mut self, attempt: &Attempt, who: impl FnOnce(u64) -> S) -> bool {
        let is_current =
            matches!(&self.tries, Tries::UnderWay { attempt: now, .. } if now.number == attempt.number);
        if !is_current || attempt.given_up.is_cancelled() || self.signed().is_some() {
            return false;
        }
        self.count += 1;
        self.sits = Sits::In { number: self.count, signed: Arc::new(who(self.count)) };
        true
    }

    /// Who sits is known better now. Nothing where they have left meanwhile, or somebody else sits.
    pub(super) fn sits_again(&mut self, number: u64, who: impl FnOnce(&S) -> S) -> bool {
        match &mut self.sits {
            Sits::In { number: now, signed } if *now == number => {
                *signed = Arc::new(who(signed));
                true
            }
            _ => false,
        }
    }

    /// Whoever sits by this number does not any more, and what was shown of a try is gone. False where somebody else sits,
    /// or nobody: a sign-out that comes late ends no other sign-in.
    pub(super) fn leave(&mut self, number: u64) -> bool {
        if !matches!(&self.sits, Sits::In { number: now, .. } if *now == number) {
            return false;
        }
        self.give_up();
        self.sits = Sits::Nobody { expected: None };
        self.tries = Tries::None;
        self.hub_ahead = None;
        true
    }

    /// Names somebody else than last time. True when it is who was named before: they may sit.
    pub(super) fn is_expected(&mut self, subject: &str) -> bool {
        let Sits::Nobody { expected } = &mut self.sits else { return false };
        let is = expected.as_deref() == Some(subject);
        *expected = (!is).then(|| subject.to_owned());
        is
    }

    /// Nobody is expected any more: it is who was here last.
    pub(super) fn is_same_person(&mut self) {
        if let Sits::Nobody { expected } = &mut self.sits {
            *expected = None;
        }
    }

    /// Who sits.
    pub(super) fn signed(&self) -> Option<&Arc<S>> {
        match &self.sits {
            Sits::In { signed, .. } => Some(signed),
            Sits::Nobody { .. } => None,
        }
    }

    /// The try that is under way, or failed, as the window shows it.
    pub(super) fn shown(&self) -> Option<&SignIn> {
        match &self.tries {
            Tries::None => None,
            Tries::UnderWay { shown, .. } | Tries::Failed(shown) => Some(shown),
        }
    }

    /// Tells those who wait for a stronger sign-in.
    pub(super) fn tell(&self, what: impl FnOnce(&mut SignIns)) {
        self.told.send_modify(what);
    }

    /// For those who wait for one.
    pub(super) fn sign_ins(&self) -> watch::Receiver<SignIns> {
        self.told.subscribe()
    }
}

/// A link as the window shows it.
pub(super) fn hub_state(link: HubLink, message: Option<Shown>, since: i64) -> HubState {
    HubState { link, since, message, retry_at: None, sign_in: false }
}

#[cfg(test)]
mod tests;
