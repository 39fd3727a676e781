//! An identity provider: what the browser brings, what a refresh gives and whether it answers are the test's to say.

use crate::person::notes::Learned;
use crate::person::ports::{Finished, Pending, ProviderSide, Providers, Tokens};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_model::Secret;
use sallyport_oidc::{Ask, Drift, Error, IdClaims, Persist, ProviderConfig, SignedOut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

/// What the browser brings back.
type Brought = Result<IdClaims, Error>;

#[derive(Clone, Default)]
pub(crate) struct FakeProvider(pub(crate) Arc<State>);

#[derive(Default)]
pub(crate) struct State {
    /// Why it can't be looked up.
    pub(crate) away: Mutex<Option<Error>>,
    pub(crate) learned: Mutex<Learned>,
    /// Held while it does not answer whoever looks it up.
    pub(crate) gate: tokio::sync::Mutex<()>,
    pub(crate) lookups: AtomicUsize,
    /// What each sign-in was asked to be.
    pub(crate) asked: Mutex<Vec<Ask>>,
    waits: Mutex<Option<oneshot::Sender<Brought>>>,
    /// What a refresh gives; nothing said, it does not answer.
    pub(crate) refreshed: Mutex<Option<Result<IdClaims, Error>>>,
    /// The refresh tokens that were revoked.
    pub(crate) revoked: Mutex<Vec<String>>,
    /// What a sign-out is answered with.
    pub(crate) refuses_sign_out: Mutex<Option<Error>>,
    sign_ins: AtomicUsize,
}

pub(crate) fn no_answer() -> Error {
    Error::Timeout { what: "the identity provider".to_owned(), after: Duration::from_secs(10) }
}

impl FakeProvider {
    /// Whether a sign-in waits for the browser.
    pub(crate) fn waits(&self) -> bool {
        self.0.waits.lock().unwrap().as_ref().is_some_and(|waits| !waits.is_closed())
    }

    /// The browser comes back to the sign-in that waits.
    pub(crate) fn brings(&self, what: Brought) {
        let waits = self.0.waits.lock().unwrap().take().expect("a sign-in waits");
        waits.send(what).expect("it still waits");
    }

    pub(crate) fn gives(&self, refreshed: Result<IdClaims, Error>) {
        *self.0.refreshed.lock().unwrap() = Some(refreshed);
    }

    pub(crate) fn revoked(&self) -> Vec<String> {
        self.0.revoked.lock().unwrap().clone()
    }

    fn refresh_token(&self) -> String {
        format!("refresh-{}", self.0.sign_ins.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn end(&self, refresh_token: Option<String>) -> Result<SignedOut, Error> {
        if let Some(error) = self.0.refuses_sign_out.lock().unwrap().clone() {
            return Err(error);
        }
        let Some(refresh_token) = refresh_token else { return Ok(SignedOut::NothingToRevoke) };
        self.0.revoked.lock().unwrap().push(refresh_token);
        Ok(SignedOut::Revoked)
    }

    fn begin(&self, ask: Ask, goal: Goal) -> Box<dyn Pending> {
        self.0.asked.lock().unwrap().push(ask);
        Box::new(InBrowser { provider: self.clone(), goal })
    }
}

impl Providers for FakeProvider {
    fn discover<'a>(&'a self, _: &'a ProviderConfig) -> BoxFuture<'a, Result<Arc<dyn ProviderSide>, Error>> {
        async {
            self.0.lookups.fetch_add(1, Ordering::Relaxed);
            let _answers = self.0.gate.lock().await;
            match self.0.away.lock().unwrap().clone() {
                Some(error) => Err(error),
                None => Ok(Arc::new(self.clone()) as Arc<dyn ProviderSide>),
            }
        }
        .boxed()
    }
}

impl ProviderSide for FakeProvider {
    fn issuer(&self) -> &'static str {
        "https://id.example.test"
    }
    fn learned(&self) -> Learned {
        self.0.learned.lock().unwrap().clone()
    }
    fn begin(&self, ask: Ask, persist: Persist) -> BoxFuture<'_, Result<Box<dyn Pending>, Error>> {
        async { Ok(self.begin(ask, Goal::New(persist))) }.boxed()
    }
    fn resume(&self, kept: &Secret<String>, persist: Persist) -> Result<Arc<dyn Tokens>, Error> {
        Ok(Arc::new(FakeTokens::new(self.clone(), persist, Some(kept.expose().clone()), None)))
    }
}

enum Goal {
    New(Persist),
    Again(FakeTokens),
}

struct InBrowser {
    provider: FakeProvider,
    goal: Goal,
}

impl Pending for InBrowser {
    fn url(&self) -> &'static str {
        "https://id.example.test/authorize"
    }
    fn finish<'a>(
        self: Box<Self>,
        deadline: Duration,
        given_up: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Box<dyn Finished>, Error>> {
        let (waits, brought) = oneshot::channel();
        *self.provider.0.waits.lock().unwrap() = Some(waits);
        async move {
            let claims = tokio::select! {
                biased;
                () = given_up.cancelled() => return Err(Error::Cancelled),
                brought = brought => brought.expect("nobody else takes it")?,
                () = tokio::time::sleep(deadline) => {
                    return Err(Error::Timeout { what: "the browser".to_owned(), after: deadline });
                }
            };
            let refresh_token = self.provider.refresh_token();
            let Self { provider, goal } = *self;
            Ok(Box::new(Completed { provider, goal, refresh_token, claims }) as Box<dyn Finished>)
        }
        .boxed()
    }
}

struct Completed {
    provider: FakeProvider,
    goal: Goal,
    refresh_token: String,
    claims: IdClaims,
}

impl Finished for Completed {
    fn claims(&self) -> &IdClaims {
        &self.claims
    }
    fn take_over(self: Box<Self>) -> BoxFuture<'static, Result<Arc<dyn Tokens>, Error>> {
        async move {
            let Self { provider, goal, refresh_token, claims } = *self;
            let tokens = match goal {
                Goal::New(persist) => FakeTokens::new(provider, persist, Some(refresh_token), Some(claims)),
                Goal::Again(tokens) => {
                    if let Err(error) = tokens.replace(&refresh_token, &claims) {
                        provider.end(Some(refresh_token))?;
                        return Err(error);
                    }
                    tokens
                }
            };
            tokens.keep().await;
            Ok(Arc::new(tokens) as Arc<dyn Tokens>)
        }
        .boxed()
    }
    fn give_back(self: Box<Self>) -> BoxFuture<'static, Result<SignedOut, Error>> {
        async move { self.provider.end(Some(self.refresh_token)) }.boxed()
    }
}

/// As `sallyport_oidc::TokenSource`, of which this has no more than orders depend on.
#[derive(Clone)]
struct FakeTokens(Arc<Inner>);

struct Inner {
    provider: FakeProvider,
    persist: Persist,
    state: Mutex<TokenState>,
    renewals: watch::Sender<u64>,
}

struct TokenState {
    refresh_token: Option<String>,
    claims: Option<IdClaims>,
    over: Option<String>,
}

impl FakeTokens {
    fn new(
        provider: FakeProvider,
        persist: Persist,
        refresh_token: Option<String>,
        claims: Option<IdClaims>,
    ) -> Self {
        let state = Mutex::new(TokenState { refresh_token, claims, over: None });
        Self(Arc::new(Inner { provider, persist, state, renewals: watch::Sender::new(0) }))
    }

    async fn keep(&self) {
        let token = self.0.state.lock().unwrap().refresh_token.clone().map(Secret::new);
        // One that is not kept is good until the app ends.
        let _ = (self.0.persist)(token).await;
    }

    fn replace(&self, refresh_token: &str, claims: &IdClaims) -> Result<(), Error> {
        let mut state = self.0.state.lock().unwrap();
        if let Some(why) = &state.over {
            return Err(Error::SignInAgain { why: why.clone() });
        }
        let was = state.claims.as_ref().map(IdClaims::person).unwrap_or_default();
        if was != claims.person() {
            return Err(Error::OtherPerson { was, is: claims.person() });
        }
        state.refresh_token = Some(refresh_token.to_owned());
        state.claims = Some(claims.clone());
        Ok(())
    }

    fn is_over(&self, why: &str) {
        let mut state = self.0.state.lock().unwrap();
        (state.over, state.refresh_token) = (Some(why.to_owned()), None);
    }

    async fn refresh(&self) -> Result<IdClaims, Error> {
        let given = self.0.provider.0.refreshed.lock().unwrap().clone();
        match given.unwrap_or_else(|| Err(no_answer())) {
            Ok(claims) => {
                self.0.state.lock().unwrap().claims = Some(claims.clone());
                self.0.renewals.send_modify(|count| *count += 1);
                Ok(claims)
            }
            Err(error) => {
                if let Error::SignInAgain { why } = &error {
                    self.is_over(why);
                    self.keep().await;
                }
                Err(error)
            }
        }
    }
}

impl Tokens for FakeTokens {
    fn provider(&self) -> Arc<dyn ProviderSide> {
        Arc::new(self.0.provider.clone())
    }
    fn begin_again(&self, ask: Ask) -> BoxFuture<'_, Result<Box<dyn Pending>, Error>> {
        async { Ok(self.0.provider.begin(ask, Goal::Again(self.clone()))) }.boxed()
    }
    fn id_token(&self) -> BoxFuture<'_, Result<Secret<String>, Error>> {
        async {
            if let Some(why) = self.over() {
                return Err(Error::SignInAgain { why });
            }
            if self.claims().is_none() {
                self.refresh().await?;
            }
            Ok(Secret::new("an ID token".to_owned()))
        }
        .boxed()
    }
    fn vouch(&self) -> BoxFuture<'_, Result<IdClaims, Error>> {
        self.refresh().boxed()
    }
    fn claims(&self) -> Option<IdClaims> {
        self.0.state.lock().unwrap().claims.clone()
    }
    fn drift(&self) -> Drift {
        Drift::default()
    }
    fn over(&self) -> Option<String> {
        self.0.state.lock().unwrap().over.clone()
    }
    fn renewals(&self) -> watch::Receiver<u64> {
        self.0.renewals.subscribe()
    }
    fn sign_out(&self) -> BoxFuture<'_, Result<SignedOut, Error>> {
        async {
            let token = {
                let mut state = self.0.state.lock().unwrap();
                state.over = Some("you signed out".to_owned());
                state.claims = None;
                state.refresh_token.take()
            };
            self.keep().await;
            self.0.provider.end(token)
        }
        .boxed()
    }
}
