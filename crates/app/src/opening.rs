//! Opening a session: one click to the first answered call.

use crate::choosing::is_open_on;
use crate::core::{App, Core, Signed};
use crate::error::AppError;
use crate::faults::of_refused;
use crate::inventory::Offered;
use crate::session::Session;
use crate::session_record::SessionRecord;
use futures::Stream;
use jiff::Timestamp;
use sallyport_api::AccessRequest;
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_gateway::{CutReason, Opened};
use sallyport_hub::seal::KeyPair;
use sallyport_hub::{Ask, Change, Refused, SignInEvidence, Which, request_name};
use sallyport_ipc::{Event, OpenInput, SessionView, StepKind};
use sallyport_model::{ClusterName, EndReason, ErrorCode, SessionId, SessionState};
use sallyport_store::{Opening, Reason};
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How long a request may wait for people: longer than any broker lets it.
const PEOPLE: Duration = Duration::from_secs(24 * 3600);
/// How long a step-up may take before the opening is given up.
const STEP_UP: Duration = Duration::from_secs(600);

pub(crate) type Changes = Pin<Box<dyn Stream<Item = Change<AccessRequest>> + Send>>;

impl App {
    /// Opens a cluster. Returns at once with the session; its steps are told as they happen. A second click on a
    /// cluster that is open or opening under the same profile shows the same session.
    ///
    /// # Errors
    /// What stands in the way before anything was asked: not signed in, no such cluster or profile, a reason needed.
    pub async fn session_open(&self, input: OpenInput) -> Result<SessionView, AppError> {
        let core = &self.0;
        let signed = core.signed()?;
        let cluster: ClusterName = input
            .cluster
            .parse()
            .map_err(|e: sallyport_model::NameError| AppError::new(ErrorCode::BadInput, e.to_string()))?;
        // A click that names nothing but the cluster shows what is open there.
        if input.profile.is_none()
            && let Some(open) = core.open_on(&cluster, None)
        {
            return Ok(core.session_view(&open));
        }
        let last = core.prefs.last_opening(cluster.clone()).await.unwrap_or_default();
        let offered = core.choose(&cluster, &input, last.as_ref())?;
        let wanted = core.wanted(&cluster, &input, &offered, last.as_ref()).await?;
        let id = SessionId::new(uuid::Uuid::now_v7().to_string());
        let session = {
            let mut sessions = core.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            let same =
                sessions.values().find(|s| is_open_on(s, &wanted.cluster, Some(&wanted.profile))).cloned();
            if let Some(same) = same {
                drop(sessions);
                return Ok(core.session_view(&same));
            }
            let session = Arc::new(Session::new(
                SessionRecord::new(id.clone(), wanted),
                signed.clone(),
                core.stop.child_token(),
            ));
            sessions.insert(id, session.clone());
            session
        };
        core.tell_session(&session);
        core.clusters_changed.notify_one();
        let (app, opened) = (self.clone(), session.clone());
        tokio::spawn(async move { app.run(opened, signed, offered).await });
        Ok(core.session_view(&session))
    }

    /// Gives up an opening that is under way; what was made for it is withdrawn.
    ///
    /// # Errors
    /// When there is no such session.
    pub async fn session_cancel(&self, id: String) -> Result<(), AppError> {
        let session = self.0.session(&id).ok_or_else(no_session)?;
        self.give_up(&session).await;
        Ok(())
    }

    /// The person no longer wants what is opening: it is withdrawn, and no later start takes it up again.
    pub(crate) async fn give_up(&self, session: &Session) {
        self.forget_key(session).await;
        session.cancel.cancel();
    }

    /// All sessions.
    ///
    /// # Errors
    /// None.
    pub async fn sessions_list(&self) -> Result<Vec<SessionView>, AppError> {
        Ok(self.0.all_sessions().iter().map(|s| self.0.session_view(s)).collect())
    }

    /// Forgets a session that is over: its closing report was read.
    ///
    /// # Errors
    /// While it is not over.
    pub async fn session_dismiss(&self, id: String) -> Result<(), AppError> {
        let session = self.0.session(&id).ok_or_else(no_session)?;
        if !matches!(session.state(), SessionState::Closed(_)) {
            return Err(AppError::failed("this session is not over yet").hint("Leave it first."));
        }
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(&session.id);
        self.0.host.tell(Event::SessionGone { id });
        Ok(())
    }

    /// A session's whole life: asking, opening, being open, and handing over to its closing.
    async fn run(&self, session: Arc<Session>, signed: Signed, offered: Offered) {
        let keys = KeyPair::generate();
        session.record().begin(StepKind::SignedIn);
        let asked = async {
            signed.tokens.id_token().await.map_err(crate::faults::of_oidc)?;
            self.ask(&session, &signed, &offered, &keys).await
        };
        match asked.await {
            Ok(which) => {
                if offered.profile.approvals > 0 {
                    self.keep_waiting(&session, &which, &keys).await;
                }
                self.run_asked(session, signed, which, keys).await;
            }
            Err(error) => {
                self.opening_failed(&session, error).await;
                self.0.clusters_changed.notify_one();
            }
        }
    }

    /// The same from a request on.
    pub(crate) async fn run_asked(&self, session: Arc<Session>, signed: Signed, which: Which, keys: KeyPair) {
        match self.open(&session, &signed, which, &keys).await {
            Ok((changes, opened)) => {
                self.clone().watch_while_open(session, changes, opened).await;
            }
            // The app ends and the request goes on: the next start takes it up again.
            Err(_) if session.waits_on() && self.0.stop.is_cancelled() => {}
            Err(error) => {
                self.forget_key(&session).await;
                self.opening_failed(&session, error).await;
                // Where the closing had begun before the gateway was open, it found nothing to close.
                self.uncover(&session).await;
            }
        }
        self.0.clusters_changed.notify_one();
    }

    async fn open(
        &self,
        session: &Arc<Session>,
        signed: &Signed,
        which: Which,
        keys: &KeyPair,
    ) -> Result<(Changes, Opened), AppError> {
        let core = &self.0;
        let mut changes: Changes = Box::pin(signed.hub.watch_request(&which));
        let needs_people = session.record().wanted.approvals > 0;
        let patience = if needs_people { PEOPLE } else { core.options.broker };
        let request = self.until_active(session, &mut changes, patience).await?;
        let (sealed, permit) = core.unseal(session, &request, &which, keys)?;
        // Before anything is open: an opened session is never taken up again.
        self.forget_key(session).await;
        let opened = self.serve(session, &request, sealed, &permit).await?;
        let (hub, clear) = (signed.hub.clone(), which);
        tokio::spawn(async move {
            if let Err(error) = hub.clear_credential(&clear).await {
                tracing::warn!(%error, "the opened credential was not cleared from the hub");
            }
        });
        self.remember(session).await;
        Ok((changes, opened))
    }

    /// Asks on the hub; a refusal for want of MFA waits for the step-up and asks again.
    async fn ask(
        &self,
        session: &Arc<Session>,
        signed: &Signed,
        offered: &Offered,
        keys: &KeyPair,
    ) -> Result<Which, AppError> {
        let core = &self.0;
        let wanted = session.record().wanted.clone();
        let team = signed.teams.iter().find(|t| t.may_ask).ok_or_else(|| {
            AppError::new(ErrorCode::Forbidden, "none of your teams may ask for access on this hub")
                .hint("Ask an admin to add you to a team's group.")
        })?;
        let mut ask = Ask {
            team: team.name.clone(),
            user: signed.who.user.clone(),
            groups: signed.who.groups.clone(),
            cluster: wanted.cluster.clone(),
            profile: wanted.profile.clone(),
            revision: offered.profile.revision.clone(),
            scope: wanted.scope.clone(),
            duration: wanted.duration,
            reason: wanted.reason.clone(),
            public_key: keys.public_key_base64(),
            sign_in: SignInEvidence::default(),
        };
        core.note_before_asking(&ask, &signed.hub_url).await?;
        let name = request_name(&ask.public_key);
        let mut stepped_up = None;
        loop {
            session.may_be_asked_as(ask.team.clone(), name.clone());
            session.record().begin(StepKind::Asked);
            let again = core.signed_in_again.notified();
            ask.sign_in = core.sign_in_evidence(signed).await;
            match signed.hub.ask(&ask).await {
                Ok(request) => {
                    let which = Which::of(&request).map_err(crate::faults::of_hub)?;
                    // First of all: from here on it has to be withdrawn, whatever comes in between.
                    session.which.send_replace(Some(which.clone()));
                    let mut draft = core
                        .draft(Action::Ask, session)
                        .request(&which.uid)
                        .detail("profile", wanted.profile.as_str());
                    draft = draft
                        .detail("duration", wanted.duration.to_string())
                        .detail("reason", &wanted.reason);
                    core.recorder.note(draft.detail("namespaces", wanted.scope.to_string())).await;
                    let now = core.signed().unwrap_or_else(|_| signed.clone());
                    {
                        let mut record = session.record();
                        record.request = Some(which.uid.clone());
                        record.done(StepKind::SignedIn, how_signed_in(&now));
                        record.done(
                            StepKind::Asked,
                            format!("{} · {} · {}", wanted.profile, wanted.scope, wanted.duration),
                        );
                        record.begin(StepKind::Approved);
                    }
                    core.tell_session(session);
                    return Ok(which);
                }
                Err(refused) => {
                    // An answer that says no made nothing; no answer may have.
                    let made_nothing = !matches!(refused, Refused::Fault(_));
                    if made_nothing {
                        session.was_not_asked();
                    }
                    let error = of_refused(refused);
                    let draft = core
                        .draft(Action::Ask, session)
                        .outcome(Outcome::Refused)
                        .detail("why", error.message());
                    core.recorder.note(draft.detail("profile", wanted.profile.as_str())).await;
                    if error.code() != ErrorCode::StepUpNeeded {
                        if made_nothing {
                            core.forget_note(&name).await;
                        }
                        return Err(error);
                    }
                    // One step-up is enough: what it did not bring, another one will not.
                    let proven = core.shared().step_ups;
                    if stepped_up.is_some_and(|before| before < proven) {
                        core.forget_note(&name).await;
                        return Err(still_wanted(&error, &core.signed().unwrap_or_else(|_| signed.clone())));
                    }
                    stepped_up = Some(proven);
                    session.record().error = Some(error.view());
                    core.tell_session(session);
                    tokio::select! {
                        () = again => {
                            if let Some(failed) = core.shared().no_step_up.clone() {
                                let error = AppError::failed(failed.message);
                                return Err(error.hint(failed.hint.unwrap_or_default()));
                            }
                            session.record().error = None;
                        }
                        () = session.cancel.cancelled() => return Err(cancelled()),
                        () = tokio::time::sleep(STEP_UP) => return Err(error),
                    }
                }
            }
        }
    }

    async fn opening_failed(&self, session: &Arc<Session>, error: AppError) {
        let core = &self.0;
        tracing::warn!(session = %session.id, code = ?error.code(), "{}", error.chain());
        let left = error.code() == ErrorCode::Cancelled;
        session.record().fail(error.view());
        let draft =
            core.draft(Action::SessionOpen, session).outcome(Outcome::Failed).detail("why", error.message());
        core.recorder.note(draft).await;
        let word = session.closed_by_broker.borrow().clone();
        let reason =
            word.as_ref().map_or(if left { EndReason::Left } else { EndReason::Failed }, |w| w.reason);
        let by = word.as_ref().and_then(|w| w.by.clone());
        self.close(session, reason, CutReason::Failed, by.as_deref(), Some(error.message())).await;
    }

    async fn remember(&self, session: &Session) {
        let (cluster, opening, reason) = {
            let record = session.record();
            let w = &record.wanted;
            let at = Timestamp::now().as_second();
            let opening =
                Opening { profile: w.profile.clone(), scope: w.scope.clone(), duration: w.duration, at };
            (w.cluster.clone(), opening, Reason { text: w.reason.clone(), at })
        };
        let prefs = &self.0.prefs;
        let at = opening.at;
        let kept = [
            prefs.remember_opening(cluster.clone(), opening).await,
            prefs.visited(cluster, at).await,
            if reason.text.is_empty() { Ok(()) } else { prefs.remember_reason(reason).await },
        ];
        for error in kept.into_iter().filter_map(Result::err) {
            tracing::warn!(error = &error as &dyn std::error::Error, "this opening was not remembered");
        }
    }
}

impl Core {
    /// What a request says of the sign-in: the hub's word for it. Asked for again only where the ID token has become
    /// another since the hub was asked, as a refresh may make it.
    async fn sign_in_evidence(&self, signed: &Signed) -> SignInEvidence {
        let now = self.signed().unwrap_or_else(|_| signed.clone());
        let who = &now.who;
        let known = SignInEvidence::of(&who.acr, &who.amr, who.auth_time);
        let token = now
            .tokens
            .claims()
            .map(|c| SignInEvidence::of(c.acr.as_slice(), &c.amr, c.auth_time.map(Timestamp::as_second)));
        if token.as_ref() == Some(&known) {
            return known;
        }
        // A hub that does not answer says so to the ask itself.
        now.hub.whoami().await.map_or(known, |who| who.sign_in())
    }

    /// A draft with everything a session's entries join on.
    pub(crate) fn draft(&self, action: Action, session: &Session) -> Draft {
        let record = session.record();
        let mut draft = Draft::new(action)
            .session(&session.id)
            .cluster(&record.wanted.cluster)
            .user(&session.signed.who.user);
        if let Some(request) = &record.request {
            draft = draft.request(request);
        }
        if let Some(grant) = &record.grant {
            draft = draft.grant(grant);
        }
        if let Some(jti) = &record.jti {
            draft = draft.jti(jti);
        }
        draft
    }
}

fn no_session() -> AppError {
    AppError::new(ErrorCode::SessionClosed, "there is no such session")
        .hint("It may have been closed already.")
}

pub(crate) fn cancelled() -> AppError {
    AppError::new(ErrorCode::Cancelled, "the opening was cancelled")
}

/// The hub asks for a step-up again right after one.
fn still_wanted(error: &AppError, signed: &Signed) -> AppError {
    let said = |words: &[String]| if words.is_empty() { "none".to_owned() } else { words.join(" + ") };
    AppError::failed(format!("{}, though you have just done so", error.message())).hint(format!(
        "Repeating it will not help. Your sign-in says acr {} and amr {}; ask your admin what the profile wants and what \
         the identity provider gives.",
        said(&signed.who.acr),
        said(&signed.who.amr)
    ))
}

pub(crate) fn how_signed_in(signed: &Signed) -> String {
    let amr: Vec<&str> =
        signed.who.amr.iter().map(String::as_str).filter(|method| !method.is_empty()).collect();
    let at = signed.who.auth_time.filter(|t| *t > 0).and_then(|t| Timestamp::from_second(t).ok());
    match (amr.join(" + "), at) {
        (amr, Some(at)) if !amr.is_empty() => format!("{amr}, {}", at.strftime("%H:%M UTC")),
        (_, Some(at)) => at.strftime("%H:%M UTC").to_string(),
        (amr, None) if !amr.is_empty() => amr,
        (_, None) => "the provider does not say how".to_owned(),
    }
}
