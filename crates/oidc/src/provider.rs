use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sallyport_model::Secret;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    claims::{Expect, IdClaims, Parties, Unverified, verify},
    discovery::{Discovery, discover},
    error::{Error, quoted},
    http::{Answer, Http, unfit},
    jws::KeySet,
    redirect::{Redirect, callback_path},
};

/// A token with an unknown key makes the keys be fetched again, but not more often than this: whoever can make us see
/// such tokens must not be able to make us hammer the provider.
const REFETCH_EVERY: Duration = Duration::from_secs(10);

/// Where to sign in, and as which application.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// The issuer, exactly as the provider and the hub's API server spell it.
    pub issuer: String,
    /// This application's id there: the audience of its ID tokens, one for each hub.
    pub client_id: String,
    /// Asked for besides `openid`.
    pub scopes: Vec<String>,
    /// A CA to trust besides the system's, PEM.
    pub extra_ca_pem: Option<String>,
    /// How long one request to the provider may take in all.
    pub timeout: Duration,
    /// Where the browser brings the answer back to.
    pub redirect: Redirect,
    /// What some providers (Google) call the secret of a desktop application and send to everyone who installs it: it
    /// goes along with codes and refresh tokens, and proves nothing (RFC 8252 §8.5).
    pub client_secret: Option<String>,
    /// Audiences that ID tokens may name besides `client_id`, as long as `azp` says they were issued to it.
    pub extra_audiences: Vec<String>,
}

impl ProviderConfig {
    /// An issuer and a client with nothing special about them: no scopes besides `openid`, any port of 127.0.0.1, 10 s
    /// for a request.
    #[must_use]
    pub fn of(issuer: &str, client_id: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            scopes: Vec::new(),
            extra_ca_pem: None,
            timeout: Duration::from_secs(10),
            redirect: Redirect::default(),
            client_secret: None,
            extra_audiences: Vec::new(),
        }
    }
}

/// A provider that was looked up and fits. Clones share its signing keys.
#[derive(Clone, Debug)]
pub struct Provider(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: ProviderConfig,
    http: Http,
    discovery: Discovery,
    keys: Mutex<Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    set: Option<KeySet>,
    refetched: Option<Instant>,
}

/// The answer of the token endpoint, before anything in it is believed.
pub(crate) struct Tokens {
    pub(crate) id_token: Option<Secret<String>>,
    /// To be stored whatever else is wrong with the answer: the one it replaces is used up.
    pub(crate) refresh_token: Option<Secret<String>>,
    /// Whether clocks agree well enough for the times in `id_token` to mean anything.
    pub(crate) clock: Result<(), Error>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: Option<String>,
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct OAuthError {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Provider {
    /// Looks the provider up (OpenID Connect Discovery 1.0 §4). The issuer it names must be the configured one to the
    /// letter, its endpoints https, and what it offers enough for P3.
    ///
    /// # Errors
    /// [`Error::BadIssuer`], [`Error::NoTrust`], [`Error::ProviderUnreachable`], [`Error::Timeout`],
    /// [`Error::ProviderUnfit`].
    pub async fn discover(config: &ProviderConfig) -> Result<Self, Error> {
        crate::discovery::parse_issuer(&config.issuer)?;
        let (ca, timeout) = (config.extra_ca_pem.clone(), config.timeout);
        // The system's authorities are some hundred files.
        let http = tokio::task::spawn_blocking(move || Http::new(ca.as_deref(), timeout))
            .await
            .map_err(|_| Error::Cancelled)??;
        let discovery = discover(&http, &config.issuer).await?;
        let keys = Mutex::default();
        Ok(Self(Arc::new(Inner { config: config.clone(), http, discovery, keys })))
    }

    /// How this provider was configured.
    pub fn config(&self) -> &ProviderConfig {
        &self.0.config
    }

    /// The host of the authorization endpoint, where it is not the issuer's: the person is sent there.
    #[must_use]
    pub fn other_host(&self) -> Option<String> {
        let issuer = url::Url::parse(&self.0.config.issuer).ok()?;
        let at = &self.0.discovery.authorization;
        (at.host_str() != issuer.host_str()).then(|| quoted(at.host_str().unwrap_or_default()))
    }

    /// The host of the token endpoint, where it is not the authorization endpoint's: it receives the code and what goes
    /// with it, whoever's pages the person signs in at.
    #[must_use]
    pub fn code_host(&self) -> Option<String> {
        let Discovery { authorization, token, .. } = &self.0.discovery;
        (token.host_str() != authorization.host_str()).then(|| quoted(token.host_str().unwrap_or_default()))
    }

    /// The scopes that are to be asked for and that the provider does not list. The list is voluntary: asking may work
    /// all the same.
    #[must_use]
    pub fn unlisted_scopes(&self) -> Vec<String> {
        let Some(listed) = &self.0.discovery.scopes else { return Vec::new() };
        self.0.config.scopes.iter().filter(|scope| !listed.contains(scope)).map(|s| quoted(s)).collect()
    }

    /// Whether the person can end the browser's session there; signing out here ends only this application's.
    #[must_use]
    pub fn ends_sessions(&self) -> bool {
        self.0.discovery.ends_sessions
    }

    /// The path of the redirect address, which no other issuer has.
    pub(crate) fn callback_path(&self) -> String {
        callback_path(&self.0.config.issuer)
    }

    pub(crate) fn discovery(&self) -> &Discovery {
        &self.0.discovery
    }

    /// Redeems something at the token endpoint. A provider's no becomes [`Error::Refused`].
    pub(crate) async fn redeem(&self, form: &[(&str, &str)]) -> Result<Tokens, Error> {
        let answer = self.post(&self.0.discovery.token, form).await?;
        if answer.status != 200 {
            return Err(refusal(&answer));
        }
        let tokens: TokenAnswer = answer.json("its token answer")?;
        Ok(Tokens {
            id_token: tokens.id_token.map(Secret::new),
            refresh_token: tokens.refresh_token.map(Secret::new),
            clock: answer.check_clock(),
        })
    }

    /// Revokes a refresh token (RFC 7009); false when the provider offers no way to.
    pub(crate) async fn revoke(&self, token: &Secret<String>) -> Result<bool, Error> {
        let Some(endpoint) = &self.0.discovery.revocation else { return Ok(false) };
        let form = [("token", token.expose().as_str()), ("token_type_hint", "refresh_token")];
        let answer = self.post(endpoint, &form).await?;
        if answer.status == 200 { Ok(true) } else { Err(refusal(&answer)) }
    }

    async fn post(&self, url: &url::Url, form: &[(&str, &str)]) -> Result<Answer, Error> {
        let mut form = form.to_vec();
        form.push(("client_id", &self.0.config.client_id));
        if let Some(secret) = &self.0.config.client_secret {
            form.push(("client_secret", secret));
        }
        self.0.http.post(url, &form).await
    }

    /// Verifies an ID token, fetching the signing keys when needed.
    pub(crate) async fn verify(&self, raw: &Secret<String>, expect: &Expect) -> Result<IdClaims, Error> {
        let parties = Parties {
            issuer: &self.0.config.issuer,
            client_id: &self.0.config.client_id,
            extra_audiences: &self.0.config.extra_audiences,
            algs: &self.0.discovery.algs,
        };
        let mut keys = self.0.keys.lock().await;
        let (set, fresh) = match keys.set.clone() {
            Some(set) => (set, false),
            None => (self.fetch_keys().await?, true),
        };
        keys.set = Some(set.clone());
        match verify(raw.expose(), &parties, &set, expect) {
            Ok(claims) => return Ok(claims),
            Err(Unverified::Wrong(error)) => return Err(error),
            Err(Unverified::UnknownKey) => {}
        }
        let unknown = || Error::bad_token("it is signed with a key the provider does not publish");
        if fresh || keys.refetched.is_some_and(|at| at.elapsed() < REFETCH_EVERY) {
            return Err(unknown());
        }
        keys.refetched = Some(Instant::now());
        let set = self.fetch_keys().await?;
        keys.set = Some(set.clone());
        match verify(raw.expose(), &parties, &set, expect) {
            Ok(claims) => Ok(claims),
            Err(Unverified::Wrong(error)) => Err(error),
            Err(Unverified::UnknownKey) => Err(unknown()),
        }
    }

    async fn fetch_keys(&self) -> Result<KeySet, Error> {
        let at = &self.0.discovery.jwks;
        let published: serde_json::Value = self.0.http.get(at).await?.json("its key set")?;
        KeySet::parse(&published).ok_or_else(|| unfit(at, "its key set is none, or has too many keys"))
    }
}

/// What a provider said instead of giving tokens (RFC 6749 §5.2).
fn refusal(answer: &Answer) -> Error {
    match serde_json::from_slice::<OAuthError>(&answer.body) {
        Ok(said) => Error::Refused { code: quoted(&said.error), why: quoted(&said.error_description) },
        Err(_) => {
            Error::Refused { code: format!("HTTP {}", answer.status), why: "no reason given".to_owned() }
        }
    }
}
