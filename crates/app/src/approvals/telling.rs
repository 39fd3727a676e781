//! Telling the hub the ends that it could not hear, for as long as somebody is signed in.

use super::Approvals;
use super::untold::{Kept, Untold};
use crate::desk::AppError;
use crate::person::faults::of_hub;
use crate::person::{Signed, WorkspaceId};
use sallyport_api::AccessRequest;
use sallyport_client::Fault;
use sallyport_hub::Refused;
use sallyport_ipc::{ClosingView, Shown, UntoldEnds};
use sallyport_model::{Phase, RequestRef};
use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

/// Between two tries, twice as long each time: whoever has just come back is told soon, and a hub that is away is left alone.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_AT_MOST: Duration = Duration::from_secs(10);

/// Those of one workspace that are named to whoever quits.
const NAMED: usize = 10;

/// What became of a try.
enum Told {
    /// The hub has it.
    Yes,
    /// There is nothing to end any more: somebody else ended it, or it is gone.
    Over,
    /// The hub did not hear.
    NotYet(Fault),
    /// It heard, and says no.
    No(String),
}

impl Approvals {
    pub(super) fn untold(&self) -> MutexGuard<'_, BTreeMap<WorkspaceId, Untold>> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many ends have not been heard and may still be, in all workspaces.
    pub(crate) fn untold_count(&self) -> usize {
        self.untold().values().map(|untold| untold.to_tell().len()).sum()
    }

    /// The same by workspace, the one in front first: whoever quits drops all of them.
    pub(crate) fn untold_ends(&self) -> Vec<UntoldEnds> {
        let front = self.person.in_front();
        let lines = |untold: &Untold| -> Vec<String> {
            let to_tell = untold.to_tell();
            to_tell.iter().filter_map(|uid| untold.one(uid)).map(|kept| line(&kept.object)).collect()
        };
        let kept: Vec<(WorkspaceId, Vec<String>)> = {
            let all = self.untold();
            all.iter().map(|(workspace, untold)| (workspace.clone(), lines(untold))).collect()
        };
        let of = |(workspace, lines): (WorkspaceId, Vec<String>)| UntoldEnds {
            workspace: self.person.name_of(&workspace).map(Shown::from).unwrap_or_default(),
            in_front: front.as_ref() == Some(&workspace),
            count: u32::try_from(lines.len()).unwrap_or(u32::MAX),
            what: lines.iter().take(NAMED).map(Shown::from).collect(),
        };
        let mut ends: Vec<UntoldEnds> = kept.into_iter().filter(|(_, all)| !all.is_empty()).map(of).collect();
        ends.sort_by_key(|one| !one.in_front);
        ends
    }

    /// Those of a workspace as they are told to whoever signs out: after that nobody here may tell them.
    pub(crate) fn untold_lines(&self, workspace: &WorkspaceId) -> Vec<String> {
        let all = self.untold();
        all.get(workspace).into_iter().flat_map(Untold::all).map(|kept| line(&kept.object)).collect()
    }

    /// The app ends: what was not told is on record, and told no more.
    pub(crate) async fn give_up_untold(&self) {
        let all = std::mem::take(&mut *self.untold());
        for (workspace, untold) in all {
            let Some(signed) = self.person.is_signed_in_at(&workspace) else { continue };
            for kept in untold.all() {
                let why = "Sallyport ended before the hub heard it; the session went on";
                self.note_untold(&signed, &kept.object, why).await;
            }
        }
    }

    pub(super) fn is_untold(&self, workspace: &WorkspaceId, uid: &str) -> bool {
        self.untold().get(workspace).is_some_and(|untold| untold.one(uid).is_some())
    }

    /// How its end stands, where the hub has not heard it.
    pub(super) fn untold_view(&self, workspace: &WorkspaceId, object: &AccessRequest) -> Option<ClosingView> {
        let all = self.untold();
        let kept = all.get(workspace)?.one(object.metadata.uid.as_deref()?)?;
        Some(kept.view(object))
    }

    /// Keeps an end that the hub can't hear.
    ///
    /// # Errors
    /// Where too much is kept already.
    pub(super) async fn keep_end(
        &self,
        signed: &Signed,
        object: Arc<AccessRequest>,
        reason: String,
        fault: Fault,
    ) -> Result<(), AppError> {
        let uid = object.metadata.uid.clone().unwrap_or_default();
        let (since, why) = (self.now_ms(&signed.workspace), fault.to_string());
        let kept = Kept { object: object.clone(), reason, since, why, is_refused: false };
        let is_kept = {
            let mut all = self.untold();
            // Whoever clears a sign-in that is over has been here, or is still to come.
            !signed.stop.is_cancelled() && all.entry(signed.workspace.clone()).or_default().keep(&uid, kept)
        };
        if !is_kept {
            return Err(of_hub(fault));
        }
        let why = "the hub could not be told yet; Sallyport tells it as soon as it can hear";
        self.note_untold(signed, &object, why).await;
        self.kept.notify_waiters();
        self.changed.notify_one();
        Ok(())
    }

    pub(super) fn forget_end(&self, workspace: &WorkspaceId, uid: &str) -> Option<Kept> {
        let kept = self.untold().get_mut(workspace)?.forget(uid);
        self.changed.notify_one();
        kept
    }

    fn now_ms(&self, workspace: &WorkspaceId) -> i64 {
        self.person.hub_now(workspace).saturating_mul(1000)
    }

    /// Tells again what the hub has not heard, until the sign-in is over.
    pub(super) async fn tell_what_is_kept(&self, signed: &Arc<Signed>) {
        let mut pause = AGAIN;
        loop {
            let more = self.kept.notified();
            let to_tell = |untold: &Untold| untold.to_tell();
            let is_idle = self.untold().get(&signed.workspace).is_none_or(|untold| untold.all().count() == 0);
            if is_idle {
                more.await;
                pause = AGAIN;
            }
            tokio::time::sleep(pause).await;
            self.drop_what_is_over(signed).await;
            let all = self.untold().get(&signed.workspace).map(to_tell).unwrap_or_default();
            pause = (pause * 2).min(AGAIN_AT_MOST);
            for uid in all {
                match self.tell_again(signed, &uid).await {
                    // It does not hear the others either.
                    false => break,
                    true => pause = AGAIN,
                }
            }
        }
    }

    async fn drop_what_is_over(&self, signed: &Signed) {
        let now = self.now_ms(&signed.workspace);
        let over = self.untold().get_mut(&signed.workspace).map(|untold| untold.take_over(now));
        for kept in over.unwrap_or_default() {
            self.note_untold(signed, &kept.object, "its time was over before the hub heard it").await;
            self.changed.notify_one();
        }
    }

    /// Tells one; false where the hub hears nobody.
    async fn tell_again(&self, signed: &Arc<Signed>, uid: &str) -> bool {
        // After a step-up it is told with that.
        let now = self.person.is_signed_in_at(&signed.workspace);
        let signed = now.filter(|now| now.number == signed.number).unwrap_or_else(|| signed.clone());
        if let Some(object) = self.look(&signed.workspace, |open| open.one(uid).cloned())
            && let Some(untold) = self.untold().get_mut(&signed.workspace)
        {
            untold.is_now(uid, &object);
        }
        let kept = self.untold().get(&signed.workspace).and_then(|untold| untold.one(uid).cloned());
        let Some(kept) = kept else { return true };
        let Ok(which) = kept.object.which() else { return true };
        let told = self.tell_one(&signed, &which, &kept.reason).await;
        let is_deaf = matches!(&told, Told::NotYet(fault) if hears_nobody(fault));
        match told {
            Told::Yes => self.end_is_told(&signed, &kept.object, kept.reason).await,
            Told::Over => {
                if self.forget_end(&signed.workspace, uid).is_some() {
                    self.note_untold(&signed, &kept.object, "it was over before the hub heard it").await;
                }
            }
            Told::NotYet(fault) => {
                tracing::warn!("the hub was not told an end yet: {fault}");
                if let Some(untold) = self.untold().get_mut(&signed.workspace) {
                    untold.not_yet(uid, fault.to_string());
                }
            }
            Told::No(words) => {
                self.note_untold(&signed, &kept.object, &words).await;
                if let Some(untold) = self.untold().get_mut(&signed.workspace) {
                    untold.refused(uid, words);
                }
            }
        }
        self.changed.notify_one();
        !is_deaf
    }

    async fn tell_one(&self, signed: &Signed, which: &RequestRef, reason: &str) -> Told {
        if let Some(told) = self.stands(signed, which).await {
            return told;
        }
        match self.say_end(signed, which, reason).await {
            Ok(()) => Told::Yes,
            Err(Refused::Fault(fault)) if may_hear(&fault) => Told::NotYet(fault),
            // Somebody may have been a moment quicker: what is over is ended no more.
            Err(refused) => match self.stands(signed, which).await {
                Some(told) => told,
                None => Told::No(words_of(refused)),
            },
        }
    }

    /// What is there to say of it before it is told; `None`: it is open, and nobody has ended it.
    async fn stands(&self, signed: &Signed, which: &RequestRef) -> Option<Told> {
        match self.hub(signed).request(which).await {
            Ok(read) => {
                let word = read.status.as_ref().and_then(|status| status.revocation.as_ref());
                // What hung on its way was taken in after all.
                if word.is_some_and(|word| word.by == signed.who.user.as_str()) {
                    return Some(Told::Yes);
                }
                (read.phase() == Phase::Closed || read.ended_by().is_some()).then_some(Told::Over)
            }
            Err(Fault::NotFound) => Some(Told::Over),
            Err(fault) if may_hear(&fault) => Some(Told::NotYet(fault)),
            // It may be ended without being read.
            Err(_) => None,
        }
    }
}

/// Whether the same may be heard later: all that is no word of the hub's own about this end. An error of a server that
/// comes back is none, and the sign-in may be renewed meanwhile.
fn may_hear(fault: &Fault) -> bool {
    !matches!(fault, Fault::Forbidden(_) | Fault::Invalid(_) | Fault::NotFound)
}

/// Whether the hub hears nobody now.
fn hears_nobody(fault: &Fault) -> bool {
    matches!(fault, Fault::Unreachable(_) | Fault::NoToken(_) | Fault::Unauthorized | Fault::Untrusted(_))
}

fn words_of(refused: Refused) -> String {
    match refused {
        Refused::Forbidden { message } | Refused::ProfileChanged { message, .. } => message,
        Refused::StepUp(step) => step.message,
        Refused::Fault(fault) => fault.to_string(),
    }
}

/// What of a session goes on, whose end nobody has heard.
fn line(object: &AccessRequest) -> String {
    let spec = &object.spec;
    let until = object.status.as_ref().and_then(|status| status.grant.as_ref());
    let until = until.map_or_else(
        || "as it was granted".to_owned(),
        |grant| format!("until {}", grant.end.0.strftime("%H:%M UTC")),
    );
    format!("{} of {} on {} goes on {until}", spec.profile, spec.user, spec.cluster)
}
