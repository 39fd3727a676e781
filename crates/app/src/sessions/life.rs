//! The life of a session, as its owner lives it.

use super::end::End;
use super::owner::{Begun, HandOver, Made, Missing, Over, Owner, Stop, Stretch};
use super::ports::Changes;
use super::word::{Heard, Said, deleted, heard};
use crate::desk::AppError;
use futures::StreamExt as _;
use sallyport_api::AccessRequest;
use sallyport_audit::{Action, Outcome};
use sallyport_gateway::{CutNotice, CutReason, CutReport};
use sallyport_hub::Change;
use sallyport_ipc::HubLink;
use sallyport_model::{ErrorCode, RequestRef, SessionEvent, SessionState};
use std::future::Future;
use tokio::sync::mpsc;

/// From the click to the last proof.
pub(super) async fn live(owner: Owner, begun: Begun, hand_overs: mpsc::Receiver<HandOver>) {
    let (sessions, session) = (owner.sessions.clone(), owner.session.clone());
    let lived = tokio::spawn(owner.live(begun, hand_overs)).await;
    if lived.is_ok() {
        return;
    }
    // It panicked, or the runtime ends. Nobody would hear an end any more, so what it served is shut here; its note is kept,
    // and the next sign-in takes its request back.
    session.set_place(None);
    let report = sessions.ground.cut(&session.id, CutReason::Failed).await;
    let ended = session.end_terminals().await;
    let error = AppError::failed("Sallyport failed over this session, which was cut")
        .hint("Sign out and in again: that takes its request back. The log has the details.");
    session.change(|record| {
        record.fail(error.view());
        record.begin_closing(&End::failed(None, error.message()), false);
        record.prove(|proof| {
            proof.streams_cut(report.as_ref());
            proof.terminals_ended(&ended);
            proof.given_up(error.message());
        });
        record.apply(SessionEvent::Proven);
    });
    sessions.end_extensions(&session.id, &End::failed(None, error.message()));
}

impl Owner {
    async fn live(self, begun: Begun, hand_overs: mpsc::Receiver<HandOver>) {
        let mut made = Made { hand_overs: Some(hand_overs), ..Made::default() };
        let end = match self.until_open(&mut made, begun).await {
            Ok(Served::Here) => self.while_open(&mut made).await,
            Ok(Served::Elsewhere) => End::replaced(),
            Err(Stop::Kept) => return self.session.change(|record| record.is_kept = true),
            // It was open for a moment.
            Err(Stop::Ended(end)) if self.session.state() == SessionState::Open => end,
            Err(Stop::Failed(error)) if self.session.state() == SessionState::Open => match &made.said {
                Some((said, _)) => End::said(said),
                None => End::failed(None, error.message()),
            },
            Err(Stop::Ended(end)) => self.given_up(&mut made, end),
            Err(Stop::Failed(error)) => self.failed(&mut made, error),
        };
        // Whoever waits for the way in hears that there is none, before the end is proven.
        made.read_by = None;
        self.close(made, end).await;
    }

    async fn until_open(&self, made: &mut Made, begun: Begun) -> Result<Served, Stop> {
        let (which, keys) = match begun {
            Begun::Extension { keys, of, to } => {
                self.extend(made, &keys, &of, &to).await?;
                return Ok(Served::Elsewhere);
            }
            Begun::Click { keys, read_by } => {
                made.read_by = read_by;
                (self.ask(made, &keys).await?, keys)
            }
            Begun::Restart { which, keys } => {
                made.stretch.which = Some(which.clone());
                made.stretch.key = Some(which.clone());
                (which, keys)
            }
        };
        made.stretch.vouching = Some(self.keep_vouching(which.clone()));
        if made.stretch.key.is_none() && self.session.read(|record| record.choice.approvals > 0) {
            self.or_ended(async {
                self.keep_key(made, &which, &keys).await;
                Ok::<_, AppError>(())
            })
            .await?;
        }
        let request = self.follow(made, &which).await?;
        self.serve(made, &request, &which, &keys).await?;
        self.clear_credential(which);
        if !self.session.read(|record| record.choice.is_scan) {
            self.remember();
        }
        Ok(Served::Here)
    }

    /// The seal is open: what was sealed need not be on the hub any more. Nothing waits for that.
    pub(super) fn clear_credential(&self, which: RequestRef) {
        let hub = self.session.hub.clone();
        tokio::spawn(async move {
            if let Err(error) = hub.clear_credential(&which).await {
                tracing::warn!(%error, "the opened credential was not cleared from the hub");
            }
        });
    }

    /// While it is open: stretch after stretch, until it ends.
    async fn while_open(&self, made: &mut Made) -> End {
        loop {
            match self.stretch(made).await {
                Turn::Over(end) => return end,
                Turn::Extended(by) => self.take_over(made, *by).await,
            }
        }
    }

    /// One stretch: until the hub says that it is over, the gateway's clock has cut the session, somebody wants it to end, or
    /// an extension brings the next.
    async fn stretch(&self, made: &mut Made) -> Turn {
        let Made { stretch: Stretch { changes, held, .. }, hand_overs, cut, report, said, .. } = made;
        let (turn, found) = {
            let (ended, looking) = (self.session.ended(), self.look_for_witnesses(held.as_ref()));
            tokio::pin!(ended, looking);
            let mut found = None;
            let turn = loop {
                tokio::select! {
                    biased;
                    end = &mut ended => break Turn::Over(end),
                    cut = cut_by_gateway(cut) => {
                        let is_expired = cut.reason == CutReason::Expired;
                        *report = Some(cut);
                        if is_expired {
                            break Turn::Over(End::expired());
                        }
                    }
                    (over, closed) = self.until_said(changes) => {
                        let end = End::said(&over);
                        *said = Some((over, closed));
                        break Turn::Over(end);
                    }
                    by = next_of(hand_overs) => break Turn::Extended(Box::new(by)),
                    seen = &mut looking, if found.is_none() => found = Some(seen),
                }
            };
            // What was looked at while it ended says nothing of the time before: an unfinished look is dropped here.
            (turn, found.flatten())
        };
        if let (Some(held), Some(seen)) = (held, found) {
            held.witnesses = seen;
        }
        turn
    }

    /// Waits until the hub says that the request is over; true where nothing of it is left.
    pub(super) async fn until_said(&self, changes: &mut Option<Changes>) -> (Said, bool) {
        loop {
            match self.next(changes).await {
                Ok(requests) => {
                    for request in requests {
                        match heard(&request) {
                            Heard::Closed(said) => return (said, true),
                            Heard::Ending(said) => return (said, false),
                            Heard::Granted | Heard::OnItsWay => {}
                        }
                    }
                }
                Err(Missing::Deleted) => return (deleted(), false),
                Err(Missing::Unreadable(what)) => tracing::warn!(session = %self.session.id, "{what}"),
            }
        }
    }

    /// What the hub says next of the request; for ever, where it says nothing more.
    pub(super) async fn next(&self, changes: &mut Option<Changes>) -> Result<Vec<AccessRequest>, Missing> {
        let change = match changes.as_mut() {
            Some(stream) => stream.next().await,
            None => std::future::pending().await,
        };
        match change {
            // A list is read from the hub's store, so what it does not have is not there.
            Some(Change::All { objects, malformed }) => match malformed.into_iter().next() {
                Some(what) => Err(Missing::Unreadable(what.to_string())),
                None if objects.is_empty() => Err(Missing::Deleted),
                None => Ok(self.its_own(objects)),
            },
            Some(Change::Put(object)) => Ok(self.its_own(vec![object])),
            Some(Change::Malformed(what, _)) => Err(Missing::Unreadable(what.to_string())),
            Some(Change::Deleted(gone) | Change::Left(gone)) => {
                // Another object may have had the name.
                let uid = self.session.read(|record| record.request.clone());
                let is_ours = uid.is_none_or(|uid| gone.uid.is_empty() || uid.as_str() == gone.uid);
                if is_ours { Err(Missing::Deleted) } else { Ok(Vec::new()) }
            }
            Some(Change::Trouble(fault)) => {
                self.session.hub.is(HubLink::Down, Some(fault.to_string()));
                Ok(Vec::new())
            }
            None => {
                *changes = None;
                Ok(Vec::new())
            }
        }
    }

    /// Another object may have the name by now. What a request says of the provider's word is taken in with it.
    fn its_own(&self, mut objects: Vec<AccessRequest>) -> Vec<AccessRequest> {
        let uid = self.session.read(|record| record.request.clone());
        objects.retain(|object| {
            uid.as_ref().is_none_or(|uid| object.metadata.uid.as_deref() == Some(uid.as_str()))
        });
        objects.iter().for_each(|object| self.heard_of_word(object));
        objects
    }

    /// Does it, unless somebody wants the session to end first.
    pub(super) async fn or_ended<T, E: Into<Stop>>(
        &self,
        doing: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Stop> {
        tokio::select! {
            biased;
            end = self.session.ended() => Err(Stop::Ended(end)),
            done = doing => done.map_err(Into::into),
        }
    }

    /// Does it, unless somebody wants the session to end or the hub says that its request is over.
    pub(super) async fn unless_over<T>(
        &self,
        changes: &mut Option<Changes>,
        doing: impl Future<Output = Result<T, AppError>>,
    ) -> Result<T, Over> {
        tokio::select! {
            biased;
            end = self.session.ended() => Err(Over::Ended(end)),
            (said, closed) = self.until_said(changes) => Err(Over::Said(said, closed)),
            done = doing => done.map_err(Over::Failed),
        }
    }

    /// Somebody no longer wants what is opening.
    fn given_up(&self, made: &mut Made, end: End) -> End {
        let error = AppError::new(ErrorCode::Cancelled, "the opening was cancelled");
        self.not_opened(made, &error);
        End { words: end.words.or_else(|| Some(error.message().to_owned())), ..end }
    }

    /// It could not be opened.
    fn failed(&self, made: &mut Made, error: AppError) -> End {
        tracing::warn!(session = %self.session.id, code = ?error.code(), "{}", error.chain());
        self.not_opened(made, &error);
        End::failed(made.said.as_ref().map(|(said, _)| said), error.message())
    }

    fn not_opened(&self, made: &mut Made, error: &AppError) {
        self.session.change(|record| record.fail(error.view()));
        let draft = self.session.draft(Action::SessionOpen).outcome(Outcome::Failed);
        made.unwritten = Some(draft.detail("why", error.message()));
    }
}

/// Where what was asked for is served.
enum Served {
    Here,
    /// In the session that it extends.
    Elsewhere,
}

/// How a stretch ends.
enum Turn {
    Over(End),
    Extended(Box<HandOver>),
}

/// The next hand-over; for ever, where nobody can bring one any more.
async fn next_of(hand_overs: &mut Option<mpsc::Receiver<HandOver>>) -> HandOver {
    match hand_overs {
        Some(all) => match all.recv().await {
            Some(one) => one,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// The gateway's own word that it cut the session: once, and never again after that.
async fn cut_by_gateway(cut: &mut Option<CutNotice>) -> CutReport {
    let report = match cut.as_mut() {
        Some(notice) => notice.await.ok(),
        None => None,
    };
    *cut = None;
    match report {
        Some(report) => report,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
