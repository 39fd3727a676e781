//! A provider that does what it is told to do wrong: TLS, a few endpoints, tokens with any header and any claims.

use std::{
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, Mac as _};
use p256::ecdsa::{Signature as Es256, SigningKey, signature::Signer as _};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use sallyport_oidc::{Ask, Error, Provider, ProviderConfig, SignedIn};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, rustls};

pub(crate) const CLIENT: &str = "sallyport-hub";

/// How a token's signature comes about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signature {
    Proper,
    /// `alg: none`, nothing after the last dot.
    None,
    /// HS256 with the published key as the secret, the classic confusion.
    PublicKeyAsSecret,
    /// Signed with a key that is not the published one of the same id.
    Forged,
}

/// What the liar does; the default is honest.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) signature: Signature,
    pub(crate) kid: String,
    /// Merged into the honest claims; `null` removes.
    pub(crate) claims: Value,
    /// Merged into the honest discovery document.
    pub(crate) discovery: Value,
    /// The path that never answers.
    pub(crate) hang: Option<&'static str>,
    /// The refresh token that can't be revoked: 503 is the answer.
    pub(crate) stuck: Option<&'static str>,
    /// The path that answers with a redirect to `/elsewhere`.
    pub(crate) redirect: Option<&'static str>,
    /// The path that answers with 2 MiB.
    pub(crate) flood: Option<&'static str>,
    /// Instead of the honest token answer.
    pub(crate) token_answer: Option<String>,
    /// Beside the published key, before it.
    pub(crate) more_keys: Vec<Value>,
    pub(crate) refresh_token: String,
    nonce: String,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            signature: Signature::Proper,
            kid: "one".to_owned(),
            claims: json!({}),
            discovery: json!({}),
            hang: None,
            stuck: None,
            redirect: None,
            flood: None,
            token_answer: None,
            more_keys: Vec::new(),
            refresh_token: "r".to_owned(),
            nonce: String::new(),
        }
    }
}

struct Shared {
    issuer: String,
    script: Mutex<Script>,
    /// Path and body of every request.
    requests: Mutex<Vec<(String, String)>>,
    key: SigningKey,
    other_key: SigningKey,
}

pub(crate) struct Liar {
    shared: Arc<Shared>,
    ca_pem: String,
    serving: JoinHandle<()>,
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn signing_key(seed: u8) -> Result<SigningKey> {
    SigningKey::from_slice(&[seed; 32]).map_err(|error| anyhow::anyhow!("{error}"))
}

/// The public half, as it is published.
fn jwk(key: &SigningKey, kid: &str) -> Value {
    let point = key.verifying_key().to_sec1_point(false);
    let part = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    let (x, y) = (part(&point.as_bytes()[1..33]), part(&point.as_bytes()[33..]));
    json!({ "kty": "EC", "crv": "P-256", "kid": kid, "x": x, "y": y })
}

impl Liar {
    pub(crate) async fn start() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
        let key = KeyPair::generate()?;
        let cert = params.signed_by(&key, &ca)?;
        let tls =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(
                    vec![cert.der().clone()],
                    key.serialize_der().try_into().map_err(anyhow::Error::msg)?,
                )?;
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let shared = Arc::new(Shared {
            issuer: format!("https://{}", listener.local_addr()?),
            script: Mutex::default(),
            requests: Mutex::default(),
            key: signing_key(1)?,
            other_key: signing_key(2)?,
        });
        let serving = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                let mut connections = tokio::task::JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    connections.spawn(Arc::clone(&shared).serve(acceptor.clone(), stream));
                }
            }
        });
        Ok(Self { shared, ca_pem: ca.pem(), serving })
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        lock(&self.shared.script)
    }

    /// How often `path` was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        lock(&self.shared.requests).iter().filter(|(asked, _)| asked == path).count()
    }

    /// The refresh tokens that were to be revoked.
    pub(crate) fn to_revoke(&self) -> Vec<String> {
        let requests = lock(&self.shared.requests);
        let forms = requests.iter().filter(|(path, _)| path == "/revoke");
        let fields = forms.flat_map(|(_, body)| url::form_urlencoded::parse(body.as_bytes()));
        fields.filter(|(key, _)| key == "token").map(|(_, token)| token.into_owned()).collect()
    }

    /// The codes that were redeemed.
    pub(crate) fn codes(&self) -> Vec<String> {
        let requests = lock(&self.shared.requests);
        let forms = requests.iter().flat_map(|(_, body)| url::form_urlencoded::parse(body.as_bytes()));
        forms.filter(|(key, _)| key == "code").map(|(_, code)| code.into_owned()).collect()
    }

    pub(crate) fn config(&self) -> ProviderConfig {
        ProviderConfig {
            scopes: vec!["email".to_owned()],
            extra_ca_pem: Some(self.ca_pem.clone()),
            timeout: Duration::from_secs(20),
            ..ProviderConfig::of(&self.shared.issuer, CLIENT)
        }
    }

    /// Signs in, with the browser's part played by `answer`: it turns the honest query of the redirect into what
    /// is delivered, one after the other.
    pub(crate) async fn sign_in_with(
        &self,
        provider: &Provider,
        ask: Ask,
        answer: impl Fn(&str, &str) -> Vec<String>,
    ) -> Result<SignedIn, Error> {
        let attempt = provider.begin(ask).await?;
        let param = |name: &str| {
            let found = attempt.authorization_url().query_pairs().find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).expect("a parameter of every request")
        };
        let (state, redirect) = (param("state"), param("redirect_uri"));
        self.script().nonce = param("nonce");
        let queries = answer(&state, self.issuer());
        let finishing = tokio::spawn(attempt.finish(Duration::from_secs(60), pending()));
        for query in queries {
            deliver(&redirect, &query).await;
        }
        finishing.await.expect("no panic")
    }

    pub(crate) async fn sign_in(&self, provider: &Provider, ask: Ask) -> Result<SignedIn, Error> {
        self.sign_in_with(provider, ask, |state, _| vec![format!("code=c&state={state}")]).await
    }
}

/// Delivers one answer to the loopback and returns what it said.
pub(crate) async fn deliver(redirect: &str, query: &str) -> String {
    let (at, path) = redirect.trim_start_matches("http://").split_once('/').expect("an address");
    let Ok(mut stream) = TcpStream::connect(at).await else { return String::new() };
    let request = format!("GET /{path}?{query} HTTP/1.1\r\nHost: {at}\r\n\r\n");
    let mut answer = Vec::new();
    let _ = stream.write_all(request.as_bytes()).await;
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn merge(into: &mut Value, changes: &Value) {
    for (key, value) in changes.as_object().into_iter().flatten() {
        if value.is_null() {
            into.as_object_mut().expect("an object").remove(key);
        } else {
            into[key] = value.clone();
        }
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, acceptor: TlsAcceptor, stream: TcpStream) {
        let Ok(mut stream) = acceptor.accept(stream).await else { return };
        // One request for each connection is enough; `connection: close` says so.
        let Ok((path, body)) = read_request(&mut stream).await else { return };
        let script = lock(&self.script).clone();
        let stuck =
            path == "/revoke" && script.stuck.is_some_and(|token| body.contains(&format!("token={token}&")));
        lock(&self.requests).push((path.clone(), body));
        if script.hang == Some(path.as_str()) {
            return pending().await;
        }
        let (status, body) = if script.redirect == Some(path.as_str()) {
            ("302 Found\r\nlocation: /elsewhere", String::new())
        } else if stuck {
            ("503 Service Unavailable", String::new())
        } else if script.flood == Some(path.as_str()) {
            ("200 OK", "x".repeat(2 << 20))
        } else {
            ("200 OK", self.answer(&path, &script))
        };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all((head + &body).as_bytes()).await;
        let _ = stream.shutdown().await;
    }

    fn answer(&self, path: &str, script: &Script) -> String {
        match path {
            "/.well-known/openid-configuration" => {
                let mut document = json!({
                    "issuer": self.issuer,
                    "authorization_endpoint": format!("{}/auth", self.issuer),
                    "token_endpoint": format!("{}/token", self.issuer),
                    "jwks_uri": format!("{}/jwks", self.issuer),
                    "revocation_endpoint": format!("{}/revoke", self.issuer),
                    "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA", "HS256", "none"],
                    "code_challenge_methods_supported": ["S256"],
                });
                merge(&mut document, &script.discovery);
                document.to_string()
            }
            "/jwks" => {
                let keys: Vec<Value> =
                    script.more_keys.iter().cloned().chain([jwk(&self.key, "one")]).collect();
                json!({ "keys": keys }).to_string()
            }
            "/token" => script.token_answer.clone().unwrap_or_else(|| {
                json!({ "access_token": "a", "token_type": "Bearer", "id_token": self.token(script), "refresh_token": script.refresh_token })
                    .to_string()
            }),
            _ => "{}".to_owned(),
        }
    }

    fn token(&self, script: &Script) -> String {
        let now = jiff::Timestamp::now().as_second();
        let mut claims = json!({
            "iss": self.issuer, "sub": "ana", "aud": CLIENT, "exp": now + 600, "iat": now, "auth_time": now,
            "nonce": script.nonce, "acr": "mfa", "amr": ["pwd", "otp"], "email": "secret-in-token@meridian.example",
        });
        merge(&mut claims, &script.claims);
        let alg = match script.signature {
            Signature::None => "none",
            Signature::PublicKeyAsSecret => "HS256",
            Signature::Proper | Signature::Forged => "ES256",
        };
        let header = json!({ "alg": alg, "typ": "JWT", "kid": script.kid });
        let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let sign = |key: &SigningKey| {
            let signature: Es256 = key.sign(signed.as_bytes());
            signature.to_bytes().to_vec()
        };
        let signature = match script.signature {
            Signature::Proper => sign(&self.key),
            Signature::Forged => sign(&self.other_key),
            Signature::None => Vec::new(),
            Signature::PublicKeyAsSecret => {
                let secret = serde_json::to_vec(&jwk(&self.key, "one")).expect("a JWK is JSON");
                let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&secret).expect("any length");
                mac.update(signed.as_bytes());
                mac.finalize().into_bytes().to_vec()
            }
        };
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }
}

/// Reads one request and returns its path and body.
async fn read_request(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Result<(String, String)> {
    let mut text = Vec::new();
    let mut chunk = [0_u8; 4096];
    loop {
        let read = stream.read(&mut chunk).await?;
        anyhow::ensure!(read > 0, "the client has gone");
        text.extend_from_slice(&chunk[..read]);
        let seen = String::from_utf8_lossy(&text);
        let Some((head, body)) = seen.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Ok((head.split(' ').nth(1).context("a request line")?.to_owned(), body.to_owned()));
        }
    }
}
