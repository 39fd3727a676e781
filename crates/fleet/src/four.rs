//! A session of four rights (two roles in two namespaces), and the look at them from outside: as the target's admin,
//! who asks what the session's account may do. Neither the session's token nor anything of the product is involved.

use crate::fleet::{Fleet, Target};
use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::api::{ListParams, PostParams};
use kube::{Api, Client};
use sallyport_api::AccessGrant;
use sallyport_ipc::SessionView;
use serde_json::json;
use std::time::{Duration, Instant};

/// The profile's name.
pub const FOUR: &str = "four";
/// Its roles.
pub const ROLES: [&str; 2] = ["sallyport:view", "sallyport:debug"];
/// Its namespaces.
pub const NAMESPACES: [&str; 2] = ["checkout", "payments"];

impl Fleet {
    /// Offers a profile of two roles in two namespaces, without approval, to everybody who may ask for anything.
    ///
    /// # Errors
    /// With kubectl's stderr when it failed.
    pub async fn offer_four(&self) -> Result<()> {
        self.hub.allow("four", "oidc:payments-dev", &["request"], &[FOUR]).await?;
        let profile = json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": FOUR},
            "spec": {"clusters": ["*-eu-*"], "roles": ROLES, "namespaces": NAMESPACES, "maxDuration": "1h",
                "approvals": 0, "mfa": {"maxAge": "8h"}},
        });
        self.hub.make_profile(&profile).await
    }

    /// Takes the profile back, so that what is opened by default stays as it was.
    ///
    /// # Errors
    /// With kubectl's stderr when it failed.
    pub async fn withdraw_four(&self) -> Result<()> {
        self.hub.remove_profiles(&[FOUR]).await?;
        self.hub.kubectl().ok(&["delete", "clusterrole,clusterrolebinding", "four"]).await.map(drop)
    }
}

/// What the one session of a target may do, asked as the target's admin.
pub struct Outside {
    client: Client,
    account: String,
}

impl Target {
    /// The account of an open session's grant.
    ///
    /// # Errors
    /// When the target has no grant of it.
    pub async fn account_of(&self, session: &SessionView) -> Result<String> {
        let wanted = session.grant.as_ref().context("the session has no grant")?;
        let grants = Api::<AccessGrant>::all(self.plane.admin()?).list(&ListParams::default()).await?;
        let own =
            grants.items.into_iter().find(|grant| grant.metadata.uid.as_deref() == Some(wanted.as_str()));
        own.and_then(|grant| grant.status?.account).context("no grant of this session with an account")
    }
}

impl Outside {
    /// Of an open session.
    ///
    /// # Errors
    /// When the target has no grant of it.
    pub async fn of(target: &Target, session: &SessionView) -> Result<Self> {
        Ok(Self { client: target.plane.admin()?, account: target.account_of(session).await? })
    }

    /// The session's account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// How many of the four rights are allowed at this moment.
    ///
    /// # Errors
    /// When the target does not answer.
    pub async fn allowed(&self) -> Result<usize> {
        let api: Api<SubjectAccessReview> = Api::all(self.client.clone());
        let params = PostParams::default();
        let asks: Vec<SubjectAccessReview> = NAMESPACES
            .iter()
            // What both roles give, and what debug alone gives.
            .flat_map(|namespace| [self.ask(namespace, "list", ""), self.ask(namespace, "create", "exec")])
            .collect();
        let said = try_join_all(asks.iter().map(|ask| api.create(&params, ask))).await?;
        Ok(said.iter().filter(|review| review.status.as_ref().is_some_and(|s| s.allowed)).count())
    }

    /// Asks until nothing is allowed any more; milliseconds since `start`.
    ///
    /// # Errors
    /// When something is allowed still after `within`.
    pub async fn until_gone(&self, start: Instant, within: Duration) -> Result<u128> {
        loop {
            let allowed = self.allowed().await?;
            if allowed == 0 {
                return Ok(start.elapsed().as_millis());
            }
            ensure!(
                start.elapsed() < within,
                "{allowed} of 4 allowed after {} ms",
                start.elapsed().as_millis()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn ask(&self, namespace: &str, verb: &str, subresource: &str) -> SubjectAccessReview {
        let attributes = ResourceAttributes {
            namespace: Some(namespace.to_owned()),
            verb: Some(verb.to_owned()),
            resource: Some("pods".to_owned()),
            subresource: (!subresource.is_empty()).then(|| subresource.to_owned()),
            ..ResourceAttributes::default()
        };
        let groups =
            ["system:serviceaccounts", "system:serviceaccounts:sallyport-sessions", "system:authenticated"];
        SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(format!("system:serviceaccount:sallyport-sessions:{}", self.account)),
                groups: Some(groups.map(str::to_owned).to_vec()),
                resource_attributes: Some(attributes),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        }
    }
}
