//! Everything around the views, and the small commands that go with it.

use crate::core::{App, Core, now_ms};
use crate::error::AppError;
use crate::notes::{Learned, notes};
use crate::workspace::Workspace;
use sallyport_api::Profile;
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_ipc::{
    AppState, AuditFilter, AuditPage, Demo, Event, HistoryState, Phase, Theme, User, VerifyView,
    WorkspacePreview, WorkspaceView,
};
use sallyport_model::{ErrorCode, visible};
use sallyport_oidc::{Provider, second_factor};

impl Core {
    /// The view.
    pub(crate) fn state(&self) -> AppState {
        let profiles = self.profiles_words();
        let shared = self.shared();
        let over = shared.signed.as_ref().is_some_and(|s| s.tokens.over().is_some());
        let entries = self.recorder.history().subscribe().borrow().sequence;
        AppState {
            phase: match (&shared.workspace, &shared.signed) {
                (None, _) => Phase::FirstRun,
                (Some(_), None) => Phase::SignedOut,
                (Some(_), Some(_)) => Phase::Ready,
            },
            workspace: shared.workspace.as_ref().map(|w| workspace_view(w, &shared.learned)),
            user: shared.signed.as_ref().map(|s| User {
                name: visible(s.who.user.as_str()),
                email: s.email.as_deref().map(visible),
                groups: s.who.groups.iter().map(|g| visible(g)).collect(),
                mfa_at: s
                    .who
                    .auth_time
                    .filter(|t| *t > 0)
                    .filter(|_| {
                        second_factor(&s.who.amr, s.who.acr.first().map(String::as_str), &profiles.strong)
                    })
                    .map(|t| t.saturating_mul(1000)),
                acr: s.who.acr.first().map(|a| visible(a)),
                amr: s.who.amr.iter().map(|a| visible(a)).collect(),
            }),
            sign_in: shared.sign_in.clone(),
            vault: self.vault_view(),
            hub: sallyport_ipc::HubState { sign_in: over, ..shared.hub.clone() },
            notes: notes(
                &shared.learned,
                &shared.signed.as_ref().map(|s| s.tokens.drift()).unwrap_or_default(),
                &profiles.aging,
                shared.signed.is_some(),
            )
            .iter()
            .map(|note| visible(note))
            .collect(),
            clock_skew_ms: shared.hub_ahead.map(|s| -s * 1000),
            demo: match (&self.options.demo, shared.demo_joined) {
                (None, _) => Demo::None,
                (Some(_), true) => Demo::Running,
                (Some(_), false) => Demo::Offered,
            },
            theme: shared.theme,
            history: HistoryState {
                entries: i64::try_from(entries).unwrap_or(i64::MAX),
                verdict: shared.verified.as_ref().map(|v| v.verdict),
                verified_at: shared.verified.as_ref().map(|v| v.at),
                trouble: self.recorder.trouble(),
            },
            cleanup: shared.cleanup.clone(),
            platform: std::env::consts::OS.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// What the profiles of this team want of a sign-in.
#[derive(Default)]
struct ProfilesWords {
    /// Every `acr` that one of them asks for.
    strong: Vec<String>,
    /// The names of those that want a recent sign-in.
    aging: Vec<String>,
}

impl Core {
    fn profiles_words(&self) -> ProfilesWords {
        let inventory = self.inventory.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut words = ProfilesWords::default();
        for profile in inventory.profiles.values().filter_map(|p| Profile::try_from(p).ok()) {
            words.strong.extend(profile.acr);
            if profile.max_age.is_some() {
                words.aging.push(visible(profile.name.as_str()));
            }
        }
        words
    }
}

fn workspace_view(workspace: &Workspace, learned: &Learned) -> WorkspaceView {
    WorkspaceView {
        signs_in_at: learned.other_host.as_deref().map(visible),
        code_goes_to: learned.code_host.as_deref().map(visible),
        name: visible(&workspace.name),
        hub_host: visible(&workspace.hub_host()),
        issuer: visible(&workspace.oidc.issuer),
    }
}

impl App {
    /// The state.
    ///
    /// # Errors
    /// None; the window's commands all have the same shape.
    pub async fn app_state(&self) -> Result<AppState, AppError> {
        Ok(self.0.state())
    }

    /// Chooses a theme and remembers it.
    ///
    /// # Errors
    /// When it can't be remembered.
    pub async fn theme_set(&self, theme: Theme) -> Result<(), AppError> {
        let stored = match theme {
            Theme::System => sallyport_store::Theme::System,
            Theme::Dark => sallyport_store::Theme::Dark,
            Theme::Light => sallyport_store::Theme::Light,
        };
        self.0.shared().theme = theme;
        self.0.tell_state();
        self.0
            .prefs
            .set_theme(stored)
            .await
            .map_err(|e| AppError::failed("the theme could not be remembered").because(e))
    }

    /// What a workspace file would do. Contacts nobody.
    ///
    /// # Errors
    /// [`ErrorCode::BadInput`] for a file that is none, [`ErrorCode::Forbidden`] for a second hub of a known client.
    pub async fn workspace_preview(&self, text: String) -> Result<WorkspacePreview, AppError> {
        let workspace = Workspace::parse(&text)?;
        self.0.workspaces.check(&workspace)?;
        let fingerprint = Some(workspace.hub_fingerprint()).filter(|f| !f.is_empty());
        Ok(WorkspacePreview {
            name: visible(&workspace.name),
            hub_host: visible(&workspace.hub_host()),
            hub_ca_fingerprint: fingerprint,
            issuer: visible(&workspace.oidc.issuer),
            client_id: visible(&workspace.oidc.client_id),
            scopes: workspace.oidc.scopes.iter().map(|s| visible(s)).collect(),
            issuer_ca_fingerprint: workspace.issuer_fingerprint(),
            redirect_addresses: workspace
                .oidc
                .redirect()
                .addresses(&workspace.oidc.issuer)
                .iter()
                .map(|address| visible(address))
                .collect(),
            client_authenticates: workspace.oidc.client_secret.is_some(),
            extra_audiences: workspace.oidc.extra_audiences.iter().map(|a| visible(a)).collect(),
            replaces: self
                .0
                .shared()
                .workspace
                .as_ref()
                .filter(|w| **w != workspace)
                .map(|w| visible(&w.name)),
        })
    }

    /// Joins a team: the file is stored, and sign-ins go to its hub from now on.
    ///
    /// # Errors
    /// As [`App::workspace_preview`]; while someone is signed in to another workspace.
    pub async fn workspace_join(&self, text: String) -> Result<AppState, AppError> {
        let joined = self.join(&text).await;
        let mut draft = Draft::new(Action::WorkspaceJoined);
        match &joined {
            Ok(workspace) => {
                draft = draft.detail("workspace", &workspace.name).detail("hub", workspace.hub_host())
            }
            Err(error) => draft = draft.outcome(Outcome::Refused).detail("why", error.message()),
        }
        self.0.recorder.note(draft).await;
        joined?;
        self.0.tell_state();
        Ok(self.0.state())
    }

    async fn join(&self, text: &str) -> Result<Workspace, AppError> {
        let workspace = Workspace::parse(text)?;
        if self.0.shared().signed.is_some() && self.0.shared().workspace.as_ref() != Some(&workspace) {
            return Err(AppError::new(ErrorCode::BadInput, "someone is signed in to another workspace")
                .hint("Sign out first; that ends every session, with proof."));
        }
        let (hub, learned) = tokio::join!(self.check_hub(&workspace), self.look_at_provider(&workspace));
        hub?;
        self.0.workspaces.join(&workspace)?;
        if self.0.shared().workspace.as_ref() != Some(&workspace) {
            self.remember_acr(&[]).await;
        }
        {
            let mut shared = self.0.shared();
            shared.workspace = Some(workspace.clone());
            shared.learned = learned;
        }
        let demo = self.0.is_demo();
        self.0.shared().demo_joined = demo;
        Ok(workspace)
    }

    /// A hub that shows another certificate than the file promises is not joined. One that does not answer is: the
    /// file may be ahead of the network, and the sign-in will say so.
    async fn check_hub(&self, workspace: &Workspace) -> Result<(), AppError> {
        let endpoint = crate::sign_in::endpoint(workspace)?;
        let asked = sallyport_client::probe_get(&endpoint, None, "/version", self.0.options.deadline).await;
        match asked {
            Err(sallyport_client::Fault::Untrusted(why)) => Err(AppError::new(
                ErrorCode::BadInput,
                format!("{} does not show a certificate of the CA in this file", visible(&workspace.hub_host())),
            )
            .hint("Compare the fingerprint with your admin's: either the file is old, or someone stands in between.")
            .because(sallyport_client::Fault::Untrusted(why))),
            _ => Ok(()),
        }
    }

    /// What the provider says of itself. One that does not answer or does not fit says so when signing in.
    async fn look_at_provider(&self, workspace: &Workspace) -> Learned {
        match Provider::discover(&self.0.provider_config(workspace)).await {
            Ok(provider) => Learned::of(&provider),
            Err(error) => {
                tracing::info!(%error, "the identity provider could not be looked at when joining");
                Learned::default()
            }
        }
    }

    /// Joins the demo fleet that this app was started beside.
    ///
    /// # Errors
    /// When there is none, or its file can't be used.
    pub async fn demo_workspace(&self) -> Result<AppState, AppError> {
        let none = || {
            AppError::failed("there is no demo fleet here")
                .hint("Start one with `make run` in a checkout of Sallyport.")
        };
        let path = self.0.options.demo.clone().ok_or_else(none)?;
        let text = tokio::fs::read_to_string(path).await.map_err(|e| none().because(e))?;
        self.workspace_join(text).await
    }

    /// One page of the history.
    ///
    /// # Errors
    /// When the filter or the file can't be read.
    pub async fn audit_page(
        &self,
        filter: AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<AuditPage, AppError> {
        self.0.recorder.page(filter, before, limit).await
    }

    /// Checks the whole history.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn audit_verify(&self) -> Result<VerifyView, AppError> {
        let view = self.0.recorder.verify().await?;
        self.0.shared().verified = Some(view.clone());
        self.0.tell_state();
        Ok(view)
    }

    /// Whether closing the window must ask first; if so, the window is told to.
    pub fn ask_before_quitting(&self) -> bool {
        let open = self.0.any_session_open();
        if open {
            self.0.host.tell(Event::QuitAsked);
        }
        open
    }

    /// Flushes everything and ends the program.
    ///
    /// # Errors
    /// None.
    pub async fn quit(&self) -> Result<(), AppError> {
        tracing::info!(at = now_ms(), "quitting");
        self.shut_down().await;
        self.0.host.exit();
        Ok(())
    }
}
