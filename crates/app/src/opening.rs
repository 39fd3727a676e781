//! Opening a session: one click to the first answered call.

use crate::core::{App, Core, Signed, now_ms};
use crate::error::AppError;
use crate::faults::of_refused;
use crate::inventory::{Inventory, Offered};
use crate::session::{BrokerWord, Held, Session};
use crate::session_record::{SessionRecord, Wanted};
use futures::{Stream, StreamExt as _};
use jiff::Timestamp;
use sallyport_api::{AccessRequest, CONDITION_ENDED};
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_client::{Credential, Endpoint, Timeouts, connect};
use sallyport_gateway::{CutReason, Opened, Upstream};
use sallyport_hub::seal::{Aad, KeyPair, Sealed};
use sallyport_hub::{Ask, Change, Which, request_name};
use sallyport_ipc::{Event, OpenInput, SessionView, StepKind};
use sallyport_model::{
    ClusterName, EndReason, ErrorCode, GrantUid, Phase, ProfileName, RequestUid, Scope, Secret, SessionEvent,
    SessionId, SessionState, Ttl,
};
use sallyport_policy::{SessionFacts, SessionPermit, admit_session};
use sallyport_provision::{Dialer, Witness};
use sallyport_store::{OpenSession, Opening, Reason};
use sallyport_terminal::{KubeconfigSpec, PrivateKubeconfig};
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How long a request that needs nobody may wait for its broker.
const BROKER: Duration = Duration::from_secs(30);
/// How long a step-up may take before the opening is given up.
const STEP_UP: Duration = Duration::from_secs(600);
/// One hour, unless the profile says less or the person said otherwise.
const USUAL: Ttl = Ttl::minutes(60);

type Changes = Pin<Box<dyn Stream<Item = Change<AccessRequest>> + Send>>;

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
            let session =
                Arc::new(Session::new(SessionRecord::new(id.clone(), wanted), core.stop.child_token()));
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
        self.0.session(&id).ok_or_else(no_session)?.cancel.cancel();
        Ok(())
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

    /// A session's whole life: opening, being open, and handing over to its closing.
    async fn run(&self, session: Arc<Session>, signed: Signed, offered: Offered) {
        let keys = KeyPair::generate();
        match self.open(&session, &signed, &offered, &keys).await {
            Ok((changes, opened)) => {
                self.clone().watch_while_open(session, changes, opened).await;
            }
            Err(error) => self.opening_failed(&session, error).await,
        }
        self.0.clusters_changed.notify_one();
    }

    async fn open(
        &self,
        session: &Arc<Session>,
        signed: &Signed,
        offered: &Offered,
        keys: &KeyPair,
    ) -> Result<(Changes, Opened), AppError> {
        let core = &self.0;
        session.record().begin(StepKind::SignedIn);
        signed.tokens.id_token().await.map_err(crate::faults::of_oidc)?;
        let which = self.ask(session, signed, offered, keys).await?;
        let mut changes: Changes = Box::pin(signed.hub.watch_request(&which));
        let request = self.until_active(session, &mut changes, offered).await?;
        let (sealed, permit) = core.unseal(session, &request, &which, keys)?;
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
        let ask = Ask {
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
        };
        core.note_before_asking(&ask).await?;
        loop {
            session.record().begin(StepKind::Asked);
            let again = core.signed_in_again.notified();
            match signed.hub.ask(&ask).await {
                Ok(request) => {
                    let which = Which::of(&request).map_err(crate::faults::of_hub)?;
                    let mut draft = core
                        .draft(Action::Ask, session)
                        .request(&which.uid)
                        .detail("profile", wanted.profile.as_str());
                    draft = draft
                        .detail("duration", wanted.duration.to_string())
                        .detail("reason", &wanted.reason);
                    core.recorder.note(draft.detail("namespaces", wanted.scope.to_string())).await;
                    {
                        let mut record = session.record();
                        record.request = Some(which.uid.clone());
                        record.done(StepKind::SignedIn, how_signed_in(&core.signed()?));
                        record.done(
                            StepKind::Asked,
                            format!("{} · {} · {}", wanted.profile, wanted.scope, wanted.duration),
                        );
                        record.begin(StepKind::Approved);
                    }
                    session.which.send_replace(Some(which.clone()));
                    core.tell_session(session);
                    return Ok(which);
                }
                Err(refused) => {
                    let error = of_refused(refused);
                    let draft = core
                        .draft(Action::Ask, session)
                        .outcome(Outcome::Refused)
                        .detail("why", error.message());
                    core.recorder.note(draft.detail("profile", wanted.profile.as_str())).await;
                    if error.code() != ErrorCode::StepUpNeeded {
                        return Err(error);
                    }
                    session.record().error = Some(error.view());
                    core.tell_session(session);
                    tokio::select! {
                        () = again => session.record().error = None,
                        () = session.cancel.cancelled() => return Err(cancelled()),
                        () = tokio::time::sleep(STEP_UP) => return Err(error),
                    }
                }
            }
        }
    }

    /// Follows the request until the broker has sealed a token, showing each step.
    async fn until_active(
        &self,
        session: &Arc<Session>,
        changes: &mut Changes,
        offered: &Offered,
    ) -> Result<AccessRequest, AppError> {
        let core = &self.0;
        let patience = if offered.profile.approvals == 0 { BROKER } else { Duration::from_secs(24 * 3600) };
        let deadline = tokio::time::sleep(patience);
        tokio::pin!(deadline);
        let mut told = Told::default();
        loop {
            let change = tokio::select! {
                change = changes.next() => change,
                () = session.cancel.cancelled() => return Err(cancelled()),
                () = &mut deadline => return Err(silent_broker(&session.record().wanted.cluster)),
            };
            for request in objects(change.ok_or_else(|| AppError::failed("the hub's watch ended"))?, core)? {
                core.show_progress(session, &request, &mut told).await;
                match request.phase() {
                    Phase::Closed => return Err(refused_by_broker(session, &request)),
                    Phase::Active if credential(&request).is_some() => return Ok(request),
                    _ => {}
                }
            }
        }
    }

    /// Starts the gateway for the session, writes its kubeconfig, and makes the first call through it.
    async fn serve(
        &self,
        session: &Arc<Session>,
        request: &AccessRequest,
        sealed: Sealed,
        permit: &SessionPermit,
    ) -> Result<Opened, AppError> {
        let core = &self.0;
        let cluster = permit.cluster().clone();
        let bad = |what: &str| {
            AppError::failed(format!("what the broker of {cluster} sealed can't be used: {what}"))
                .hint("Tell your admin.")
        };
        let upstream = Upstream {
            cluster: cluster.clone(),
            endpoint: sealed.endpoint.parse().map_err(|_| bad("its endpoint is no URL"))?,
            ca_pem: sealed.ca_bundle.clone(),
            tls_server_name: sealed.tls_server_name.clone(),
            token: sealed.token.clone(),
            jti: sealed.jti.clone(),
            user: permit.user().clone(),
            allow_impersonation: false,
            now: core.hub_now(),
        };
        let opened = core
            .gateway
            .open(permit, upstream, core.calls.clone())
            .map_err(|e| AppError::failed("the gateway could not open the session").because(e))?;
        let scope = session.record().wanted.scope.clone();
        let rules = request
            .status
            .as_ref()
            .and_then(|s| s.offer.as_ref())
            .map(|o| o.rules.clone())
            .unwrap_or_default();
        let paths = Witness::candidates(&rules, &scope);
        let spec = kubeconfig_spec(&opened, &cluster, &scope, permit.user().as_str());
        let runtime = core.dirs.runtime.clone();
        let kubeconfig = tokio::task::spawn_blocking(move || PrivateKubeconfig::write(&runtime, &spec))
            .await
            .map_err(|e| AppError::failed("the private kubeconfig could not be written").because(e))?
            .map_err(|e| {
                AppError::failed("the private kubeconfig could not be written")
                    .hint("Check the runtime directory and its disk.")
                    .because(e)
            })?;
        let dialer = Dialer::new(&sallyport_provision::Endpoint {
            url: sealed.endpoint,
            ca_bundle: sealed.ca_bundle,
            tls_server_name: sealed.tls_server_name,
        })
        .map_err(|e| bad("its endpoint can't be called").because(e))?;
        *session.held() = Some(Held {
            token: sealed.token,
            dialer,
            paths: paths.clone(),
            witness: None,
            kubeconfig: Some(kubeconfig),
        });
        self.first_call(session, &opened, &paths, permit).await?;
        Ok(opened)
    }

    async fn first_call(
        &self,
        session: &Arc<Session>,
        opened: &Opened,
        paths: &[String],
        permit: &SessionPermit,
    ) -> Result<(), AppError> {
        let core = &self.0;
        let started = Instant::now();
        let path = paths.first().map_or("/version", String::as_str);
        let status = through_gateway(opened, path, core.options.deadline).await?;
        let took = {
            let mut record = session.record();
            if !record.apply(SessionEvent::Ready) {
                return Err(cancelled());
            }
            record.done(StepKind::Ready, format!("first call answered {status}"));
            let left = permit.end() - core.hub_now();
            record.deadline =
                Instant::now().checked_add(Duration::from_secs(u64::try_from(left).unwrap_or_default()));
            record.opened()
        };
        core.tell_session(session);
        let ms = started.elapsed().as_millis() as u64;
        core.recorder
            .note(
                core.draft(Action::Ready, session)
                    .detail("status", status)
                    .detail("path", path)
                    .detail("ms", ms),
            )
            .await;
        let click = took.as_millis() as u64;
        core.recorder.note(core.draft(Action::SessionOpen, session).detail("ms", click)).await;
        self.clone().find_witness(session.clone());
        Ok(())
    }

    /// Looks in the background for a call that is allowed: only what was seen to be allowed can be seen to be refused.
    fn find_witness(self, session: Arc<Session>) {
        tokio::spawn(async move {
            let Some((dialer, token, paths)) =
                session.held().as_ref().map(|h| (h.dialer.clone(), h.token.clone(), h.paths.clone()))
            else {
                return;
            };
            match Witness::find(&dialer, &token, &paths, self.0.options.deadline).await {
                Ok(witness) => {
                    if let Some(held) = session.held().as_mut() {
                        held.witness = Some(witness);
                    }
                }
                Err(why) => tracing::warn!(session = %session.id, "no call to prove the end with: {why}"),
            }
        });
    }

    /// While it is open: revoked or closed by the broker, ended by the gateway's clock, or left.
    async fn watch_while_open(self, session: Arc<Session>, mut changes: Changes, opened: Opened) {
        let mut cut = opened.cut;
        loop {
            tokio::select! {
                change = changes.next() => {
                    let Some(change) = change else { return };
                    for request in objects(change, &self.0).unwrap_or_default() {
                        let revoked = request.status.as_ref().and_then(|s| s.revocation.clone());
                        if request.phase() == Phase::Closed {
                            let word = broker_word(&request);
                            session.closed_by_broker.send_replace(Some(word.clone()));
                            let why = if word.reason == EndReason::Expired { CutReason::Expired } else { CutReason::Revoked };
                            self.close(&session, word.reason, why, word.by.as_deref(), Some(&word.message)).await;
                            return;
                        }
                        if let Some(revocation) = revoked {
                            let (app, session) = (self.clone(), session.clone());
                            // The cut must not wait for the broker, and the watch goes on for its word.
                            tokio::spawn(async move {
                                app.close(&session, EndReason::Revoked, CutReason::Revoked, Some(&revocation.by), Some(&revocation.reason)).await;
                            });
                        }
                    }
                }
                () = session.cancel.cancelled(), if session.state() == SessionState::Open => {
                    let (app, session) = (self.clone(), session.clone());
                    tokio::spawn(async move { app.close(&session, EndReason::Left, CutReason::Left, None, None).await });
                }
                report = &mut cut, if session.state() == SessionState::Open => {
                    if report.is_ok_and(|r| r.reason == CutReason::Expired) {
                        let (app, session) = (self.clone(), session.clone());
                        tokio::spawn(async move { app.close(&session, EndReason::Expired, CutReason::Expired, None, None).await });
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
    /// The session that is opening or open on a cluster, under one profile or any.
    fn open_on(&self, cluster: &ClusterName, profile: Option<&ProfileName>) -> Option<Arc<Session>> {
        self.all_sessions().into_iter().find(|s| is_open_on(s, cluster, profile))
    }

    /// The profile a click means.
    fn choose(
        &self,
        cluster: &ClusterName,
        input: &OpenInput,
        last: Option<&Opening>,
    ) -> Result<Offered, AppError> {
        let inventory = self.inventory.read().unwrap_or_else(PoisonError::into_inner);
        if !inventory.clusters.contains_key(cluster.as_str()) {
            return Err(AppError::new(ErrorCode::BadInput, format!("the hub knows no cluster {cluster}"))
                .hint("It may have been removed; look at the list again."));
        }
        let offered = inventory.offered(cluster).ok_or_else(|| {
            AppError::new(ErrorCode::HubUnreachable, "the hub has not said yet what you may ask for")
                .hint("Try again in a moment.")
                .retry()
        })?;
        let last = last.map(crate::clusters::last_view);
        let found = match &input.profile {
            Some(name) => offered.iter().find(|o| o.profile.name.as_str() == name),
            None => Inventory::chosen(&offered, last.as_ref()),
        };
        found.cloned().ok_or_else(|| {
            AppError::new(ErrorCode::Forbidden, format!("you have no profile that opens {cluster}"))
                .hint("Ask an admin which group you need.")
        })
    }

    /// Namespaces, duration and reason: as given, else as last time, else all the profile names and 1 h.
    async fn wanted(
        &self,
        cluster: &ClusterName,
        input: &OpenInput,
        offered: &Offered,
        last: Option<&Opening>,
    ) -> Result<Wanted, AppError> {
        let profile = &offered.profile;
        let bad = |what: String| AppError::new(ErrorCode::BadInput, what);
        let last = last.filter(|l| l.profile == profile.name);
        let scope = match &input.namespaces {
            Some(names) => {
                let names: Result<Vec<_>, sallyport_model::NameError> =
                    names.iter().map(|n| n.parse()).collect();
                Scope::from_list(names.map_err(|e| bad(e.to_string()))?)
            }
            None => last
                .map(|l| l.scope.clone())
                .filter(|s| s.within(&profile.scope))
                .unwrap_or_else(|| profile.scope.clone()),
        };
        if !scope.within(&profile.scope) {
            return Err(bad(format!("{} allows only {}", profile.name, profile.scope)));
        }
        let asked = input.duration_seconds.map(|s| Ttl::seconds(s.into())).or(last.map(|l| l.duration));
        let duration = asked.unwrap_or(USUAL).min(profile.max_duration).max(Ttl::SHORTEST);
        let carried = self.prefs.last_reason(Timestamp::now().as_second()).await.ok().flatten();
        let given = input.reason.as_deref().map(str::trim).filter(|r| !r.is_empty()).map(str::to_owned);
        let reason = given.or(carried.map(|r| r.text)).unwrap_or_default();
        if reason.is_empty() && profile.reason_required {
            return Err(AppError::new(ErrorCode::ReasonNeeded, "say why, in a few words")
                .hint("It is carried for 8 hours."));
        }
        if reason.chars().count() > 1024 {
            return Err(bad("the reason is longer than 1024 characters".into()));
        }
        let inventory = self.inventory.read().unwrap_or_else(PoisonError::into_inner);
        let environment =
            inventory.clusters.get(cluster.as_str()).map(|c| c.spec.environment.clone()).unwrap_or_default();
        Ok(Wanted {
            cluster: cluster.clone(),
            environment,
            profile: profile.name.clone(),
            scope,
            duration,
            reason,
        })
    }

    /// Written down before anything exists, so that the next start finds whatever a crash leaves (promise P14).
    async fn note_before_asking(&self, ask: &Ask) -> Result<(), AppError> {
        let name = request_name(&ask.public_key);
        let noted = OpenSession {
            request: RequestUid::new(name.clone()),
            namespace: ask.team.clone(),
            name,
            cluster: ask.cluster.clone(),
            kubeconfig: self.dirs.runtime.clone(),
            solo: false,
            end: None,
            opened_at: now_ms() / 1000,
        };
        self.prefs.note_session(noted).await.map_err(|e| {
            AppError::failed("the session could not be written down, so nothing was asked")
                .hint("Check that the disk is not full.")
                .because(e)
        })
    }

    /// Opens the seal: what was asked, what the hub recorded and what the broker sealed must agree.
    fn unseal(
        &self,
        session: &Session,
        request: &AccessRequest,
        which: &Which,
        keys: &KeyPair,
    ) -> Result<(Sealed, SessionPermit), AppError> {
        let signed = self.signed()?;
        let grant = request.status.as_ref().and_then(|s| s.grant.as_ref());
        let grant = grant.ok_or_else(|| {
            AppError::failed("the hub records no grant for this session").hint("Tell your admin.")
        })?;
        let recorded_end = grant.end.0.as_second();
        let uid = GrantUid::new(grant.uid.clone());
        let user = request.spec.user.parse().map_err(|e: sallyport_model::NameError| {
            AppError::failed("the request names no proper user").because(e)
        })?;
        let aad = Aad { user, request: which.uid.clone(), grant: uid.clone(), end: recorded_end };
        let sealed =
            sallyport_hub::seal::open(keys, &aad, credential(request).unwrap_or_default()).map_err(|e| {
                AppError::failed("the token was not sealed for this session")
                    .hint("Try again; if it stays so, tell your admin: someone may be in between.")
                    .because(e)
            })?;
        let mut record = session.record();
        let facts = SessionFacts {
            session: session.id.clone(),
            signed_in: signed.who.user,
            user: aad.user,
            cluster: record.wanted.cluster.clone(),
            request: which.uid.clone(),
            scope: record.wanted.scope.clone(),
            duration: record.wanted.duration,
            grant: uid.clone(),
            recorded_end,
            sealed_end: sealed.end,
            endpoint: sealed.endpoint.clone(),
            now: self.hub_now(),
        };
        let permit =
            admit_session(facts).map_err(|r| AppError::failed(r.message).hint("Tell your admin."))?;
        record.grant = Some(uid);
        record.jti = Some(sealed.jti.clone());
        record.end = Some(recorded_end);
        Ok((sealed, permit))
    }

    /// A draft with everything a session's entries join on.
    pub(crate) fn draft(&self, action: Action, session: &Session) -> Draft {
        let user = self.shared().signed.as_ref().map(|s| s.who.user.clone());
        let record = session.record();
        let mut draft = Draft::new(action).session(&session.id).cluster(&record.wanted.cluster);
        if let Some(user) = &user {
            draft = draft.user(user);
        }
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

    /// Turns what the hub says of a request into steps and entries, each once.
    async fn show_progress(&self, session: &Session, request: &AccessRequest, told: &mut Told) {
        let Some(status) = &request.status else { return };
        if let Some(offer) = status.offer.as_ref().filter(|_| !std::mem::replace(&mut told.offer, true)) {
            let draft = self
                .draft(Action::Offer, session)
                .detail("digest", &offer.digest)
                .detail("rules", offer.rules.len());
            self.recorder.note(draft).await;
        }
        let phase = request.phase();
        if matches!(phase, Phase::Approved | Phase::Active) && !std::mem::replace(&mut told.approved, true) {
            let by = approved_by(request);
            session.record().done(StepKind::Approved, &by);
            session.record().begin(StepKind::Granted);
            self.recorder.note(self.draft(Action::Approved, session).detail("by", &by)).await;
        }
        if phase == Phase::Active && !std::mem::replace(&mut told.granted, true) {
            let account = status.grant.as_ref().map(|g| g.account.clone()).unwrap_or_default();
            {
                let mut record = session.record();
                record.grant = status.grant.as_ref().map(|g| GrantUid::new(g.uid.clone()));
                record.done(StepKind::Granted, &account);
                record.begin(StepKind::Ready);
            }
            self.recorder.note(self.draft(Action::Granted, session).detail("account", &account)).await;
        }
        self.tell_session(session);
    }
}

/// What was told already.
#[derive(Default)]
struct Told {
    offer: bool,
    approved: bool,
    granted: bool,
}

fn is_open_on(session: &Session, cluster: &ClusterName, profile: Option<&ProfileName>) -> bool {
    let record = session.record();
    record.wanted.cluster == *cluster
        && profile.is_none_or(|p| record.wanted.profile == *p)
        && matches!(record.state, SessionState::Opening | SessionState::Open)
}

fn no_session() -> AppError {
    AppError::new(ErrorCode::SessionClosed, "there is no such session")
        .hint("It may have been closed already.")
}

fn cancelled() -> AppError {
    AppError::new(ErrorCode::Cancelled, "the opening was cancelled")
}

fn silent_broker(cluster: &ClusterName) -> AppError {
    AppError::new(
        ErrorCode::TimedOut,
        format!("the broker of {cluster} did not answer within {} s", BROKER.as_secs()),
    )
    .hint("The request was taken back. Try again, or tell your admin that the broker is silent.")
    .retry()
}

fn refused_by_broker(session: &Session, request: &AccessRequest) -> AppError {
    let word = broker_word(request);
    session.closed_by_broker.send_replace(Some(word.clone()));
    let code = if word.reason == EndReason::Denied { ErrorCode::Forbidden } else { ErrorCode::Failed };
    let error = AppError::new(code, word.message);
    if word.reason == EndReason::Failed {
        error.hint("Try again; if it stays so, tell your admin.").retry()
    } else {
        error
    }
}

/// Why and by whom a request is over, as the broker wrote it.
pub(crate) fn broker_word(request: &AccessRequest) -> BrokerWord {
    let status = request.status.clone().unwrap_or_default();
    let ended = status.conditions.iter().find(|c| c.type_ == CONDITION_ENDED);
    let reason = match ended.map(|c| c.reason.as_str()) {
        Some("Left") => EndReason::Left,
        Some("Expired") => EndReason::Expired,
        Some("Revoked") => EndReason::Revoked,
        Some("Denied") => EndReason::Denied,
        Some("Unanswered") => EndReason::Unanswered,
        _ => EndReason::Failed,
    };
    let said = ended.map(|c| c.message.clone()).filter(|m| !m.is_empty()).or(status.message);
    BrokerWord {
        reason,
        message: said.unwrap_or_else(|| "the broker closed it".to_owned()),
        by: status.revocation.map(|r| r.by).or(status.denial.map(|d| d.by)),
    }
}

fn approved_by(request: &AccessRequest) -> String {
    let names: Vec<&str> = request
        .status
        .as_ref()
        .map(|s| s.approvals.iter().map(|a| a.by.as_str()).collect())
        .unwrap_or_default();
    if names.is_empty() { "by rule: no approval needed".into() } else { format!("by {}", names.join(", ")) }
}

fn how_signed_in(signed: &Signed) -> String {
    match signed.who.auth_time.and_then(|t| Timestamp::from_second(t).ok()) {
        Some(at) => format!("{}, {}", signed.who.amr.join(" + "), at.strftime("%H:%M UTC")),
        None => "by certificate".to_owned(),
    }
}

fn credential(request: &AccessRequest) -> Option<&str> {
    request.status.as_ref().and_then(|s| s.credential.as_deref()).filter(|c| !c.is_empty())
}

/// The objects a change brings, and the hub's state on the way.
fn objects(change: Change<AccessRequest>, core: &Core) -> Result<Vec<AccessRequest>, AppError> {
    match change {
        Change::All { objects, .. } => Ok(objects),
        Change::Put(object) => Ok(vec![object]),
        Change::Malformed(what, _) => Err(AppError::failed(what.to_string()).hint("Tell your admin.")),
        Change::Deleted(_) => Err(AppError::failed("the request was deleted on the hub").hint("Ask again.")),
        Change::Trouble(fault) => {
            core.hub_is(sallyport_ipc::HubLink::Down, Some(fault.to_string()));
            Ok(Vec::new())
        }
    }
}

fn kubeconfig_spec(opened: &Opened, cluster: &ClusterName, scope: &Scope, user: &str) -> KubeconfigSpec {
    KubeconfigSpec {
        server: opened.server_url.clone(),
        ca_pem: opened.ca_pem.clone(),
        client_cert_pem: opened.client_cert_pem.clone(),
        client_key_pem: opened.client_key_pem.clone(),
        cluster: cluster.clone(),
        namespace: scope.to_list().into_iter().next(),
        user: user.to_owned(),
    }
}

/// One GET through the gateway, as a tool in the terminal would make it.
async fn through_gateway(opened: &Opened, path: &str, deadline: Duration) -> Result<u16, AppError> {
    let wrong = |e: Box<dyn std::error::Error + Send + Sync>| {
        AppError::failed("the session's own gateway can't be called").because(e)
    };
    let endpoint =
        Endpoint::parse(&opened.server_url, Some(&opened.ca_pem), None).map_err(|e| wrong(e.into()))?;
    let identity = Credential::Certificate {
        chain: opened.client_cert_pem.clone(),
        key: Secret::new(opened.client_key_pem.expose().clone()),
    };
    let client = connect(&endpoint, identity, Timeouts::both(deadline)).map_err(|e| wrong(e.into()))?;
    let request = http::Request::get(path).body(Vec::new()).map_err(|e| wrong(e.into()))?;
    let failed = |code, why: String| {
        AppError::new(code, format!("the first call was not answered: {why}"))
            .hint("The session was taken back; try again.")
            .retry()
    };
    match tokio::time::timeout(deadline, client.request_text(request)).await {
        Ok(Ok(_)) => Ok(200),
        Ok(Err(kube::Error::Api(status))) if status.code == 404 => Ok(404),
        Ok(Err(error)) => {
            Err(failed(ErrorCode::ClusterUnreachable, sallyport_client::fault(&error).to_string())
                .because(error))
        }
        Err(_) => Err(failed(ErrorCode::TimedOut, format!("nothing came within {} s", deadline.as_secs()))),
    }
}
