//! The one way to a store: its own and the given authorities, no redirect, no proxy of the environment, a deadline for
//! everything, and answers that are bounded as they come.

use crate::target::Target;
use crate::{EngineError, Kind};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use sallyport_model::{Secret, clip, visible};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// A file that says how to get in is no longer than this, in bytes.
const ACCESS_MOST: u64 = 1 << 20;
/// As much of an answer that says no as is shown, in characters.
const SAID_MOST: usize = 300;

/// How to get in, and whose the store is.
#[derive(Debug, Default)]
pub struct Access {
    /// Authorities to believe beside the system's, PEM.
    pub ca_pem: Option<String>,
    /// What to send as `Authorization`.
    pub authorization: Option<Secret<String>>,
    /// Which tenant: `X-Scope-OrgID` for Loki, `AccountID` or `AccountID:ProjectID` for VictoriaLogs.
    pub tenant: String,
}

impl Access {
    /// From files: authorities in PEM, and a credential. That is a bearer token, or what stands behind `Authorization:`
    /// (`Basic …`), and never an argument, which whoever lists processes would read.
    ///
    /// # Errors
    /// [`EngineError::Access`], which names the file and never what is in it.
    pub fn read(ca: Option<&Path>, credential: Option<&Path>, tenant: &str) -> Result<Self, EngineError> {
        let mut access = Self { tenant: tenant.to_owned(), ..Self::default() };
        if let Some(path) = ca {
            access.ca_pem = Some(read(path)?);
        }
        if let Some(path) = credential {
            let content = Secret::new(read(path)?);
            let line = content.expose().trim();
            if line.is_empty() || line.chars().any(char::is_control) {
                return Err(unusable(path, "it has to hold one line: a bearer token, or `Basic …`"));
            }
            let whole = match line.split_once(' ') {
                Some(_) => line.to_owned(),
                None => format!("Bearer {line}"),
            };
            access.authorization = Some(Secret::new(whole));
        }
        Ok(access)
    }
}

fn read(path: &Path) -> Result<String, EngineError> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(ACCESS_MOST + 1).read_to_string(&mut text))
        .map_err(|error| unusable(path, &error.to_string()))?;
    if text.len() as u64 > ACCESS_MOST {
        return Err(unusable(path, "it is larger than 1 MiB"));
    }
    Ok(text)
}

fn unusable(path: &Path, why: &str) -> EngineError {
    EngineError::Access { what: visible(&path.display().to_string()), why: why.to_owned() }
}

/// How long a store may take, and how much it may answer.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Until it is reached.
    pub connect: Duration,
    /// Between two pieces of an answer.
    pub silent: Duration,
    /// For one question and all of its answer.
    pub whole: Duration,
    /// Bytes of one answer.
    pub bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silent: Duration::from_secs(30),
            whole: Duration::from_secs(300),
            bytes: 64 << 20,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    bounds: Bounds,
    host: String,
    tenant: String,
}

impl Http {
    pub(crate) fn new(target: &Target, access: &Access, bounds: Bounds) -> Result<Self, EngineError> {
        let no_trust = |why: String| EngineError::NoTrust { why };
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(pem) = &access.ca_pem {
            let before = roots.len();
            for cert in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let cert = cert.map_err(|error| no_trust(format!("what was given is not PEM: {error}")))?;
                roots.add(cert).map_err(|error| no_trust(format!("what was given is refused: {error}")))?;
            }
            if roots.len() == before {
                return Err(no_trust("what was given holds no certificate".to_owned()));
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| no_trust(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .use_preconfigured_tls(tls)
            // It would lead events and the credential anywhere.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(bounds.connect)
            .read_timeout(bounds.silent)
            .timeout(bounds.whole)
            .default_headers(headers(target, access)?)
            .user_agent(concat!("sallyport/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| no_trust(error.to_string()))?;
        Ok(Self { client, bounds, host: target.host(), tenant: access.tenant.clone() })
    }

    pub(crate) fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Asks for a page; the answer is read piece by piece.
    pub(crate) async fn get(&self, url: Url) -> Result<Body, EngineError> {
        self.send(self.client.get(url)).await
    }

    /// A question whose arguments are too long for an address.
    pub(crate) async fn ask(&self, url: Url, form: &[(&str, &str)]) -> Result<Body, EngineError> {
        self.send(self.client.post(url).form(form)).await
    }

    /// Hands a body on; what is answered is small.
    pub(crate) async fn post(
        &self,
        url: Url,
        kind: &'static str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, EngineError> {
        let request = self.client.post(url).header(reqwest::header::CONTENT_TYPE, kind).body(body);
        self.send(request).await?.whole().await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Body, EngineError> {
        let response = request.send().await.map_err(|error| self.explain(error))?;
        let status = response.status().as_u16();
        let body = Body { response, host: self.host.clone(), left: self.bounds.bytes, bounds: self.bounds };
        match status {
            200..300 => Ok(body),
            300..400 => Err(self.unfit("a redirect, which is not followed")),
            _ => Err(body.refused(status).await),
        }
    }

    /// That it answered with something else than it should.
    pub(crate) fn unfit(&self, why: impl Into<String>) -> EngineError {
        EngineError::Unfit { host: self.host.clone(), why: why.into() }
    }

    fn explain(&self, error: reqwest::Error) -> EngineError {
        explain(&self.host, &self.bounds, &error)
    }
}

/// An answer as it comes.
pub(crate) struct Body {
    response: Response,
    host: String,
    left: u64,
    bounds: Bounds,
}

impl Body {
    /// The next piece.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Vec<u8>>, EngineError> {
        let chunk = self.response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| explain(&self.host, &self.bounds, &error))? else {
            return Ok(None);
        };
        let Some(left) = self.left.checked_sub(chunk.len() as u64) else {
            return Err(EngineError::TooLarge { host: self.host.clone(), most: self.bounds.bytes });
        };
        self.left = left;
        Ok(Some(chunk.to_vec()))
    }

    pub(crate) async fn whole(mut self) -> Result<Vec<u8>, EngineError> {
        let mut whole = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole)
    }

    async fn refused(mut self, status: u16) -> EngineError {
        let after = self.response.headers().get(RETRY_AFTER).and_then(|after| after.to_str().ok());
        let again = after.and_then(|after| after.trim().parse().ok()).map(Duration::from_secs);
        let mut said = Vec::new();
        while said.len() < 4 * SAID_MOST {
            match self.chunk().await {
                Ok(Some(chunk)) => said.extend_from_slice(&chunk),
                // What it said so far will do.
                Ok(None) | Err(_) => break,
            }
        }
        let said = String::from_utf8_lossy(&said);
        let said = if is_html(said.as_bytes()) { "a page of HTML".to_owned() } else { visible(said.trim()) };
        EngineError::Refused { host: self.host, status, said: clip(&said, SAID_MOST), again }
    }
}

/// Whether a text is a page for people: a proxy's, or the sign-in of a network.
pub(crate) fn is_html(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"<")
}

fn explain(host: &str, bounds: &Bounds, error: &reqwest::Error) -> EngineError {
    let host = host.to_owned();
    if error.is_timeout() {
        let after = if error.is_connect() { bounds.connect } else { bounds.silent.min(bounds.whole) };
        return EngineError::Slow { host, after };
    }
    // The innermost says it: "connection refused", "invalid peer certificate"….
    let mut why: &dyn std::error::Error = error;
    while let Some(source) = why.source() {
        why = source;
    }
    EngineError::Unreachable { host, why: clip(&visible(&why.to_string()), SAID_MOST) }
}

fn headers(target: &Target, access: &Access) -> Result<HeaderMap, EngineError> {
    let mut headers = HeaderMap::new();
    let mut add = |name: &'static str, value: &str, is_secret: bool| {
        let unfit = |_| EngineError::Access { what: name.to_owned(), why: "it can't be sent".to_owned() };
        let mut value = HeaderValue::from_str(value).map_err(unfit)?;
        value.set_sensitive(is_secret);
        headers.insert(HeaderName::from_static(name), value);
        Ok(())
    };
    if let Some(authorization) = &access.authorization {
        add("authorization", authorization.expose(), true)?;
    }
    match (target.kind(), access.tenant.as_str()) {
        (_, "") => {}
        (Kind::VictoriaLogs, tenant) => {
            let (account, project) = tenant.split_once(':').unwrap_or((tenant, "0"));
            if [account, project].iter().any(|id| id.parse::<u32>().is_err()) {
                let why = "a tenant of VictoriaLogs is two numbers, such as 12:0".to_owned();
                return Err(EngineError::Access { what: "the tenant".to_owned(), why });
            }
            add("accountid", account, false)?;
            add("projectid", project, false)?;
        }
        (Kind::Loki | Kind::Otlp, tenant) => add("x-scope-orgid", tenant, false)?,
    }
    Ok(headers)
}
