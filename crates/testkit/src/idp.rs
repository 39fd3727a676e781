//! A real OpenID provider for tests and the demo: `oidc-provider` under Node, with people who have a password and a
//! one-time code, HTTPS under a CA of its own, and orders for what goes wrong in the field.
//!
//! It ends with whoever started it: when the last [`Idp`] is dropped, when this process ends (its stdin closes), and,
//! should it hang, by the kernel (`setpriv --pdeathsig`). It leaves no file: what it reads at start is removed
//! as soon as it listens.

mod launch;
mod quirks;

pub use launch::cache_dir;
pub use quirks::{Quirks, RedirectRule};

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::JoinHandle,
};

use anyhow::{Context as _, Result, anyhow};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// The authentication class of a password alone.
pub const ACR_PASSWORD: &str = "urn:sallyport:pwd";
/// The authentication class of password and one-time code.
pub const ACR_MFA: &str = "urn:sallyport:mfa";

/// One person the provider knows.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// The subject: stable, and also good as the user name.
    pub sub: String,
    /// The address shown and asked for at sign-in.
    pub email: String,
    /// Whether the provider vouches for the address.
    pub email_verified: bool,
    /// The display name.
    pub name: String,
    /// Groups, unprefixed.
    pub groups: Vec<String>,
    /// The password, in the clear: these people exist on this machine only.
    pub password: String,
    /// The one-time-code secret, base32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totp: Option<String>,
    /// `Some("always")` asks for the code at every sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa: Option<&'static str>,
    /// A person who has left: no sign-in, no refresh.
    pub disabled: bool,
}

impl Account {
    /// A person with an address at `meridian.example`, a password and a one-time-code secret derived from `sub`.
    #[must_use]
    pub fn person(sub: &str, name: &str, groups: &[&str]) -> Self {
        let seed: Vec<u8> = sub.bytes().chain(*b"-sallyport-demo-secret").take(20).collect();
        Self {
            sub: sub.to_owned(),
            email: format!("{sub}@meridian.example"),
            email_verified: true,
            name: name.to_owned(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            password: format!("{sub}-password"),
            totp: Some(data_encoding::BASE32_NOPAD.encode(&seed)),
            mfa: None,
            disabled: false,
        }
    }
}

/// One application registered at the provider: native, public, PKCE required, loopback redirect on any port.
#[derive(Clone, Debug, Serialize)]
pub struct IdpClient {
    /// The client id, which is also the audience of its ID tokens: one for each hub.
    pub client_id: String,
    /// What its ID tokens are signed with: `RS256`, `ES512`, `EdDSA`, …
    pub id_token_alg: &'static str,
    /// A secret that it has to send along, as Google wants it of desktop applications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Redirect addresses beside the present one, without a port: those of older releases.
    pub redirects_too: Vec<String>,
}

impl IdpClient {
    /// A client whose tokens are signed with RS256.
    #[must_use]
    pub fn new(client_id: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            id_token_alg: "RS256",
            client_secret: None,
            redirects_too: Vec::new(),
        }
    }
}

/// A certificate authority to serve under, PEM.
#[derive(Clone)]
pub struct IdpCa {
    /// The authority's certificate.
    pub cert_pem: String,
    /// Its private key.
    pub key_pem: String,
}

/// What to start.
#[derive(Clone)]
pub struct IdpOptions {
    /// The name on the pages.
    pub name: String,
    /// Who can sign in.
    pub accounts: Vec<Account>,
    /// Which applications; the first is [`Idp::client_id`].
    pub clients: Vec<IdpClient>,
    /// The authority to serve under; `None` makes one.
    pub ca: Option<IdpCa>,
    /// The port on 127.0.0.1; `None` takes a free one.
    pub port: Option<u16>,
    /// How long an ID token is good for, seconds.
    pub id_token_seconds: u32,
    /// For how long a step-up asks for the code alone after a password was given, seconds.
    pub password_fresh_seconds: u32,
    /// Whose password and current code the pages show, by `sub`, and what that person can try: for demos, where there
    /// is no authenticator to look at. Empty shows nobody's.
    pub shown: Vec<(&'static str, &'static str)>,
    /// Ways of other providers.
    pub quirks: Quirks,
}

impl Default for IdpOptions {
    fn default() -> Self {
        Self {
            name: "Meridian ID".to_owned(),
            accounts: vec![
                Account::person("ana", "Ana Ortiz", &["oncall", "payments"]),
                Account::person("ben", "Ben Mattsson", &["leads", "payments"]),
                Account::person("chen", "Chen Wei", &["platform"]),
            ],
            clients: vec![IdpClient::new("sallyport-hub")],
            ca: None,
            port: None,
            id_token_seconds: 3600,
            password_fresh_seconds: 8 * 3600,
            shown: Vec::new(),
            quirks: Quirks::default(),
        }
    }
}

/// How an endpoint misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Takes the request and never answers.
    Hang,
    /// Answers 500.
    Error,
    /// Answers after this many milliseconds.
    Delay(u32),
}

/// A place of the provider that can misbehave and is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/.well-known/openid-configuration`
    Discovery,
    /// The signing keys.
    Jwks,
    /// Where the browser is sent.
    Authorization,
    /// Codes and refresh tokens are redeemed here.
    Token,
    /// RFC 7009.
    Revocation,
}

impl Endpoint {
    fn word(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
            Self::Authorization => "authorization",
            Self::Token => "token",
            Self::Revocation => "revocation",
        }
    }
}

/// What became of one refresh token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RefreshTokenFate {
    /// The client it was issued to.
    pub client: String,
    /// The person it stands for.
    pub account: String,
    /// How many came before it in the same sign-in.
    pub rotations: u32,
    /// `live`, `rotated` (used once), `revoked` or `expired`.
    pub state: String,
}

type Order = (Value, oneshot::Sender<Result<Value>>);

struct Running {
    issuer: String,
    ca_pem: String,
    options: IdpOptions,
    orders: Option<mpsc::Sender<Order>>,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.orders.take());
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(keeper) = keeper {
            // A keeper that panicked has lost the child, which then ends by itself: its stdin is closed.
            let _ = keeper.join();
        }
    }
}

/// A running provider. Clones share it; the last one dropped ends it.
#[derive(Clone)]
pub struct Idp(Arc<Running>);

impl Idp {
    /// Starts a provider and waits until it listens. The first start on a machine installs `oidc-provider` into the
    /// cache (`SALLYPORT_CACHE`, else `~/.cache/sallyport`), which needs the npm registry.
    ///
    /// # Errors
    /// When Node or npm is missing, the install fails, or the program ends before it listens; with its last words.
    pub async fn start(options: IdpOptions) -> Result<Self> {
        let (orders, inbox) = mpsc::channel::<Order>();
        let (ready, listening) = oneshot::channel();
        let asked = options.clone();
        let keeper = std::thread::Builder::new()
            .name("idp-keeper".into())
            // One thread owns the child from fork to wait: the parent-death signal follows the thread that forked.
            .spawn(move || launch::keep(&asked, ready, &inbox))
            .context("start the thread that keeps the provider")?;
        let started = listening.await.map_err(|_| anyhow!("the provider's keeper ended early"))??;
        Ok(Self(Arc::new(Running {
            issuer: started.issuer,
            ca_pem: started.ca_pem,
            options,
            orders: Some(orders),
            keeper: Mutex::new(Some(keeper)),
        })))
    }

    /// The issuer, `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The redirect address that is registered for its clients, without a port.
    #[must_use]
    pub fn redirect(&self) -> String {
        use sha2::Digest as _;
        let hash = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(self.issuer().as_bytes())[..16]);
        format!("http://127.0.0.1/callback/{hash}")
    }

    /// The CA to trust, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.0.ca_pem
    }

    /// The first client's id.
    ///
    /// # Panics
    /// When started without clients.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.0.options.clients.first().expect("started with at least one client").client_id
    }

    /// A person, as the provider was started with.
    ///
    /// # Panics
    /// When there is no such person.
    #[must_use]
    pub fn account(&self, sub: &str) -> &Account {
        let found = self.0.options.accounts.iter().find(|account| account.sub == sub);
        found.unwrap_or_else(|| panic!("no account {sub}"))
    }

    /// Everyone the provider was started with.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        &self.0.options.accounts
    }

    /// Gives one order and waits for its answer.
    ///
    /// # Errors
    /// When the program has ended or does not know the order.
    pub async fn order(&self, order: Value) -> Result<Value> {
        let (reply, answer) = oneshot::channel();
        let orders = self.0.orders.as_ref().context("the provider was stopped")?;
        orders.send((order, reply)).map_err(|_| anyhow!("the provider has ended"))?;
        answer.await.map_err(|_| anyhow!("the provider has ended"))?
    }

    async fn text(&self, order: Value) -> Result<String> {
        Ok(self.order(order).await?.as_str().context("the provider answered no text")?.to_owned())
    }

    /// What the person's authenticator shows now. The provider takes it once.
    ///
    /// # Errors
    /// As [`Idp::order`], and for a person without a secret.
    pub async fn totp_now(&self, sub: &str) -> Result<String> {
        self.text(json!({ "op": "code", "sub": sub })).await
    }

    /// The current code with one use to spare for whoever asked here: tests sign in more often than every 30 s.
    ///
    /// # Errors
    /// As [`Idp::totp_now`].
    pub async fn spare_code(&self, sub: &str) -> Result<String> {
        self.text(json!({ "op": "code", "sub": sub, "spare": true })).await
    }

    /// Replaces the signing keys; with `keep` the old ones stay published.
    ///
    /// # Errors
    /// As [`Idp::order`].
    pub async fn rotate_keys(&self, keep: bool) -> Result<()> {
        self.order(json!({ "op": "keys", "keep": keep })).await.map(drop)
    }

    /// Sets the provider's clock (tokens and `Date`) ahead by `seconds`, or behind when negative.
    ///
    /// # Errors
    /// As [`Idp::order`].
    pub async fn set_clock(&self, seconds: i64) -> Result<()> {
        self.order(json!({ "op": "clock", "seconds": seconds })).await.map(drop)
    }

    /// Makes an endpoint misbehave until told otherwise with `None`.
    ///
    /// # Errors
    /// As [`Idp::order`].
    pub async fn fault(&self, endpoint: Endpoint, fault: Option<Fault>) -> Result<()> {
        let (mode, ms) = match fault {
            None => (None, 0),
            Some(Fault::Hang) => (Some("hang"), 0),
            Some(Fault::Error) => (Some("error"), 0),
            Some(Fault::Delay(ms)) => (Some("delay"), ms),
        };
        let order = json!({ "op": "fault", "endpoint": endpoint.word(), "mode": mode, "ms": ms });
        self.order(order).await.map(drop)
    }

    /// Leaves the ID token out of refresh answers, as OpenID Connect Core §12.2 allows.
    ///
    /// # Errors
    /// As [`Idp::order`].
    pub async fn omit_id_token(&self, on: bool) -> Result<()> {
        self.order(json!({ "op": "omit_id_token", "on": on })).await.map(drop)
    }

    /// Signs people in with the password alone, whatever class was asked for.
    ///
    /// # Errors
    /// As [`Idp::order`].
    pub async fn weaken_acr(&self, on: bool) -> Result<()> {
        self.order(json!({ "op": "weak_acr", "on": on })).await.map(drop)
    }

    /// Takes on the ways of another provider from now on; [`Quirks::default`] gives its own back.
    ///
    /// # Errors
    /// As [`Idp::order`].
    pub async fn imitate(&self, quirks: &Quirks) -> Result<()> {
        self.order(json!({ "op": "quirks", "quirks": quirks })).await.map(drop)
    }

    /// Changes how long ID tokens issued from now on are good for.
    ///
    /// # Errors
    /// As [`Idp::order`].
    pub async fn set_id_token_seconds(&self, seconds: u32) -> Result<()> {
        self.order(json!({ "op": "id_token_seconds", "seconds": seconds })).await.map(drop)
    }

    /// Adds a person or replaces the one with the same subject: new groups, disabled, …
    ///
    /// # Errors
    /// As [`Idp::order`].
    pub async fn put_account(&self, account: &Account) -> Result<()> {
        self.order(json!({ "op": "account", "account": account })).await.map(drop)
    }

    /// Revokes everything that renews a person's sign-ins, as an admin does in the provider's console.
    ///
    /// # Errors
    /// As [`Idp::order`].
    pub async fn revoke_sign_ins(&self, sub: &str) -> Result<()> {
        self.order(json!({ "op": "revoke_sign_ins", "sub": sub })).await.map(drop)
    }

    /// Every refresh token issued so far and what became of it.
    ///
    /// # Errors
    /// As [`Idp::order`].
    pub async fn refresh_tokens(&self) -> Result<Vec<RefreshTokenFate>> {
        Ok(serde_json::from_value(self.order(json!({ "op": "refresh_tokens" })).await?)?)
    }

    /// How many requests an endpoint has had.
    ///
    /// # Errors
    /// As [`Idp::order`].
    pub async fn requests(&self, endpoint: Endpoint) -> Result<u64> {
        let counts: BTreeMap<String, u64> =
            serde_json::from_value(self.order(json!({ "op": "counts" })).await?)?;
        Ok(counts.get(endpoint.word()).copied().unwrap_or(0))
    }
}
