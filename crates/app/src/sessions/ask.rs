//! Asking on the hub; a refusal for want of MFA waits for the step-up and asks again.

use super::owner::{Asked, Made, Owner, Stop};
use crate::desk::AppError;
use crate::person::faults::{of_hub, of_refused};
use crate::person::{SignedInAs, how_signed_in};
use sallyport_audit::{Action, Outcome};
use sallyport_client::Fault;
use sallyport_hub::seal::KeyPair;
use sallyport_hub::{Ask, Refused, request_name};
use sallyport_ipc::StepKind;
use sallyport_model::{ErrorCode, RequestRef, SignIn};
use std::time::Duration;

/// How long a step-up may take before the opening is given up.
const STEP_UP: Duration = Duration::from_secs(600);
/// How long an answer that is under way is waited for when nobody wants what was asked any more: what is known to exist is
/// taken back at once, what may exist is looked for.
const UNDER_WAY: Duration = Duration::from_secs(1);

impl Owner {
    pub(super) async fn ask(&self, made: &mut Made, keys: &KeyPair) -> Result<RequestRef, Stop> {
        let (session, hub) = (&self.session, &self.session.hub);
        session.change(|record| record.begin(StepKind::SignedIn));
        self.or_ended(hub.ready()).await?;
        let choice = session.read(|record| record.choice.clone());
        let team = hub.team().ok_or_else(|| {
            AppError::new(ErrorCode::Forbidden, "none of your teams may ask for access on this hub")
                .hint("Ask an admin to add you to a team's group.")
        })?;
        let mut ask = Ask {
            team,
            terms: choice.terms,
            groups: hub.who().groups,
            public_key: keys.public_key_base64(),
            sign_in: SignIn::default(),
            issued_at: None,
            history: self.sessions.history.anchor().await,
        };
        let name = request_name(&ask.public_key);
        // Before it is written: whoever is dropped in between leaves no note that nobody owns.
        session.change(|record| record.asked_as = Some(name.clone()));
        self.or_ended(self.sessions.note_before_asking(&ask, &name, hub.workspace().as_str())).await?;
        let mut stepped_up = None;
        loop {
            session.change(|record| record.begin(StepKind::Asked));
            let mut sign_ins = hub.sign_ins();
            sign_ins.mark_unchanged();
            ask.sign_in = self.or_ended(async { Ok::<_, AppError>(hub.evidence().await) }).await?;
            let refused = match self.once(made, &ask, &name).await? {
                Ok(which) => return Ok(which),
                Err(refused) => refused,
            };
            let error = of_refused(refused);
            let draft = session.draft(Action::Ask).outcome(Outcome::Refused);
            let draft = draft.detail("why", error.message()).detail("profile", ask.terms.profile.as_str());
            self.sessions.history.note(draft).await;
            if error.code() != ErrorCode::StepUpNeeded {
                return Err(error.into());
            }
            // One step-up is enough: what it did not bring, another one will not.
            let proven = sign_ins.borrow().step_ups;
            if stepped_up.is_some_and(|before| before < proven) {
                return Err(still_wanted(&error, &hub.who()).into());
            }
            stepped_up = Some(proven);
            session.change(|record| record.error = Some(error.view()));
            let again = async {
                match tokio::time::timeout(STEP_UP, sign_ins.changed()).await {
                    Ok(Ok(())) => match sign_ins.borrow_and_update().in_vain.clone() {
                        None => Ok(()),
                        Some(failed) => {
                            Err(AppError::failed(failed.message).hint(failed.hint.unwrap_or_default()))
                        }
                    },
                    Ok(Err(_)) | Err(_) => Err(error),
                }
            };
            self.or_ended(again).await?;
            session.change(|record| record.error = None);
        }
    }

    /// Asks once. From before the hub hears of it until it has said no, a request may exist.
    async fn once(
        &self,
        made: &mut Made,
        ask: &Ask,
        name: &str,
    ) -> Result<Result<RequestRef, Refused>, Stop> {
        let session = &self.session;
        // Nothing is asked that nobody wants any more.
        self.or_ended(std::future::ready(Ok::<_, AppError>(()))).await?;
        let asking = session.hub.ask(ask);
        tokio::pin!(asking);
        made.stretch.asked = Some(Asked { team: ask.team.clone(), name: name.to_owned() });
        let (answer, end) = tokio::select! {
            biased;
            end = session.ended() => (tokio::time::timeout(UNDER_WAY, &mut asking).await.ok(), Some(end)),
            answer = &mut asking => (Some(answer), None),
        };
        let which = match answer {
            Some(Ok(request)) => {
                let which = request.which().map_err(|e| of_hub(Fault::Other(e.to_string())))?;
                made.stretch.which = Some(which.clone());
                self.asked(ask, &which).await;
                Ok(which)
            }
            // An answer that says no made nothing; no answer may have.
            Some(Err(refused)) => {
                if !matches!(refused, Refused::Fault(_)) {
                    made.stretch.asked = None;
                }
                Err(refused)
            }
            None => Err(Refused::Fault(Fault::TimedOut)),
        };
        end.map_or(Ok(which), |end| Err(Stop::Ended(end)))
    }

    async fn asked(&self, ask: &Ask, which: &RequestRef) {
        let session = &self.session;
        let signed_in = how_signed_in(&session.hub.who());
        session.change(|record| {
            record.request = Some(which.uid.clone());
            record.done(StepKind::SignedIn, signed_in);
            record.done(
                StepKind::Asked,
                format!("{} · {} · {}", ask.terms.profile, ask.terms.scope, ask.terms.duration),
            );
            record.begin(StepKind::Approved);
        });
        let draft = session
            .draft(Action::Ask)
            .detail("profile", ask.terms.profile.as_str())
            .detail("duration", ask.terms.duration.to_string())
            .detail("reason", &ask.terms.reason)
            .detail("namespaces", ask.terms.scope.to_string());
        self.sessions.history.note(draft).await;
    }
}

/// The hub asks for a step-up again right after one.
fn still_wanted(error: &AppError, who: &SignedInAs) -> AppError {
    let said = |words: &[String]| if words.is_empty() { "none".to_owned() } else { words.join(" + ") };
    AppError::failed(format!("{}, though you have just done so", error.message())).hint(format!(
        "Repeating it will not help. Your sign-in says acr {} and amr {}; ask your admin what the profile wants and what \
         the identity provider gives.",
        said(&who.acr),
        said(&who.amr)
    ))
}
