//! Signing in: the provider, the vault, the hub's own word for who this is.

use super::Person;
use super::faults::{is_for_good, no_auth_time, no_team, of_hub, of_oidc, unauthorized};
use super::notes::Learned;
use super::refresh_token;
use super::signed::{Signed, SignedInAs};
use super::workspace::Workspace;
use crate::desk::{AppError, now_ms};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_client::{Credential, Endpoint, Fault, Timeouts, TokenError, connect};
use sallyport_hub::Hub;
use sallyport_ipc::{HubLink, SignIn, SignInStep, StepUp};
use sallyport_model::{ErrorCode, Secret};
use sallyport_oidc::{Ask, Persist, Provider, ProviderConfig, SignedIn, TokenSource};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a person may take in the browser.
const PERSON: Duration = Duration::from_secs(600);

/// The ID token for the hub, and for nobody else (promise P4).
struct IdTokens(TokenSource);

impl sallyport_client::TokenSource for IdTokens {
    fn token(&self) -> BoxFuture<'_, Result<Secret<String>, TokenError>> {
        async { self.0.id_token().await.map_err(|e| TokenError::with(e.to_string(), e)) }.boxed()
    }
}

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
        let cancel = self.begin()?;
        // Nobody is woken by it: only what comes of the new one counts.
        self.sign_ins.send_if_modified(|told| {
            told.in_vain = None;
            false
        });
        self.at_step(SignInStep::Preparing, step.as_ref());
        let done = self.sign_in_until(step.as_ref(), &cancel).await;
        self.now().cancel = None;
        self.note_sign_in(step.is_some(), &done).await;
        match &done {
            Ok(()) => {
                self.now().sign_in = None;
                self.sign_ins.send_modify(|told| told.step_ups += u64::from(step.is_some()));
            }
            Err(error) => {
                match (&mut self.now().sign_in, error.code()) {
                    (sign_in, ErrorCode::Cancelled) => *sign_in = None,
                    (Some(sign_in), _) => {
                        sign_in.step = SignInStep::Failed;
                        sign_in.error = Some(error.view());
                    }
                    (None, _) => {}
                }
                if step.is_some() && is_for_good(error) {
                    // Openings that wait for it would wait in vain.
                    self.sign_ins.send_modify(|told| told.in_vain = Some(error.view()));
                }
            }
        }
        self.desk.changed();
        done
    }

    /// One sign-in at a time.
    fn begin(&self) -> Result<CancellationToken, AppError> {
        let mut now = self.now();
        if now.cancel.is_some() {
            return Err(AppError::new(ErrorCode::Cancelled, "a sign-in is under way already"));
        }
        let cancel = self.desk.stop.child_token();
        now.cancel = Some(cancel.clone());
        Ok(cancel)
    }

    /// Ends a sign-in under way.
    pub(crate) fn sign_in_cancel(&self) {
        if let Some(cancel) = &self.now().cancel {
            cancel.cancel();
        }
    }

    async fn sign_in_until(&self, step: Option<&StepUp>, cancel: &CancellationToken) -> Result<(), AppError> {
        let desk = &self.desk;
        let workspace = self.now().workspace.clone();
        let workspace =
            workspace.ok_or_else(|| AppError::failed("no team was joined yet").hint("Join a team first."))?;
        let current = self.is_signed_in().map(|s| s.tokens.clone());
        if current.is_some() && step.is_some_and(|s| s.max_age_seconds.is_some()) && self.has_no_auth_time() {
            return Err(no_auth_time());
        }
        let provider = match &current {
            Some(tokens) => tokens.provider().clone(),
            None => Provider::discover(&self.provider_config(&workspace)).await.map_err(of_oidc)?,
        };
        if current.is_none() {
            self.now().learned = Learned::of(&provider);
        }
        let remembered = if step.is_none() { desk.sign_in_acr().await } else { Vec::new() };
        let asked = Ask { acr_values: remembered.clone(), ..Ask::default() };
        let pending = provider.begin(step.map_or(asked, ask)).await.map_err(of_oidc)?;
        desk.host.open_browser(pending.authorization_url().as_str())?;
        self.at_step(SignInStep::Browser, step);
        let signed_in = pending.finish(PERSON, cancel.cancelled()).await;
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
        self.at_step(SignInStep::Checking, step);
        let learned = Learned::of(&provider).and(&signed_in);
        let (subject, person) = (signed_in.claims.subject.clone(), signed_in.claims.person());
        match current {
            Some(tokens) => {
                self.at_step(SignInStep::Hub, step);
                tokens.replace(signed_in).await.map_err(of_oidc)?;
                self.now().learned = learned;
                self.refresh_identity(&tokens).await?;
            }
            None => {
                self.confirm_person(&workspace, &provider, &signed_in).await?;
                self.at_step(SignInStep::Hub, step);
                self.now().learned = learned;
                let persist = refresh_token::persist(&desk.vault, provider.config());
                let tokens = TokenSource::open(provider, signed_in, persist).await;
                if let Err(error) = self.connect(&workspace, tokens.clone()).await {
                    if is_for_good(&error) {
                        give_back(tokens).await;
                    }
                    return Err(error);
                }
            }
        }
        if let Err(error) = self.workspaces.remember_person(&workspace, &subject, &person) {
            tracing::warn!("who signed in was not remembered: {}", error.chain());
        }
        Ok(())
    }

    /// Somebody else than last time is named first, and signs in when they do it again: whoever can reach the browser's
    /// answer could finish the sign-in as themselves, and the person would work on under another name.
    async fn confirm_person(
        &self,
        workspace: &Workspace,
        provider: &Provider,
        signed_in: &SignedIn,
    ) -> Result<(), AppError> {
        let claims = &signed_in.claims;
        let last = self.workspaces.last_person(workspace).filter(|last| last.subject != claims.subject);
        let Some(last) = last else {
            self.now().expected = None;
            return Ok(());
        };
        if self.now().expected.replace(claims.subject.clone()).as_ref() == Some(&claims.subject) {
            self.now().expected = None;
            return Ok(());
        }
        let nowhere: Persist = Arc::new(|_| Box::pin(async { Ok(()) }));
        give_back(TokenSource::open(provider.clone(), signed_in.clone(), nowhere).await).await;
        let person = claims.person();
        Err(AppError::failed(format!(
            "you signed in as {person}, and the last sign-in here was {}",
            last.person
        ))
        .hint(format!("If you are {person}, sign in again. If not, choose your own account in the browser.")))
    }

    async fn note_sign_in(&self, again: bool, done: &Result<(), AppError>) {
        let mut draft = Draft::new(if again { Action::StepUp } else { Action::SignIn });
        match done {
            Ok(()) => {
                if let Some(signed) = self.is_signed_in() {
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
        let Some(workspace) = self.now().workspace.clone() else { return };
        let config = self.provider_config(&workspace);
        let Some(kept) = refresh_token::kept(&self.desk.vault, &config).await else { return };
        // This one too can be given up.
        let Ok(cancel) = self.begin() else { return };
        self.at_step(SignInStep::Hub, None);
        let resumed = async {
            let provider = Provider::discover(&config).await.map_err(of_oidc)?;
            self.now().learned = Learned::of(&provider);
            let persist = refresh_token::persist(&self.desk.vault, &config);
            let tokens = TokenSource::resume(provider, &kept, persist).map_err(of_oidc)?;
            tokens.id_token().await.map_err(of_oidc)?;
            self.connect(&workspace, tokens).await
        };
        let done: Result<(), AppError> = tokio::select! {
            done = resumed => done,
            () = cancel.cancelled() => Err(of_oidc(sallyport_oidc::Error::Cancelled)),
        };
        self.now().cancel = None;
        let mut draft = Draft::new(Action::TokenRefresh);
        if let Err(error) = &done {
            tracing::info!("the stored sign-in was not resumed: {}", error.chain());
            draft = draft.outcome(Outcome::Failed).detail("why", error.message());
        }
        self.history.note(draft).await;
        self.now().sign_in = None;
        self.desk.changed();
    }

    /// Asks the hub who this is; then somebody is signed in.
    async fn connect(&self, workspace: &Workspace, tokens: TokenSource) -> Result<(), AppError> {
        let deadline = self.desk.options.deadline;
        let endpoint = workspace.endpoint()?;
        let source = Arc::new(IdTokens(tokens.clone()));
        let client = connect(&endpoint, Credential::Source(source), Timeouts::both(deadline))
            .map_err(|e| AppError::failed("the hub can't be called").because(e))?;
        let hub = Hub::new(client, deadline);
        self.hub_is(HubLink::Connecting, None);
        let asked = async {
            self.read_hub_clock(&endpoint, &tokens).await;
            let identity = hub.whoami().await.map_err(|fault| match fault {
                Fault::Unauthorized => {
                    let oidc = &workspace.oidc;
                    unauthorized(tokens.claims().as_ref(), &oidc.issuer, &oidc.client_id)
                }
                other => of_hub(other),
            })?;
            // Boxed: the compiler can't see through its join that it may move between threads.
            let teams = hub.teams().boxed().await.map_err(|fault| match fault {
                // RBAC lets members of a team list the teams, and nobody else.
                Fault::Forbidden(_) => {
                    let left_out = self.now().learned.groups_left_out;
                    no_team(&identity.user, &identity.groups, left_out)
                }
                other => of_hub(other),
            })?;
            Ok::<_, AppError>((identity, teams))
        };
        let (identity, teams) =
            asked.await.inspect_err(|e| self.hub_is(HubLink::Down, Some(e.message().to_owned())))?;
        let number = self.is_signed_in().map_or(now_ms().unsigned_abs(), |before| before.number + 1);
        let signed = Signed {
            email: tokens.claims().and_then(|c| c.email),
            tokens,
            hub,
            hub_url: workspace.hub.url.to_string(),
            who: SignedInAs {
                user: identity.user,
                groups: identity.groups,
                acr: identity.acr,
                amr: identity.amr,
                auth_time: identity.auth_time,
            },
            teams,
            stop: self.desk.stop.child_token(),
            number,
        };
        self.signed.send_replace(Some(Arc::new(signed)));
        self.hub_is(HubLink::Live, None);
        Ok(())
    }

    /// After a step-up the same connection says who one is now.
    async fn refresh_identity(&self, tokens: &TokenSource) -> Result<(), AppError> {
        let signed = self.signed()?;
        let identity = signed.hub.whoami().await.map_err(of_hub)?;
        self.signed.send_if_modified(|now| {
            // Signed out meanwhile, or somebody else by now.
            let Some(before) = now.as_ref().filter(|before| before.number == signed.number) else {
                return false;
            };
            let mut after = Signed::clone(before);
            after.email = tokens.claims().and_then(|c| c.email);
            after.who = SignedInAs {
                user: after.who.user,
                groups: identity.groups,
                acr: identity.acr,
                amr: identity.amr,
                auth_time: identity.auth_time,
            };
            *now = Some(Arc::new(after));
            true
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

    fn at_step(&self, step: SignInStep, step_up: Option<&StepUp>) {
        {
            let mut now = self.now();
            let before = now.sign_in.as_ref().filter(|_| step != SignInStep::Preparing);
            let since = before.map_or_else(now_ms, |s| s.since);
            now.sign_in = Some(SignIn { step, since, step_up: step_up.cloned(), error: None });
        }
        self.desk.changed();
    }
}

/// Nobody goes on with this sign-in: its session at the provider is ended, and nothing of it stays here.
async fn give_back(tokens: TokenSource) {
    if let Err(error) = tokens.sign_out().await {
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
