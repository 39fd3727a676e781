//! Signing in: the provider, the vault, the hub's own word for who this is.

use crate::core::{App, Core, Signed, now_ms};
use crate::error::AppError;
use crate::faults::{is_for_good, no_auth_time, no_team, of_hub, of_oidc, unauthorized};
use crate::inventory::SignedInAs;
use crate::notes::Learned;
use crate::workspace::Workspace;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_client::{
    Credential, Endpoint, Fault, Timeouts, TokenError, clock_difference, connect, probe_get,
};
use sallyport_hub::Hub;
use sallyport_ipc::{AppState, HubLink, HubState, SignIn, SignInStep, StepUp};
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

/// The hub's endpoint.
pub(crate) fn endpoint(workspace: &Workspace) -> Result<Endpoint, AppError> {
    Endpoint::parse(workspace.hub.url.as_str(), Some(&workspace.hub.ca), None)
        .map_err(|e| AppError::new(ErrorCode::BadInput, "the workspace's hub can't be used").because(e))
}

impl App {
    /// Signs in through the person's browser; with `step`, again and stronger. Ends when the hub has said who this is.
    ///
    /// # Errors
    /// Everything between here and there, each with what to do next. A sign-in that is under way is left alone.
    pub async fn sign_in(&self, step: Option<StepUp>) -> Result<AppState, AppError> {
        let core = &self.0;
        let cancel = {
            let mut shared = core.shared();
            if shared.cancel_sign_in.is_some() {
                return Err(AppError::new(ErrorCode::Cancelled, "a sign-in is under way already"));
            }
            let cancel = core.stop.child_token();
            shared.cancel_sign_in = Some(cancel.clone());
            shared.no_step_up = None;
            cancel
        };
        core.at_step(SignInStep::Preparing, step.as_ref());
        let done = self.sign_in_until(step.as_ref(), &cancel).await;
        core.shared().cancel_sign_in = None;
        self.note_sign_in(step.is_some(), &done).await;
        match done {
            Ok(()) => {
                {
                    let mut shared = core.shared();
                    shared.sign_in = None;
                    shared.no_step_up = None;
                    shared.step_ups += u64::from(step.is_some());
                }
                core.tell_state();
                core.signed_in_again.notify_waiters();
                Ok(core.state())
            }
            Err(error) => {
                match (&mut core.shared().sign_in, error.code()) {
                    (sign_in, ErrorCode::Cancelled) => *sign_in = None,
                    (Some(sign_in), _) => {
                        sign_in.step = SignInStep::Failed;
                        sign_in.error = Some(error.view());
                    }
                    (None, _) => {}
                }
                if step.is_some() && is_for_good(&error) {
                    // Openings that wait for it would wait in vain.
                    core.shared().no_step_up = Some(error.view());
                    core.signed_in_again.notify_waiters();
                }
                core.tell_state();
                Err(error)
            }
        }
    }

    async fn sign_in_until(&self, step: Option<&StepUp>, cancel: &CancellationToken) -> Result<(), AppError> {
        let core = &self.0;
        let workspace = core.shared().workspace.clone();
        let workspace =
            workspace.ok_or_else(|| AppError::failed("no team was joined yet").hint("Join a team first."))?;
        let current = core.shared().signed.as_ref().map(|s| s.tokens.clone());
        if current.is_some()
            && step.is_some_and(|s| s.max_age_seconds.is_some())
            && core.shared().learned.no_auth_time
        {
            return Err(no_auth_time());
        }
        let provider = match &current {
            Some(tokens) => tokens.provider().clone(),
            None => Provider::discover(&core.provider_config(&workspace)).await.map_err(of_oidc)?,
        };
        if current.is_none() {
            core.shared().learned = Learned::of(&provider);
        }
        let remembered = if step.is_none() { self.remembered_acr().await } else { Vec::new() };
        let asked = Ask { acr_values: remembered.clone(), ..Ask::default() };
        let pending = provider.begin(step.map_or(asked, ask)).await.map_err(of_oidc)?;
        core.host.open_browser(pending.authorization_url().as_str())?;
        core.at_step(SignInStep::Browser, step);
        let signed_in = pending.finish(PERSON, cancel.cancelled()).await;
        // The provider may not offer it any more: the next try asks for nothing.
        let forget = signed_in.is_err() && step.is_none() && !remembered.is_empty();
        match step {
            Some(step) if signed_in.is_ok() => self.remember_acr(&step.acr).await,
            None if forget => self.remember_acr(&[]).await,
            _ => {}
        }
        let signed_in = signed_in.map_err(|error| match (forget, &error) {
            (true, sallyport_oidc::Error::MfaTooWeak { .. }) => {
                of_oidc(error).hint("Sign in again: it will not be asked for this time.")
            }
            _ => of_oidc(error),
        })?;
        core.at_step(SignInStep::Checking, step);
        let learned = Learned::of(&provider).and(&signed_in);
        let (subject, person) = (signed_in.claims.subject.clone(), signed_in.claims.person());
        match current {
            Some(tokens) => {
                core.at_step(SignInStep::Hub, step);
                tokens.replace(signed_in).await.map_err(of_oidc)?;
                core.shared().learned = learned;
                self.refresh_identity(&tokens).await?;
            }
            None => {
                self.confirm_person(&workspace, &provider, &signed_in).await?;
                core.at_step(SignInStep::Hub, step);
                core.shared().learned = learned;
                let tokens = self.tokens_of(provider, signed_in).await;
                if let Err(error) = self.connect(&workspace, tokens.clone()).await {
                    if is_for_good(&error) {
                        give_back(tokens).await;
                    }
                    return Err(error);
                }
            }
        }
        if let Err(error) = core.workspaces.remember_person(&workspace, &subject, &person) {
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
        let core = &self.0;
        let claims = &signed_in.claims;
        let Some(last) = core.workspaces.last_person(workspace).filter(|last| last.subject != claims.subject)
        else {
            core.shared().expected = None;
            return Ok(());
        };
        if core.shared().expected.replace(claims.subject.clone()).as_ref() == Some(&claims.subject) {
            core.shared().expected = None;
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

    /// What a profile of this team asked for last, so that one MFA serves the whole incident.
    async fn remembered_acr(&self) -> Vec<String> {
        self.0.prefs.sign_in_acr().await.unwrap_or_default()
    }

    pub(crate) async fn remember_acr(&self, acr: &[String]) {
        if let Err(error) = self.0.prefs.set_sign_in_acr(acr).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "how strong the next sign-in should be was not kept"
            );
        }
    }

    async fn tokens_of(&self, provider: Provider, signed_in: SignedIn) -> TokenSource {
        let persist = self.0.persist(provider.config());
        TokenSource::open(provider, signed_in, persist).await
    }

    async fn note_sign_in(&self, again: bool, done: &Result<(), AppError>) {
        let mut draft = Draft::new(if again { Action::StepUp } else { Action::SignIn });
        match done {
            Ok(()) => {
                if let Some(signed) = &self.0.shared().signed {
                    draft = draft
                        .user(&signed.who.user)
                        .detail("amr", signed.who.amr.join("+"))
                        .detail("acr", signed.who.acr.join(" "))
                        .detail("auth_time", signed.who.auth_time.unwrap_or_default());
                }
            }
            Err(error) => draft = draft.outcome(Outcome::Failed).detail("why", error.message()),
        }
        self.0.recorder.note(draft).await;
    }

    /// Goes on with a stored sign-in, in the background and without a browser.
    pub(crate) fn resume(&self) {
        let app = self.clone();
        tokio::spawn(async move {
            let Some(workspace) = app.0.shared().workspace.clone() else { return };
            let config = app.0.provider_config(&workspace);
            let Some(kept) =
                crate::secrets::refresh_token(&app.0.vault, &config.issuer, &config.client_id).await
            else {
                return;
            };
            // One sign-in at a time, and this one too can be given up.
            let cancel = app.0.stop.child_token();
            {
                let mut shared = app.0.shared();
                if shared.cancel_sign_in.is_some() {
                    return;
                }
                shared.cancel_sign_in = Some(cancel.clone());
            }
            app.0.at_step(SignInStep::Hub, None);
            let resumed = async {
                let provider = Provider::discover(&config).await.map_err(of_oidc)?;
                app.0.shared().learned = Learned::of(&provider);
                let persist = app.0.persist(&config);
                let tokens = TokenSource::resume(provider, &kept, persist).map_err(of_oidc)?;
                tokens.id_token().await.map_err(of_oidc)?;
                app.connect(&workspace, tokens).await
            };
            let done: Result<(), AppError> = tokio::select! {
                done = resumed => done,
                () = cancel.cancelled() => Err(of_oidc(sallyport_oidc::Error::Cancelled)),
            };
            app.0.shared().cancel_sign_in = None;
            let mut draft = Draft::new(Action::TokenRefresh);
            if let Err(error) = &done {
                tracing::info!("the stored sign-in was not resumed: {}", error.chain());
                draft = draft.outcome(Outcome::Failed).detail("why", error.message());
            }
            app.0.recorder.note(draft).await;
            app.0.shared().sign_in = None;
            app.0.tell_state();
        });
    }

    /// Asks the hub who this is, then keeps its inventory.
    async fn connect(&self, workspace: &Workspace, tokens: TokenSource) -> Result<(), AppError> {
        let core = &self.0;
        let endpoint = endpoint(workspace)?;
        let source = Arc::new(IdTokens(tokens.clone()));
        let client = connect(&endpoint, Credential::Source(source), Timeouts::both(core.options.deadline))
            .map_err(|e| AppError::failed("the hub can't be called").because(e))?;
        let hub = Hub::new(client, core.options.deadline);
        core.hub_is(HubLink::Connecting, None);
        let asked = async {
            core.read_hub_clock(&endpoint, &tokens).await;
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
                    no_team(&identity.user, &identity.groups, core.shared().learned.groups_left_out)
                }
                other => of_hub(other),
            })?;
            Ok::<_, AppError>((identity, teams))
        };
        let (identity, teams) =
            asked.await.inspect_err(|e| core.hub_is(HubLink::Down, Some(e.message().to_owned())))?;
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
            stop: core.stop.child_token(),
        };
        core.shared().signed = Some(signed.clone());
        core.hub_is(HubLink::Live, None);
        self.keep_inventory(&signed);
        self.clean_up_with(signed);
        Ok(())
    }

    /// After a step-up the same connection says who one is now.
    async fn refresh_identity(&self, tokens: &TokenSource) -> Result<(), AppError> {
        let signed = self.0.signed()?;
        let identity = signed.hub.whoami().await.map_err(of_hub)?;
        let mut shared = self.0.shared();
        if let Some(now) = &mut shared.signed {
            now.email = tokens.claims().and_then(|c| c.email);
            now.who.acr = identity.acr;
            now.who.amr = identity.amr;
            now.who.auth_time = identity.auth_time;
            now.who.groups = identity.groups;
        }
        Ok(())
    }

    /// Ends a sign-in under way.
    ///
    /// # Errors
    /// None.
    pub async fn sign_in_cancel(&self) -> Result<(), AppError> {
        if let Some(cancel) = &self.0.shared().cancel_sign_in {
            cancel.cancel();
        }
        Ok(())
    }
}

impl Core {
    pub(crate) fn provider_config(&self, workspace: &Workspace) -> ProviderConfig {
        ProviderConfig {
            redirect: workspace.oidc.redirect(),
            client_secret: workspace.oidc.client_secret.clone(),
            extra_audiences: workspace.oidc.extra_audiences.clone(),
            scopes: workspace.oidc.scopes.iter().filter(|s| *s != "openid").cloned().collect(),
            extra_ca_pem: workspace.oidc.ca.clone(),
            timeout: self.options.deadline,
            ..ProviderConfig::of(&workspace.oidc.issuer, &workspace.oidc.client_id)
        }
    }

    /// Stores the refresh token in the vault, before it is used.
    fn persist(&self, config: &ProviderConfig) -> Persist {
        let (vault, issuer, client_id) =
            (self.vault.clone(), config.issuer.clone(), config.client_id.clone());
        Arc::new(move |kept| {
            let (vault, issuer, client_id) = (vault.clone(), issuer.clone(), client_id.clone());
            Box::pin(async move {
                crate::secrets::keep_refresh_token(&vault, &issuer, &client_id, kept)
                    .await
                    .map_err(|e| e.to_string())
            })
        })
    }

    fn at_step(&self, step: SignInStep, step_up: Option<&StepUp>) {
        {
            let mut shared = self.shared();
            let since = shared
                .sign_in
                .as_ref()
                .filter(|_| step != SignInStep::Preparing)
                .map_or_else(now_ms, |s| s.since);
            shared.sign_in = Some(SignIn { step, since, step_up: step_up.cloned(), error: None });
        }
        self.tell_state();
    }

    /// Notes how the connection to the hub is, and tells the window when that is new.
    pub(crate) fn hub_is(&self, link: HubLink, message: Option<String>) {
        {
            let mut shared = self.shared();
            if shared.hub.link == link && shared.hub.message == message {
                return;
            }
            let since = if shared.hub.link == link { shared.hub.since } else { now_ms() };
            shared.hub = HubState { link, since, message, retry_at: None, sign_in: false };
        }
        self.tell_state();
    }

    /// Compares clocks once per connection; countdowns then run on monotonic time.
    async fn read_hub_clock(&self, endpoint: &Endpoint, tokens: &TokenSource) {
        let Ok(token) = tokens.id_token().await else { return };
        let sent = now_ms();
        if let Ok(answer) = probe_get(endpoint, Some(&token), "/version", self.options.deadline).await
            && let Some(date) = answer.date
        {
            self.shared().hub_ahead = Some(clock_difference(date, sent, now_ms()));
        }
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
