use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use sallyport_model::Secret;
use tokio::sync::watch;

use crate::{
    claims::{Expect, ExpectNonce, IdClaims},
    error::{Error, quoted},
    kept::{Keep, Kept},
    pending::SignedIn,
    provider::Provider,
};

/// An ID token is renewed when this much of its life is left, or a quarter if it is short-lived, unless configured.
const MARGIN: Duration = Duration::from_secs(60);
/// After a failed renewal, callers get the same error for this long instead of asking again.
const PAUSE: Duration = Duration::from_secs(1);
/// Superseded refresh tokens that are remembered for the sign-out. With more step-ups the oldest is revoked at once,
/// though some providers end the whole session with it: signing in again is better than a token nobody remembers.
const MOST_SUPERSEDED: usize = 16;

/// Stores what renews the sign-in, or forgets it when given `None`. Called with a new one *before* the tokens that
/// came with it are used: providers revoke the whole sign-in when a replaced refresh token is used again.
pub type Persist = Arc<dyn Fn(Option<Secret<String>>) -> PersistFuture + Send + Sync>;
/// What [`Persist`] returns; an error is a sentence for the log.
pub type PersistFuture = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Keeps one sign-in's ID token fresh. Clones share it. Never opens a browser: when it can't go on, it says so with
/// [`Error::SignInAgain`].
#[derive(Clone)]
pub struct TokenSource(Arc<Inner>);

struct Inner {
    provider: Provider,
    persist: Persist,
    state: Mutex<State>,
}

/// A renewal that somebody waits for.
type Renewal = watch::Receiver<Option<Result<(), Error>>>;

struct State {
    current: Option<(Secret<String>, IdClaims)>,
    refresh_token: Option<Secret<String>>,
    subject: String,
    nonce: Option<String>,
    /// The provider's session (`sid`), where it says one.
    session: Option<String>,
    /// Refresh tokens of earlier sign-ins that may share the session with the current one.
    superseded: Vec<Secret<String>>,
    drift: Drift,
    /// A renewal that is under way; everyone waits for the same one.
    renewal: Option<Renewal>,
    failed: Option<(Instant, Error)>,
    ended: Option<String>,
    /// For good, unlike a refresh token that ran out: no later sign-in may bring this one back.
    signed_out: bool,
    kept: bool,
    renew_before: Option<Duration>,
    /// Counts the renewals that brought an ID token.
    renewals: watch::Sender<u64>,
}

/// What renewals made of a sign-in, against what it was (OpenID Connect Core 1.0 §12.2 wants it to stay as it was).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// The `acr` at the sign-in and what a renewal made of it; single sign-on in another application can lower it.
    pub acr: Option<(String, Option<String>)>,
    /// A renewal brought a later `auth_time` though nobody signed in here: `acr` and `auth_time` are of different
    /// moments.
    pub auth_time_moved: bool,
    /// A renewal brought no ID token, so nothing shows that the provider still vouches for the person.
    pub no_id_token: bool,
    /// A renewal said no groups, though the sign-in did.
    pub no_groups: bool,
}

/// How signing out went at the provider. Locally everything is gone either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedOut {
    /// The provider confirmed that the refresh token is revoked.
    Revoked,
    /// The provider has no revocation endpoint: the refresh token is forgotten here and runs out there.
    NotOffered,
    /// There was no refresh token.
    NothingToRevoke,
}

impl std::fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenSource")
            .field("issuer", &self.0.provider.config().issuer)
            .finish_non_exhaustive()
    }
}

impl TokenSource {
    /// Takes over a sign-in and stores what renews it; [`TokenSource::kept`] tells whether that worked.
    pub async fn open(provider: Provider, signed_in: SignedIn, persist: Persist) -> Self {
        let source = Self::with(
            provider,
            persist,
            State {
                subject: signed_in.claims.subject.clone(),
                nonce: Some(signed_in.nonce),
                session: signed_in.claims.session.clone(),
                superseded: Vec::new(),
                drift: Drift::default(),
                refresh_token: signed_in.refresh_token,
                current: Some((signed_in.id_token, signed_in.claims)),
                renewal: None,
                failed: None,
                ended: None,
                signed_out: false,
                kept: false,
                renew_before: None,
                renewals: watch::Sender::new(0),
            },
        );
        source.0.keep().await;
        source
    }

    /// Goes on with a sign-in stored earlier. Asks nobody yet: the first [`TokenSource::id_token`] does.
    ///
    /// # Errors
    /// [`Error::SignInAgain`] when what was stored can't be read.
    pub fn resume(provider: Provider, kept: &Secret<String>, persist: Persist) -> Result<Self, Error> {
        let (refresh_token, mut kept) = Kept::open(kept)?;
        let superseded = kept.take_superseded();
        let state = State {
            current: None,
            refresh_token: Some(refresh_token),
            subject: kept.subject,
            nonce: kept.nonce,
            session: kept.session,
            superseded,
            drift: Drift::default(),
            renewal: None,
            failed: None,
            ended: None,
            signed_out: false,
            kept: true,
            renew_before: None,
            renewals: watch::Sender::new(0),
        };
        Ok(Self::with(provider, persist, state))
    }

    fn with(provider: Provider, persist: Persist, state: State) -> Self {
        Self(Arc::new(Inner { provider, persist, state: Mutex::new(state) }))
    }

    /// Renews ID tokens when less than `left` of their life remains, instead of 60 s or a quarter of a short life.
    pub fn renew_before(&self, left: Duration) {
        self.0.lock().renew_before = Some(left);
    }

    /// Whether this sign-in survives a restart.
    pub fn kept(&self) -> bool {
        self.0.lock().kept
    }

    /// What the current ID token says, if there has been one.
    pub fn claims(&self) -> Option<IdClaims> {
        self.0.lock().current.as_ref().map(|(_, claims)| claims.clone())
    }

    /// What renewals changed since the sign-in.
    pub fn drift(&self) -> Drift {
        self.0.lock().drift.clone()
    }

    /// Each renewal that brought an ID token, from now on.
    pub fn renewals(&self) -> watch::Receiver<u64> {
        self.0.lock().renewals.subscribe()
    }

    /// Why this sign-in is over and only the person can go on, if it is.
    pub fn over(&self) -> Option<String> {
        self.0.lock().ended.clone()
    }

    /// The provider this sign-in is with.
    pub fn provider(&self) -> &Provider {
        &self.0.provider
    }

    /// An ID token that is good for a while. However many ask at once, at most one request goes out; it is finished
    /// even if all of them stop waiting, since it may use up the refresh token.
    ///
    /// # Errors
    /// [`Error::SignInAgain`] when only the person can help; otherwise what went wrong, and trying later may help.
    /// While the old token is still valid, a provider that can't be reached is no error.
    pub async fn id_token(&self) -> Result<Secret<String>, Error> {
        let renewal = {
            let mut state = self.0.lock();
            if let Some(token) = state.usable(true)? {
                return Ok(token);
            }
            if let Some((at, error)) = &state.failed
                && at.elapsed() < PAUSE
            {
                let error = error.clone();
                return state.usable(false)?.ok_or(error);
            }
            match self.renewal(&mut state, false) {
                Some(renewal) => renewal,
                None => return state.usable(false)?.ok_or_else(nothing_to_renew),
            }
        };
        let outcome = self.renewed(renewal).await;
        let state = self.0.lock();
        match outcome {
            Err(Error::Cancelled) => Err(Error::Cancelled),
            Err(error) => state.usable(false)?.ok_or(error),
            Ok(()) => state.usable(false)?.ok_or_else(|| Error::bad_token("it had run out when it arrived")),
        }
    }

    /// Asks the provider for a new ID token now, however long the one at hand is good: whether the provider still vouches
    /// for the person is what is asked. A renewal that is under way is waited for, so at most one request goes out.
    ///
    /// # Errors
    /// As [`TokenSource::id_token`]; also while the old token is still valid.
    pub async fn vouch(&self) -> Result<IdClaims, Error> {
        let renewal = {
            let mut state = self.0.lock();
            state.usable(false)?;
            let Some(renewal) = self.renewal(&mut state, true) else {
                state.drift.no_id_token = true;
                return Err(cannot_vouch("it gave nothing to renew the sign-in with"));
            };
            renewal
        };
        self.renewed(renewal).await?;
        self.claims().ok_or_else(|| Error::again("you signed out"))
    }

    /// The renewal that is under way, or one that begins now; `None` where there is nothing to renew with.
    fn renewal(&self, state: &mut State, is_asked_early: bool) -> Option<Renewal> {
        if let Some(under_way) = &state.renewal {
            return Some(under_way.clone());
        }
        let refresh_token = state.refresh_token.clone()?;
        let (done, renewal) = watch::channel(None);
        state.renewal = Some(renewal.clone());
        tokio::spawn(Arc::clone(&self.0).renew(refresh_token, is_asked_early, done));
        Some(renewal)
    }

    /// What became of a renewal.
    async fn renewed(&self, mut renewal: Renewal) -> Result<(), Error> {
        let outcome = renewal.wait_for(Option::is_some).await.map(|done| done.clone());
        match outcome {
            Ok(outcome) => outcome.unwrap_or(Ok(())),
            Err(_) => {
                // The task is gone without a word, as when the runtime shuts down.
                self.0.lock().renewal = None;
                Err(Error::Cancelled)
            }
        }
    }

    /// Goes on with a new sign-in of the same person, as after a step-up. The old refresh token is revoked on the side
    /// when it is certain to belong to another session of the provider: some end the whole session with one of its
    /// tokens, and so the new one too. Where that is not certain, it is revoked when signing out.
    ///
    /// # Errors
    /// [`Error::OtherPerson`] when it is someone else, [`Error::SignInAgain`] after a sign-out; nothing changes then.
    pub async fn replace(&self, signed_in: SignedIn) -> Result<(), Error> {
        self.0.settle().await;
        let late = signed_in.refresh_token.clone();
        let taken = self.take_over(signed_in);
        let alone = match taken {
            Ok(alone) => alone,
            Err(error) => {
                // A sign-in page that was still open when the person signed out, or somebody else's: nobody goes on with
                // what it brought.
                if let Some(late) = &late
                    && let Err(error) = self.0.provider.revoke(late).await
                {
                    tracing::warn!(%error, "the refresh token of a sign-in that nobody goes on with was not revoked");
                }
                return Err(error);
            }
        };
        self.0.keep().await;
        for old in alone {
            tokio::spawn(Arc::clone(&self.0).revoke_replaced(old));
        }
        Ok(())
    }

    /// Takes a new sign-in over, under one lock; the refresh tokens that can be revoked by themselves.
    fn take_over(&self, signed_in: SignedIn) -> Result<Vec<Secret<String>>, Error> {
        let mut state = self.0.lock();
        if state.signed_out {
            return Err(Error::again("you signed out"));
        }
        if state.subject != signed_in.claims.subject {
            return Err(Error::OtherPerson { was: state.person(), is: signed_in.claims.person() });
        }
        let old = std::mem::replace(&mut state.refresh_token, signed_in.refresh_token);
        let was = std::mem::replace(&mut state.session, signed_in.claims.session.clone());
        state.current = Some((signed_in.id_token, signed_in.claims));
        state.nonce = Some(signed_in.nonce);
        state.drift = Drift::default();
        state.failed = None;
        state.ended = None;
        let apart = matches!((&was, &state.session), (Some(was), Some(is)) if was != is);
        Ok(match old {
            Some(old) if !apart => {
                state.superseded.push(old);
                let over = state.superseded.len().saturating_sub(MOST_SUPERSEDED);
                state.superseded.drain(..over).collect()
            }
            old => Vec::from_iter(old),
        })
    }

    /// Forgets everything, here and in what was stored, and revokes the refresh token at the provider (RFC 7009).
    ///
    /// # Errors
    /// When the provider did not confirm; [`Error::EarlierSignIn`] when it did for the current sign-in alone. This
    /// computer has forgotten the tokens all the same.
    pub async fn sign_out(&self) -> Result<SignedOut, Error> {
        {
            let mut state = self.0.lock();
            state.ended = Some("you signed out".to_owned());
            state.signed_out = true;
        }
        self.0.settle().await; // a renewal under way may bring the refresh token that is to be revoked
        let (token, superseded) = {
            let mut state = self.0.lock();
            state.current = None;
            (state.refresh_token.take(), std::mem::take(&mut state.superseded))
        };
        self.0.keep().await;
        let older = revoke_all(&self.0.provider, superseded);
        let Some(token) = token else {
            return older.await.map(|()| SignedOut::NothingToRevoke);
        };
        let (revoked, older) = tokio::join!(self.0.provider.revoke(&token), older);
        let revoked = revoked?;
        older.map(|()| if revoked { SignedOut::Revoked } else { SignedOut::NotOffered })
    }
}

fn cannot_vouch(why: &str) -> Error {
    Error::setting(
        format!("{why}, which alone shows that it still vouches for you"),
        "An admin can make the identity provider give an ID token on a refresh, or leave `reaffirm` out of the profiles.",
    )
}

fn nothing_to_renew() -> Error {
    Error::again("the sign-in has run out and the provider gave nothing to renew it")
}

/// Revokes what earlier sign-ins left. The first failure that leaves open whether it works any more is returned.
async fn revoke_all(provider: &Provider, tokens: Vec<Secret<String>>) -> Result<(), Error> {
    let mut revoking = tokio::task::JoinSet::new();
    for token in tokens {
        let provider = provider.clone();
        revoking.spawn(async move { provider.revoke(&token).await });
    }
    let mut open = None;
    while let Some(done) = revoking.join_next().await {
        let Err(error) = done.unwrap_or(Err(Error::Cancelled)) else { continue };
        tracing::info!(%error, "the refresh token of an earlier sign-in was not revoked");
        if !says_it_is_gone(&error) {
            open.get_or_insert(error);
        }
    }
    open.map_or(Ok(()), |error| Err(Error::EarlierSignIn { source: Arc::new(error) }))
}

/// Earlier tokens are mostly gone with the session, and a provider may say so with an error. One that is out of order
/// says nothing.
fn says_it_is_gone(error: &Error) -> bool {
    let out_of_order = ["HTTP 5", "HTTP 429", "server_error", "temporarily_unavailable"];
    matches!(error, Error::Refused { code, .. } if !out_of_order.iter().any(|one| code.starts_with(one)))
}

impl State {
    /// The person for people, as far as it is known.
    fn person(&self) -> String {
        self.current.as_ref().map_or_else(|| quoted(&self.subject), |(_, claims)| claims.person())
    }

    /// Takes over what a renewal brought, and notes where it is not what the sign-in was.
    fn renewed(&mut self, id_token: Secret<String>, claims: IdClaims) {
        if let Some((_, before)) = &self.current {
            let at_first =
                self.drift.acr.as_ref().map_or_else(|| before.acr.clone(), |(was, _)| Some(was.clone()));
            self.drift.acr =
                at_first.filter(|was| claims.acr.as_ref() != Some(was)).map(|was| (was, claims.acr.clone()));
            if before.auth_time.is_some() && claims.auth_time > before.auth_time {
                self.drift.auth_time_moved = true;
            }
            self.drift.no_groups |= claims.groups.is_empty() && !before.groups.is_empty();
            self.drift.no_groups &= claims.groups.is_empty();
        }
        self.drift.no_id_token = false;
        self.renewals.send_modify(|count| *count += 1);
        if claims.session.is_some() {
            self.session = claims.session.clone();
        }
        self.current = Some((id_token, claims));
    }

    /// The current token, if it has enough life left; with `fresh` enough not to be renewed.
    fn usable(&self, fresh: bool) -> Result<Option<Secret<String>>, Error> {
        if let Some(why) = &self.ended {
            return Err(Error::again(why.clone()));
        }
        let Some((token, claims)) = &self.current else { return Ok(None) };
        let seconds = |from: Timestamp, to: Timestamp| to.as_second() - from.as_second();
        let quarter =
            Duration::from_secs(u64::try_from(seconds(claims.issued_at, claims.expires_at) / 4).unwrap_or(0));
        let margin = if fresh { self.renew_before.unwrap_or(quarter.min(MARGIN)) } else { Duration::ZERO };
        let margin = margin.as_secs().cast_signed();
        Ok((seconds(Timestamp::now(), claims.expires_at) > margin).then(|| token.clone()))
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere can't leave the state half written: every change is a few assignments.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Revokes a replaced refresh token; where that is left open, it waits for the sign-out with the others.
    async fn revoke_replaced(self: Arc<Self>, old: Secret<String>) {
        let Err(error) = self.provider.revoke(&old).await else { return };
        tracing::warn!(%error, "a replaced refresh token was not revoked");
        if !says_it_is_gone(&error) && !self.lock().signed_out {
            self.lock().superseded.push(old);
            self.keep().await;
        }
    }

    /// Waits until no renewal is under way.
    async fn settle(&self) {
        let under_way = self.lock().renewal.clone();
        if let Some(mut renewal) = under_way {
            // Its outcome is for those who asked for it.
            let _ = renewal.wait_for(Option::is_some).await;
        }
    }

    /// Brings what is stored in line with the refresh token in memory.
    async fn keep(&self) {
        let kept = {
            let state = self.lock();
            state.refresh_token.as_ref().map(|token| {
                Kept::seal(&Keep {
                    refresh_token: token,
                    subject: &state.subject,
                    nonce: state.nonce.as_deref(),
                    session: state.session.as_deref(),
                    superseded: &state.superseded,
                })
            })
        };
        let some = kept.is_some();
        let stored = (self.persist)(kept).await;
        if let Err(error) = &stored {
            tracing::warn!(%error, "the sign-in could not be stored and will not survive a restart");
        }
        self.lock().kept = some && stored.is_ok();
    }

    async fn renew(
        self: Arc<Self>,
        refresh_token: Secret<String>,
        is_asked_early: bool,
        done: watch::Sender<Option<Result<(), Error>>>,
    ) {
        let outcome = self.exchange(&refresh_token, is_asked_early).await;
        if let Err(Error::SignInAgain { .. }) = &outcome {
            self.lock().refresh_token = None;
            self.keep().await;
        }
        let mut state = self.lock();
        state.renewal = None;
        state.failed = None;
        match &outcome {
            Err(Error::SignInAgain { why }) => {
                state.ended.get_or_insert_with(|| why.clone());
            }
            Err(error) => state.failed = Some((Instant::now(), error.clone())),
            Ok(()) => {}
        }
        drop(state);
        // Those who asked may have stopped waiting.
        let _ = done.send(Some(outcome));
    }

    async fn exchange(&self, refresh_token: &Secret<String>, is_asked_early: bool) -> Result<(), Error> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose().as_str())];
        let tokens = match self.provider.redeem(&form).await {
            Ok(tokens) => tokens,
            Err(Error::Refused { code, why }) if code == "invalid_grant" => {
                return Err(Error::again(format!("the provider no longer renews this sign-in ({why})")));
            }
            Err(error) => return Err(error),
        };
        if let Some(rotated) = tokens.refresh_token {
            self.lock().refresh_token = Some(rotated);
            self.keep().await;
        }
        let Some(id_token) = tokens.id_token else {
            self.lock().drift.no_id_token = true;
            if is_asked_early {
                // What is at hand is good until it runs out.
                return Err(cannot_vouch("it renews the sign-in without an ID token"));
            }
            return Err(Error::again(
                "the provider renews the sign-in without an ID token, which the hub needs",
            ));
        };
        tokens.clock?;
        let expect = {
            let state = self.lock();
            let nonce = state.nonce.clone().map_or(ExpectNonce::Unknown, ExpectNonce::Same);
            Expect { nonce, subject: Some((state.subject.clone(), state.person())), ..Expect::default() }
        };
        let claims = self.provider.verify(&id_token, &expect).await?;
        self.lock().renewed(id_token, claims);
        Ok(())
    }
}
