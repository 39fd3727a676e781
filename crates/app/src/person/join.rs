//! Joining a team: what its file would do, and doing it.

use super::Person;
use super::notes::Learned;
use super::workspace::Workspace;
use crate::desk::{AppError, Desk};
use sallyport_audit::{Action, Draft};
use sallyport_client::Fault;
use sallyport_ipc::{Shown, WorkspacePreview};
use sallyport_model::ErrorCode;

impl Person {
    /// What a workspace file would do. Contacts nobody.
    ///
    /// # Errors
    /// [`ErrorCode::BadInput`] for a file that is none, [`ErrorCode::Forbidden`] for a second hub of a known client.
    pub(crate) async fn preview(&self, text: String) -> Result<WorkspacePreview, AppError> {
        let workspace = Workspace::parse(&text)?;
        self.workspaces.check(&workspace)?;
        let fingerprint = Some(workspace.hub_fingerprint()).filter(|f| !f.is_empty());
        let oidc = &workspace.oidc;
        let all = |texts: &[String]| texts.iter().map(Shown::from).collect();
        Ok(WorkspacePreview {
            name: Shown::from(&workspace.name),
            hub_host: Shown::from(&workspace.hub_host()),
            hub_ca_fingerprint: fingerprint.map(Shown::from),
            issuer: Shown::from(&oidc.issuer),
            client_id: Shown::from(&oidc.client_id),
            scopes: all(&oidc.scopes),
            issuer_ca_fingerprint: workspace.issuer_fingerprint().map(Shown::from),
            redirect_addresses: all(&oidc.redirect().addresses(&oidc.issuer)),
            client_authenticates: oidc.client_secret.is_some(),
            extra_audiences: all(&oidc.extra_audiences),
            replaces: self.workspace().filter(|w| *w != workspace).map(|w| Shown::from(&w.name)),
        })
    }

    /// Joins a team: the file is stored, and sign-ins go to its hub from now on.
    ///
    /// # Errors
    /// As [`Person::preview`]; while someone is signed in to another workspace.
    pub(crate) async fn join(&self, text: &str) -> Result<(), AppError> {
        let workspace = self.try_join(text).await?;
        let draft = Draft::new(Action::WorkspaceJoined)
            .detail("workspace", &workspace.name)
            .detail("hub", workspace.hub_host());
        self.history.note(draft).await;
        self.desk.changed();
        Ok(())
    }

    async fn try_join(&self, text: &str) -> Result<Workspace, AppError> {
        let workspace = Workspace::parse(text)?;
        let is_another = self.workspace().as_ref() != Some(&workspace);
        if self.is_signed_in().is_some() && is_another {
            return Err(somebody_sits());
        }
        let (hub, learned) = tokio::join!(self.check_hub(&workspace), self.look_at_provider(&workspace));
        hub?;
        let is_demo = is_demo(&self.desk, &workspace);
        self.put_in_front(&workspace, learned, is_demo)?;
        if is_another {
            self.desk.remember_acr(&[]).await;
        }
        Ok(workspace)
    }

    /// Stores it and puts its seat in front. Looked at once more, and under one lock: hub and provider took their time to
    /// answer, and a sign-in behind the seat in front is one that nobody can end.
    fn put_in_front(&self, workspace: &Workspace, learned: Learned, is_demo: bool) -> Result<(), AppError> {
        let mut seats = self.seats();
        if let Some(front) = seats.front().filter(|front| front.workspace != *workspace) {
            if front.signed().is_some() {
                return Err(somebody_sits());
            }
            front.give_up();
        }
        self.workspaces.join(workspace)?;
        let seat = seats.put_in_front(workspace);
        seat.learned = learned;
        seat.is_demo = is_demo;
        Ok(())
    }

    /// A hub that shows another certificate than the file promises is not joined. One that does not answer is: the
    /// file may be ahead of the network, and the sign-in will say so.
    async fn check_hub(&self, workspace: &Workspace) -> Result<(), AppError> {
        match self.ports.hubs.probe(&workspace.endpoint()?).await {
            Err(Fault::Untrusted(why)) => Err(AppError::new(
                ErrorCode::BadInput,
                format!("{} does not show a certificate of the CA in this file", Shown::from(&workspace.hub_host())),
            )
            .hint("Compare the fingerprint with your admin's: either the file is old, or someone stands in between.")
            .because(Fault::Untrusted(why))),
            _ => Ok(()),
        }
    }

    /// What the provider says of itself. One that does not answer or does not fit says so when signing in.
    async fn look_at_provider(&self, workspace: &Workspace) -> Learned {
        match self.ports.providers.discover(&self.provider_config(workspace)).await {
            Ok(provider) => provider.learned(),
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
    pub(crate) async fn join_demo(&self) -> Result<(), AppError> {
        let none = || {
            AppError::failed("there is no demo fleet here")
                .hint("Start one with `make run` in a checkout of Sallyport.")
        };
        let path = self.desk.options.demo.clone().ok_or_else(none)?;
        let text = tokio::fs::read_to_string(path).await.map_err(|e| none().because(e))?;
        self.join(&text).await
    }
}

/// Whether a workspace is that of the demo fleet that this app was started beside.
pub(super) fn is_demo(desk: &Desk, workspace: &Workspace) -> bool {
    let Some(path) = &desk.options.demo else { return false };
    let demo = std::fs::read_to_string(path).ok().and_then(|text| Workspace::parse(&text).ok());
    demo.as_ref() == Some(workspace)
}

fn somebody_sits() -> AppError {
    AppError::new(ErrorCode::BadInput, "someone is signed in to another workspace")
        .hint("Sign out first; that ends every session, with proof.")
}
