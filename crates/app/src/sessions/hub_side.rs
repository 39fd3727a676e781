//! The hub, as the product's sessions use it.

use super::ports::{Changes, HubSide};
use crate::desk::AppError;
use crate::person::faults::{of_oidc, of_refused};
use crate::person::{Person, SignIns, Signed, SignedInAs, WorkspaceId, not_signed_in};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use sallyport_api::AccessRequest;
use sallyport_client::Fault;
use sallyport_hub::{Ask, Refused, evidence};
use sallyport_ipc::HubLink;
use sallyport_model::{NamespaceName, RequestRef, SignIn, UserName};
use std::sync::Arc;
use tokio::sync::watch;

/// The hub of a sign-in.
pub(crate) struct HubOf {
    person: Arc<Person>,
    own: Arc<Signed>,
    /// Asked for where scans ask, and not in a team.
    is_scan: bool,
}

impl HubOf {
    pub(crate) fn new(person: Arc<Person>, own: Arc<Signed>) -> Self {
        Self { person, own, is_scan: false }
    }

    /// The same, for a scan.
    pub(crate) fn for_scans(person: Arc<Person>, own: Arc<Signed>) -> Self {
        Self { person, own, is_scan: true }
    }

    /// A later sign-in of the same person at the same hub, else its own. A session's end is told with nobody else's.
    fn signed(&self) -> Arc<Signed> {
        let same = |now: &Arc<Signed>| now.who.user == self.own.who.user;
        self.person.is_signed_in_at(&self.own.workspace).filter(same).unwrap_or_else(|| self.own.clone())
    }
}

impl HubSide for HubOf {
    fn user(&self) -> &UserName {
        &self.own.who.user
    }
    fn workspace(&self) -> &WorkspaceId {
        &self.own.workspace
    }
    fn team(&self) -> Option<NamespaceName> {
        if self.is_scan {
            return Some(NamespaceName::of_scans());
        }
        self.own.teams.iter().find(|team| team.may_ask).map(|team| team.name.clone())
    }
    fn who(&self) -> SignedInAs {
        self.signed().who.clone()
    }
    fn signed_in(&self) -> Result<UserName, AppError> {
        let signed = self.person.is_signed_in_at(&self.own.workspace).ok_or_else(not_signed_in)?;
        Ok(signed.who.user.clone())
    }
    fn is_over(&self) -> bool {
        self.own.stop.is_cancelled()
    }
    fn sign_ins(&self) -> watch::Receiver<SignIns> {
        self.person.sign_ins(&self.own.workspace)
    }
    fn now(&self) -> i64 {
        self.person.hub_now(&self.own.workspace)
    }
    fn is(&self, link: HubLink, message: Option<String>) {
        self.person.hub_is(&self.own.workspace, link, message);
    }
    fn ready(&self) -> BoxFuture<'_, Result<(), AppError>> {
        async { self.own.tokens.id_token().await.map(drop).map_err(of_oidc) }.boxed()
    }

    /// Asked for again only where the ID token has become another since the hub was asked, as a refresh may make it.
    fn evidence(&self) -> BoxFuture<'_, SignIn> {
        async {
            let now = self.signed();
            let who = &now.who;
            let known = evidence(&who.acr, &who.amr, who.auth_time);
            let token = now
                .tokens
                .claims()
                .map(|c| evidence(c.acr.as_slice(), &c.amr, c.auth_time.map(Timestamp::as_second)));
            if token.as_ref() == Some(&known) {
                return known;
            }
            // A hub that does not answer says so to the ask itself.
            now.hub.whoami().await.map_or(known, |who| who.sign_in())
        }
        .boxed()
    }

    /// With the time of the token that it is asked with, where the hub says such. Asked again where that was replaced between
    /// looking and asking.
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<AccessRequest, Refused>> {
        async {
            let issued_at = || {
                let claims = self.own.tokens.claims().filter(|_| self.own.who.says_issued);
                claims.map(|claims| claims.issued_at.as_second())
            };
            let now = issued_at();
            let asked = self.own.hub.ask(&Ask { issued_at: now, ..ask.clone() }).await;
            match asked {
                Err(Refused::Forbidden { .. }) if issued_at() != now => {
                    self.own.hub.ask(&Ask { issued_at: issued_at(), ..ask.clone() }).await
                }
                asked => asked,
            }
        }
        .boxed()
    }
    fn reaffirm<'a>(&'a self, which: &'a RequestRef, after: i64) -> BoxFuture<'a, Result<i64, AppError>> {
        async move {
            let signed = self.signed();
            let word = self.person.vouched_for(&signed, after).await?;
            signed.hub.reaffirm(which, &word).await.map_err(of_refused)?;
            Ok(word.issued)
        }
        .boxed()
    }
    fn watch(&self, which: &RequestRef) -> Changes {
        Box::pin(self.own.hub.watch_request(which))
    }
    fn request<'a>(&'a self, which: &'a RequestRef) -> BoxFuture<'a, Result<AccessRequest, Fault>> {
        async { self.signed().hub.request(which).await }.boxed()
    }
    fn named<'a>(
        &'a self,
        team: &'a NamespaceName,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<AccessRequest>, Fault>> {
        async { self.signed().hub.request_named(team, name).await }.boxed()
    }
    fn withdraw<'a>(&'a self, which: &'a RequestRef) -> BoxFuture<'a, Result<AccessRequest, Refused>> {
        async { self.signed().hub.withdraw(which).await }.boxed()
    }
    fn clear_credential<'a>(
        &'a self,
        which: &'a RequestRef,
    ) -> BoxFuture<'a, Result<AccessRequest, Refused>> {
        async { self.own.hub.clear_credential(which).await }.boxed()
    }
}
