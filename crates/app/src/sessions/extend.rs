//! Extending a session: more time under the same profile, approvals included, while its shells live on.
//!
//! An extension is a session of its own until it has what it asked for: its owner asks, follows and unseals as any other
//! does. Then the two owners exchange their stretches, by value. The session that is open goes on with the new request,
//! grant and token, under the client certificate it has; the extension is left with the old ones, and closes: they are
//! removed and their end is proven as ever. So each token has one owner at every moment, and whatever ends either of them in
//! between ends what it holds.

mod keeps;

use super::end::End;
use super::owner::{HandOver, Held, Made, Owner, Stop, Stretch, Taken};
use super::serve::held;
use super::session::Session;
use super::{Sessions, owner::Begun, ports::HubSide, record::Record};
use crate::desk::AppError;
use crate::inventory::Choice;
use sallyport_api::AccessRequest;
use sallyport_audit::Action;
use sallyport_hub::seal::KeyPair;
use sallyport_ipc::{OpenInput, StepKind};
use sallyport_model::{ErrorCode, Jti, Recording, RequestRef, SessionId, SessionState, Ttl};
use sallyport_policy::SessionPermit;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// An extension that brings less than this is none.
const WORTH_ASKING: i64 = 60;

impl Sessions {
    /// What to ask for to extend a session: what it was given, for as long again.
    ///
    /// # Errors
    /// When there is no such session, or it is not open.
    pub(crate) fn to_extend(
        &self,
        id: &str,
        seconds: Option<u32>,
    ) -> Result<(Arc<Session>, OpenInput), AppError> {
        let session = self.get(id)?;
        let input = session.read(|record| {
            let (terms, given) = (&record.choice.terms, &record.given);
            let may_be = record.state == SessionState::Open && record.extends.is_none();
            may_be.then(|| OpenInput {
                cluster: terms.cluster.to_string(),
                profile: Some(terms.profile.to_string()),
                namespaces: Some(given.scope.to_list().iter().map(ToString::to_string).collect()),
                duration_seconds: Some(seconds.unwrap_or_else(|| given.duration.as_seconds_u32())),
                reason: Some(terms.reason.clone()),
            })
        });
        input.map(|input| (session, input)).ok_or_else(not_open)
    }

    /// Asks for more time in a session; where that is asked for already, that is shown.
    ///
    /// # Errors
    /// When it would not end later, or has ended in between.
    pub(crate) fn extend(
        self: &Arc<Self>,
        hub: Arc<dyn HubSide>,
        of: &Arc<Session>,
        choice: Choice,
    ) -> Result<Arc<Session>, AppError> {
        let (now, end) = (hub.now(), of.read(|record| record.end));
        worth_asking(now, choice.terms.duration, end)?;
        as_recorded(of.read(|record| record.choice.terms.recording), choice.terms.recording)?;
        let mut record = Record::new(SessionId::new(uuid::Uuid::now_v7().to_string()), choice);
        record.extends = Some(of.id.clone());
        let to = self.to_owners().get(&of.id).cloned().ok_or_else(not_open)?;
        let begun = Begun::Extension { keys: KeyPair::generate(), of: of.clone(), to };
        self.begin(hub, record, begun, |one| one.extends(&of.id)).ok_or_else(not_open)
    }

    /// A session is over: so is what was to extend it.
    pub(super) fn end_extensions(&self, of: &SessionId, end: &End) {
        self.to_owners().remove(of);
        for extension in self.all().iter().filter(|one| one.extends(of)) {
            extension.end(End::with_its_session(end));
        }
    }
}

impl Session {
    /// Whether it is to extend that session and has not yet.
    fn extends(&self, id: &SessionId) -> bool {
        self.read(|record| record.state == SessionState::Opening && record.extends.as_ref() == Some(id))
    }
}

fn not_open() -> AppError {
    AppError::new(ErrorCode::BadInput, "this session is not open, so there is nothing to extend")
        .hint("Open the cluster again.")
}

/// A session's terminals are recorded as they were begun, or not at all: more time under a profile that has something else
/// recorded by now would be time that is not recorded as it says.
fn as_recorded(before: Option<Recording>, after: Option<Recording>) -> Result<(), AppError> {
    if before == after {
        return Ok(());
    }
    let words = |one: Option<Recording>| one.map_or("nothing".to_owned(), |one| one.to_string());
    let (before, after) = (words(before), words(after));
    Err(AppError::failed(format!(
        "this profile has {after} recorded by now, and of this session {before} is"
    ))
    .hint("Leave it and open the cluster again."))
}

/// Whether `duration` from `now` on ends later than `end`, all in seconds.
fn worth_asking(now: i64, duration: Ttl, end: Option<i64>) -> Result<(), AppError> {
    let later = now.saturating_add(duration.as_seconds_i64());
    if end.is_some_and(|end| later < end.saturating_add(WORTH_ASKING)) {
        return Err(AppError::new(
            ErrorCode::BadInput,
            format!("{duration} from now is no later than this session ends already"),
        )
        .hint("Extend it nearer to its end."));
    }
    Ok(())
}

impl Owner {
    /// An extension's life, until the session it extends has what it brought.
    pub(super) async fn extend(
        &self,
        made: &mut Made,
        keys: &KeyPair,
        of: &Session,
        to: &mpsc::Sender<HandOver>,
    ) -> Result<(), Stop> {
        let which = self.ask(made, keys).await?;
        made.stretch.vouching = Some(self.keep_vouching(which.clone()));
        let request = self.follow(made, &which).await?;
        let mut changes = made.stretch.changes.take();
        let taken =
            self.unless_over(&mut changes, self.take(&mut made.stretch, &request, &which, keys, of)).await;
        made.stretch.changes = changes;
        let (permit, jti) = taken.map_err(|over| made.stopped(over))?;
        self.clear_credential(which);
        let (known, asked) = (made.stretch.which.clone(), made.stretch.asked.clone());
        let (back, answer) = oneshot::channel();
        let stretch = std::mem::take(&mut made.stretch);
        let from = self.session.clone();
        let brought = HandOver { stretch, permit, jti, from, back };
        if let Err(mpsc::error::SendError(brought)) = to.send(brought).await {
            made.stretch = brought.stretch;
            return Err(not_open().into());
        }
        // It has what this one held, and answers at once: nothing may come in between.
        match answer.await {
            Ok(Ok(before)) => {
                made.stretch = before;
                Ok(())
            }
            Ok(Err((brought, why))) => {
                made.stretch = brought;
                Err(why.into())
            }
            Err(_) => {
                // What it held went with that owner. The hub is told all the same, and nothing is called shown.
                made.stretch = Stretch { which: known, asked, ..Stretch::default() };
                Err(AppError::failed("Sallyport failed over the session that was to be extended").into())
            }
        }
    }

    /// Opens the seal and looks at what it allows: a session goes on with nothing that was seen to be refused.
    async fn take(
        &self,
        stretch: &mut Stretch,
        request: &AccessRequest,
        which: &RequestRef,
        keys: &KeyPair,
        of: &Session,
    ) -> Result<(SessionPermit, Jti), AppError> {
        let (session, started) = (&self.session, Instant::now());
        let (sealed, permit) = self.unseal(request, which, keys, &of.id)?;
        let held = stretch.held.insert(held(request, &sealed, &permit)?);
        let seen = self.sessions.ground.look(&held.reach, &held.rules, &held.scope).await;
        if seen.all_refused() {
            let what = format!("{} allows nothing under the new grant yet", permit.cluster());
            let error = AppError::new(ErrorCode::Unreachable, what);
            return Err(error.hint("The session goes on as it was. Try again.").retry());
        }
        held.witnesses = seen;
        let seen = match held.witnesses.seen() {
            0 => "the new grant works by the broker's word",
            _ => "the new grant was seen to work",
        };
        let left = Duration::from_secs(u64::try_from(permit.end() - session.hub.now()).unwrap_or_default());
        session.change(|record| {
            record.deadline = Instant::now().checked_add(left);
            record.done(StepKind::Ready, seen);
        });
        let ready = session.draft(Action::Ready).detail("ms", started.elapsed().as_millis() as u64);
        self.sessions.history.note(ready).await;
        Ok((permit, sealed.jti))
    }

    /// Goes on with what an extension brings, and gives it what was there before.
    pub(super) async fn take_over(&self, made: &mut Made, by: HandOver) {
        let HandOver { mut stretch, permit, jti, from, back } = by;
        if from.is_ending() {
            let why = AppError::new(ErrorCode::Cancelled, "nobody wants more time here any more");
            return give(back, Err((stretch, why)));
        }
        let cut = match self.exchange(made.stretch.held.as_ref(), stretch.held.as_ref(), &permit, jti) {
            Ok(cut) => cut,
            Err(why) => return give(back, Err((stretch, why))),
        };
        std::mem::swap(&mut made.stretch, &mut stretch);
        let request = from.change(|brought| {
            self.session.change(|record| record.swap_stretch(brought));
            brought.request.clone()
        });
        // Each keeper shows the word of its own session: from now on this one's.
        made.stretch.vouching = made.stretch.which.clone().map(|which| self.keep_vouching(which));
        stretch.vouching = None;
        give(back, Ok(stretch));
        let draft = self.session.draft(Action::Extended).detail("until", permit.end());
        let draft = draft.detail("instead_of", request.map(|uid| uid.to_string())).detail("streams", cut);
        // An end that comes meanwhile waits for no disk.
        let history = self.sessions.history.clone();
        tokio::spawn(async move { history.note(draft).await });
    }

    /// Lets the gateway go on with the new token; how many streams that cut.
    fn exchange(
        &self,
        before: Option<&Held>,
        after: Option<&Held>,
        permit: &SessionPermit,
        jti: Jti,
    ) -> Result<usize, AppError> {
        let (Some(before), Some(after)) = (before, after) else { return Err(not_open()) };
        if before.address != after.address {
            let what =
                format!("the address of {}, or who vouches for it, has changed meanwhile", permit.cluster());
            return Err(AppError::failed(what).hint("Leave the session, and open the cluster again."));
        }
        let (now, end) = (self.session.hub.now(), self.session.read(|record| record.end));
        if end.is_some_and(|end| permit.end() < end.saturating_add(WORTH_ASKING)) {
            let what = "what was given ends no later than this session does already";
            return Err(AppError::failed(what).hint("It goes on as it was, with what it had."));
        }
        let keeps = keeps::keeps(before, after);
        let cut = self.sessions.ground.extend(permit, &after.reach.token, jti, now, Box::new(keeps))?;
        Ok(cut.len())
    }

    /// Gives back what was brought to a session that is over. Also what is just being brought: the channel says that there is
    /// nothing more only once nobody can put anything in.
    pub(super) async fn give_back(&self, hand_overs: Option<mpsc::Receiver<HandOver>>) {
        let Some(mut hand_overs) = hand_overs else { return };
        hand_overs.close();
        while let Some(HandOver { stretch, back, .. }) = hand_overs.recv().await {
            give(back, Err((stretch, not_open())));
        }
    }
}

/// An owner that brought something waits for the answer, whatever else it hears.
fn give(back: oneshot::Sender<Taken>, answer: Taken) {
    if back.send(answer).is_err() {
        tracing::error!("nobody sees to the end of a grant that was replaced; the next start takes it back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_that_brings_less_than_a_minute_is_not_asked_for() {
        let hour = Ttl::minutes(60);
        assert!(worth_asking(0, hour, Some(3600)).is_err());
        assert!(worth_asking(0, hour, Some(3541)).is_err());
        assert!(worth_asking(0, hour, Some(3540)).is_ok());
        assert!(worth_asking(0, hour, Some(-1)).is_ok());
    }

    #[test]
    fn more_time_under_a_profile_that_has_another_thing_recorded_by_now_is_not_asked_for() {
        let all = [None, Some(Recording::Output), Some(Recording::OutputAndInput)];
        for before in all {
            for after in all {
                assert_eq!(as_recorded(before, after).is_ok(), before == after, "{before:?} {after:?}");
            }
        }
    }
}
