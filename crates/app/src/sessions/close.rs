//! Closing: cut, remove and prove, at once and none waiting for another. Nothing here turns green without a probe
//! (promise P13).

use super::end::End;
use super::owner::{Kubeconfig, Made, Owner, Stretch};
use super::proof::Proof;
use sallyport_audit::Action;
use sallyport_gateway::CutReport;
use sallyport_model::{EndReason, SessionEvent};
use std::future::Future;
use std::time::Duration;
use tokio::sync::watch;

/// How long after an end that was not shown it is looked at again, twice as long each time.
const AGAIN: Duration = Duration::from_secs(5);
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);
/// How long everything else waits for the streams to be cut. Alone a session is cut in a few milliseconds; where a hundred
/// end at once, as by a hold, what proves and tells each end would take the turns of what cuts the others.
const CUT_FIRST: Duration = Duration::from_millis(50);

impl Owner {
    /// Ends it, and goes on until its end is shown and the hub knows of it, for as long as the app runs.
    pub(super) async fn close(&self, made: Made, end: End) {
        let Made { stretch, hand_overs, kubeconfig, report, said, unwritten, .. } = made;
        let Stretch { asked, which, mut key, mut changes, held, vouching } = stretch;
        let session = &self.session;
        drop(vouching);
        session.set_place(None);
        let closed = said.as_ref().is_some_and(|(_, closed)| *closed);
        session.change(|record| {
            record.broker_closed = closed;
            record.begin_closing(&end, said.is_some());
        });
        self.sessions.end_extensions(&session.id, &end);
        let mut cutting = self.sessions.ground.cut(&session.id, end.cut);
        let cut = tokio::time::timeout(CUT_FIRST, &mut cutting).await.ok();
        let cutting = async {
            let now = match cut {
                Some(now) => now,
                None => cutting.await,
            };
            // Where the gateway's own clock was first, its report says what it cut.
            now.or(report)
        };
        let which = watch::Sender::new(which);
        let telling = self.tell_hub(&which, asked.as_ref(), said.is_some());
        let proving = async {
            // The token goes with its proof, however long the hub can't hear.
            let held = held;
            // From here on the rights wait for nothing: not for a disk that keeps the entry, not for a terminal, not for the hub.
            tokio::join!(
                self.cut(&end, cutting, kubeconfig),
                self.write_end(&end, unwritten),
                self.forget_key(&mut key),
                self.end_rights(&which, held.as_ref(), &mut changes)
            );
            session.change(|record| record.apply(SessionEvent::Proven));
            let draft = session.draft(Action::SessionClosed).detail("reason", end.reason.to_string());
            self.sessions.history.note(draft).await;
            let mut pause = AGAIN;
            while !self.is_over() {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = self.sessions.desk.stop.cancelled() => return,
                }
                pause = (pause * 2).min(AGAIN_AT_MOST);
                session.change(|record| record.prove(Proof::look_again));
                self.end_rights(&which, held.as_ref(), &mut changes).await;
            }
        };
        tokio::join!(telling, proving, self.give_back(hand_overs));
        let knows = session.read(|record| record.has(Proof::hub_knows));
        let noted = session.read(|record| record.asked_as.clone());
        if let Some(noted) = noted.filter(|_| knows && self.is_over()) {
            self.sessions.forget_note(&noted).await;
        }
    }

    /// Whether its end was shown.
    fn is_over(&self) -> bool {
        self.session.read(|record| record.has(Proof::is_over))
    }

    async fn write_end(&self, end: &End, unwritten: Option<sallyport_audit::Draft>) {
        let history = &self.sessions.history;
        if let Some(entry) = unwritten {
            history.note(entry).await;
        }
        let action = match end.reason {
            EndReason::Left => Action::Leave,
            EndReason::Expired => Action::Expired,
            EndReason::Revoked => Action::Revoked,
            EndReason::Denied => Action::Denied,
            EndReason::Unanswered => Action::Unanswered,
            EndReason::Failed => return,
        };
        let mut draft = self.session.draft(action);
        if let Some(by) = &end.by {
            draft = draft.detail("by", by);
        }
        if let Some(words) = &end.words {
            draft = draft.detail("why", words);
        }
        history.note(draft).await;
    }

    /// What is on this machine: streams, terminals, the private kubeconfig.
    async fn cut(
        &self,
        end: &End,
        cutting: impl Future<Output = Option<CutReport>>,
        kubeconfig: Option<Kubeconfig>,
    ) {
        let session = &self.session;
        let report = cutting.await;
        session.change(|record| {
            record.prove(|proof| match *end == End::replaced() {
                true => proof.streams_go_on(),
                false => proof.streams_cut(report.as_ref()),
            })
        });
        let (streams, took) = report.as_ref().map_or((0, Duration::ZERO), |r| (r.streams.len(), r.took));
        let draft = session.draft(Action::Cut).detail("streams", streams);
        self.sessions.history.note(draft.detail("ms", took.as_millis() as u64)).await;
        let ended = session.end_terminals().await;
        session.change(|record| record.prove(|proof| proof.terminals_ended(&ended)));
        let removed = remove(kubeconfig).await;
        session.change(|record| record.prove(|proof| proof.kubeconfig_removed(removed)));
    }
}

async fn remove(kubeconfig: Option<Kubeconfig>) -> Result<&'static str, String> {
    const NONE: &str = "there was none";
    let file = match kubeconfig {
        None => return Ok(NONE),
        Some(Kubeconfig::There(file)) => file,
        Some(Kubeconfig::Writing(writing)) => match writing.await {
            Ok(Ok(file)) => Box::new(file),
            // What could not be written is not there.
            Ok(Err(_)) => return Ok(NONE),
            Err(error) => return Err(error.to_string()),
        },
    };
    match tokio::task::spawn_blocking(move || file.remove()).await {
        Ok(removed) => removed.map(|()| "nothing of it was elsewhere").map_err(|e| e.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
