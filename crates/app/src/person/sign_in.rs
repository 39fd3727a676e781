//! Signing in: the provider, the vault, the hub's own word for who this is.

use super::faults::{is_for_good, no_auth_time, no_team, of_hub, of_oidc, unauthorized};
use super::notes::Learned;
use super::ports::{Finished, Tokens};
use super::refresh_token;
use super::seat::Attempt;
use super::signed::{Signed, SignedInAs};
use super::workspace::Workspace;
use super::{Person, WorkspaceId, not_signed_in};
use crate::desk::{AppError, now_ms};
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_client::{Endpoint, Fault};
use sallyport_ipc::{HubLink, SignInStep, StepUp};
use sallyport_model::ErrorCode;
use sallyport_oidc::{Ask, ProviderConfig, SignedOut};
use std::sync::Arc;
use std::time::Duration;

/// How long a person may take in the browser.
const PERSON: Duration = Duration::from_secs(600);

impl Workspace {
    /// The hub's endpoint.
    pub(super) fn endpoint(&self) -> Result<Endpoint, AppError> {
        Endpoint::parse(self.hub.url.as_str(), Some(&self.hub.ca), None)
            .map_err(|e| AppError::new(ErrorCode::BadInput, "the workspace's hub can't be used").because(e))
    }
}

impl Person {
    /// Signs in through the person's browser; with `step`, again and stronger. Ends when the hub has said who this is.
    ///
    /// # Errors
    /// Everything between here and there, each with what to do next. A sign-in that is under way is left alone.
    pub(crate) async fn sign_in(&self, step: Option<StepUp>) -> Result<(), AppError> {
        let workspace = self
            .workspace()
            .ok_or_else(|| AppError::failed("no team was joined yet").hint("Join a team first."))?;
        let attempt = self.begin(&workspace.id(), SignInStep::Preparing, step.as_ref())?;
        let done = self.sign_in_until(&workspace, step.as_ref(), &attempt).await;
        self.note_sign_in(&workspace.id(), step.is_some(), &done).await;
        let failed = done.as_ref().err().filter(|error| error.code() != ErrorCode::Cancelled);
        self.at(&workspace.id(), |seat| {
            seat.over(&attempt, failed.map(AppError::view));
            match &done {
                Ok(()) => seat.tell(|told| told.step_ups += u64::from(step.is_some())),
                // Openings that wait for it would wait in vain.
                Err(error) if step.is_some() && is_for_good(error) => {
                    seat.tell(|told| told.in_vain = Some(error.view()));
                }
                Err(_) => {}
            }
        });
        self.desk.changed();
        if done.is_ok() && step.is_none() {
            self.probe_hub(&workspace.id()).await;
        }
        done
    }

    /// One sign-in at a time.
    fn begin(
        &self,
        workspace: &WorkspaceId,
        at: SignInStep,
        step: Option<&StepUp>,
    ) -> Result<Attempt, AppError> {
        let given_up = self.desk.stop.child_token();
        let begun = self.at(workspace, |seat| seat.begin(given_up, at, step, now_ms())).flatten();
        self.desk.changed();
        begun.ok_or_else(|| AppError::new(ErrorCode::Cancelled, "a sign-in is under way already"))
    }

    /// Ends a sign-in under way.
    ///
    /// # Errors
    /// None.
    pub(crate) async fn give_up(&self) -> Result<(), AppError> {
        if let Some(seat) = self.seats().front() {
            seat.give_up();
        }
        Ok(())
    }

    async fn sign_in_until(
        &self,
        workspace: &Workspace,
        step: Option<&StepUp>,
        attempt: &Attempt,
    ) -> Result<(), AppError> {
        let (desk, id) = (&self.desk, workspace.id());
        let config = self.provider_config(workspace);
        let current = self.is_signed_in_at(&id).map(|s| s.tokens.clone());
        if current.is_some() && step.is_some_and(|s| s.max_age_seconds.is_some()) && self.has_no_auth_time() {
            return Err(no_auth_time());
        }
        let provider = match &current {
            Some(tokens) => tokens.provider(),
            None => self.ports.providers.discover(&config).await.map_err(of_oidc)?,
        };
        if current.is_none() {
            self.learned(&id, provider.learned());
        }
        let remembered = if step.is_none() { desk.sign_in_acr().await } else { Vec::new() };
        let asked = Ask { acr_values: remembered.clone(), ..Ask::default() };
        let asked = step.map_or(asked, ask);
        let pending = match &current {
            Some(tokens) => tokens.begin_again(asked).await,
            None => provider.begin(asked, refresh_token::persist(&self.ports.vault, &config)).await,
        };
        let pending = pending.map_err(of_oidc)?;
        if attempt.given_up.is_cancelled() {
            return Err(given_up());
        }
        desk.host.open_browser(pending.url())?;
        self.at_step(&id, attempt, SignInStep::Browser);
        let signed_in = pending.finish(PERSON, &attempt.given_up).await;
        // The provider may not offer it any more: the next try asks for nothing.
        let forget = signed_in.is_err() && step.is_none() && !remembered.is_empty();
        match step {
            Some(step) if signed_in.is_ok() => desk.remember_acr(&step.acr).await,
            None if forget => desk.remember_acr(&[]).await,
            _ => {}
        }
        let signed_in = signed_in.map_err(|error| match (forget, &error) {
            (true, sallyport_oidc::Error::MfaTooWeak { .. }) => {
                of_oidc(error).hint("Sign in again: it will not be asked for this time.")
            }
            _ => of_oidc(error),
        })?;
        self.at_step(&id, attempt, SignInStep::Checking);
        let learned = provider.learned().and(signed_in.claims());
        let (subject, person) = (signed_in.claims().subject.clone(), signed_in.claims().person());
        match current {
            Some(_) => {
                self.at_step(&id, attempt, SignInStep::Hub);
                let tokens = signed_in.take_over().await.map_err(of_oidc)?;
                self.learned(&id, learned);
                self.refresh_identity(&id, &*tokens).await?;
                self.probe_hub(&id).await;
            }
            None => {
                let signed_in = self.confirm_person(workspace, signed_in).await?;
                self.at_step(&id, attempt, SignInStep::Hub);
                self.learned(&id, learned);
                let tokens = signed_in.take_over().await.map_err(of_oidc)?;
                let connected = tokio::select! {
                    biased;
                    connected = self.connect(workspace, tokens.clone(), attempt) => connected,
                    () = attempt.given_up.cancelled() => Err(given_up()),
                };
                if let Err(error) = connected {
                    let is_given_up = attempt.given_up.is_cancelled();
                    if is_given_up || is_for_good(&error) {
                        given_back(&tokens.sign_out().await);
                    }
                    if is_given_up {
                        self.hub_is(&id, HubLink::Idle, None);
                        return Err(given_up());
                    }
                    return Err(error);
                }
            }
        }
        if let Err(error) = self.workspaces.remember_person(workspace, &subject, &person) {
            tracing::warn!("who signed in was not remembered: {}", error.chain());
        }
        Ok(())
    }

    /// Somebody else than last time is named first, and signs in when they do it again: whoever can reach the browser's
    /// answer could finish the sign-in as themselves, and the person would work on under another name.
    async fn confirm_person(
        &self,
        workspace: &Workspace,
        signed_in: Box<dyn Finished>,
    ) -> Result<Box<dyn Finished>, AppError> {
        let claims = signed_in.claims();
        let last = self.workspaces.last_person(workspace).filter(|last| last.subject != claims.subject);
        let Some(last) = last else {
            self.at(&workspace.id(), |seat| seat.is_same_person());
            return Ok(signed_in);
        };
        if self.at(&workspace.id(), |seat| seat.is_expected(&claims.subject)) == Some(true) {
            return Ok(signed_in);
        }
        let person = claims.person();
        given_back(&signed_in.give_back().await);
        Err(AppError::failed(format!(
            "you signed in as {person}, and the last sign-in here was {}",
            last.person
        ))
        .hint(format!("If you are {person}, sign in again. If not, choose your own account in the browser.")))
    }

    async fn note_sign_in(&self, workspace: &WorkspaceId, again: bool, done: &Result<(), AppError>) {
        let mut draft = Draft::new(if again { Action::StepUp } else { Action::SignIn });
        match done {
            Ok(()) => {
                if let Some(signed) = self.is_signed_in_at(workspace) {
                    draft = draft
                        .user(&signed.who.user)
                        .detail("amr", signed.who.amr.join("+"))
                        .detail("acr", signed.who.acr.join(" "))
                        .detail("auth_time", signed.who.auth_time.unwrap_or_default());
                }
            }
            Err(error) => draft = draft.outcome(Outcome::Failed).detail("why", error.message()),
        }
        self.history.note(draft).await;
    }

    /// Goes on with a stored sign-in, without a browser.
    pub(crate) async fn resume(&self) {
        let Some(workspace) = self.workspace() else { return };
        let id = workspace.id();
        let config = self.provider_config(&workspace);
        let kept = self.ports.vault.kept(&config.issuer, &config.client_id).await;
        let Some(kept) = kept else { return };
        // This one too can be given up.
        let Ok(attempt) = self.begin(&id, SignInStep::Hub, None) else { return };
        let resumed = async {
            let provider = self.ports.providers.discover(&config).await.map_err(of_oidc)?;
            self.learned(&id, provider.learned());
            let persist = refresh_token::persist(&self.ports.vault, &config);
            let tokens = provider.resume(&kept, persist).map_err(of_oidc)?;
            tokens.id_token().await.map_err(of_oidc)?;
            self.connect(&workspace, tokens, &attempt).await
        };
        let done: Result<(), AppError> = tokio::select! {
            done = resumed => done,
            () = attempt.given_up.cancelled() => {
                self.hub_is(&id, HubLink::Idle, None);
                Err(given_up())
            }
        };
        let is_done = done.is_ok();
        let mut draft = Draft::new(Action::TokenRefresh);
        if let Err(error) = &done {
            tracing::info!("the stored sign-in was not resumed: {}", error.chain());
            draft = draft.outcome(Outcome::Failed).detail("why", error.message());
        }
        self.history.note(draft).await;
        self.at(&id, |seat| seat.over(&attempt, None));
        self.desk.changed();
        if is_done {
            self.probe_hub(&id).await;
        }
    }

    /// Asks the hub who this is; then somebody is signed in, unless they gave it up meanwhile.
    async fn connect(
        &self,
        workspace: &Workspace,
        tokens: Arc<dyn Tokens>,
        attempt: &Attempt,
    ) -> Result<(), AppError> {
        let id = workspace.id();
        let side = self.ports.hubs.connect(workspace.endpoint()?, tokens.clone())?;
        self.hub_is(&id, HubLink::Connecting, None);
        let asked = async {
            self.read_hub_clock(&id, &*side).await;
            let identity = side.whoami().await.map_err(|fault| match fault {
                Fault::Unauthorized => {
                    let oidc = &workspace.oidc;
                    unauthorized(tokens.claims().as_ref(), &oidc.issuer, &oidc.client_id)
                }
                other => of_hub(other),
            })?;
            let teams = side.teams().await.map_err(|fault| match fault {
                // RBAC lets members of a team list the teams, and nobody else.
                Fault::Forbidden(_) => {
                    let left_out = self.at(&id, |seat| seat.learned.groups_left_out);
                    no_team(&identity.user, &identity.groups, left_out.unwrap_or_default())
                }
                other => of_hub(other),
            })?;
            Ok::<_, AppError>((identity, teams))
        };
        let (identity, teams) =
            asked.await.inspect_err(|e| self.hub_is(&id, HubLink::Down, Some(e.message().to_owned())))?;
        let who = |number| Signed {
            email: tokens.claims().and_then(|c| c.email),
            tokens,
            hub: side.hub(),
            side,
            workspace: id.clone(),
            who: identity.into(),
            teams,
            stop: self.desk.stop.child_token(),
            number,
        };
        if self.at(&id, |seat| seat.sit(attempt, who)) != Some(true) {
            self.hub_is(&id, HubLink::Idle, None);
            return Err(given_up());
        }
        self.has_sat();
        self.hub_is(&id, HubLink::Live, None);
        Ok(())
    }

    /// Looks whether the hub refuses a request in another's name (P12). What it does not answer is not known.
    async fn probe_hub(&self, workspace: &WorkspaceId) {
        let Some(signed) = self.is_signed_in_at(workspace) else { return };
        let Some(team) = signed.teams.iter().find(|team| team.may_ask) else { return };
        if let Some(refuses) = signed.side.refuses_another_name(&team.name).await {
            if !refuses {
                tracing::warn!("the hub let a request in another's name through, as a dry run");
            }
            self.at(workspace, |seat| seat.learned.takes_any_name = !refuses);
        }
    }

    /// After a step-up the same connection says who one is now.
    pub(super) async fn refresh_identity(
        &self,
        workspace: &WorkspaceId,
        tokens: &dyn Tokens,
    ) -> Result<(), AppError> {
        let signed = self.is_signed_in_at(workspace).ok_or_else(not_signed_in)?;
        let identity = signed.side.whoami().await.map_err(of_hub)?;
        self.at(workspace, |seat| {
            seat.sits_again(signed.number, |before| Signed {
                email: tokens.claims().and_then(|c| c.email),
                who: SignedInAs { user: before.who.user.clone(), ..identity.into() },
                ..before.clone()
            })
        });
        Ok(())
    }

    pub(super) fn provider_config(&self, workspace: &Workspace) -> ProviderConfig {
        ProviderConfig {
            redirect: workspace.oidc.redirect(),
            client_secret: workspace.oidc.client_secret.clone(),
            extra_audiences: workspace.oidc.extra_audiences.clone(),
            scopes: workspace.oidc.scopes.iter().filter(|s| *s != "openid").cloned().collect(),
            extra_ca_pem: workspace.oidc.ca.clone(),
            timeout: self.desk.options.deadline,
            ..ProviderConfig::of(&workspace.oidc.issuer, &workspace.oidc.client_id)
        }
    }

    fn at_step(&self, workspace: &WorkspaceId, attempt: &Attempt, step: SignInStep) {
        self.at(workspace, |seat| seat.at_step(attempt, step));
        self.desk.changed();
    }

    fn learned(&self, workspace: &WorkspaceId, learned: Learned) {
        self.at(workspace, |seat| seat.learned = learned);
    }
}

/// The person thought better of it.
fn given_up() -> AppError {
    of_oidc(sallyport_oidc::Error::Cancelled)
}

/// Nobody goes on with a sign-in: its session at the provider was to be ended, and nothing of it stays here.
fn given_back(ended: &Result<SignedOut, sallyport_oidc::Error>) {
    if let Err(error) = ended {
        tracing::info!(%error, "a sign-in that nobody goes on with was not revoked at the provider");
    }
}

fn ask(step: &StepUp) -> Ask {
    Ask {
        acr_values: step.acr.clone(),
        amr: step.amr.clone(),
        max_age: step.max_age_seconds.map(|s| Duration::from_secs(s.into())),
        ..Ask::default()
    }
}
