use std::{sync::Arc, time::Duration};

use jiff::{Timestamp, fmt::rfc2822};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::{Error, quoted};

/// No document of a provider is anywhere near this.
const LARGEST_ANSWER: usize = 1 << 20;

/// The one way to the provider: https, the system's and the configured authorities, no redirects, one deadline.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    timeout: Duration,
}

/// A complete answer and what its `Date` says about the clocks.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// Provider minus this computer in seconds, when the answer had a `Date`.
    pub(crate) skew: Option<i64>,
    host: String,
}

impl Http {
    pub(crate) fn new(extra_ca_pem: Option<&str>, timeout: Duration) -> Result<Self, Error> {
        let no_trust = |why: String| Error::NoTrust { why };
        let mut roots = rustls::RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if let Some(pem) = extra_ca_pem {
            let before = roots.len();
            for cert in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let cert = cert.map_err(|e| no_trust(format!("the configured CA is not PEM: {e}")))?;
                roots.add(cert).map_err(|e| no_trust(format!("the configured CA is refused: {e}")))?;
            }
            if roots.len() == before {
                return Err(no_trust("the configured CA holds no certificate".to_owned()));
            }
        }
        if roots.is_empty() {
            return Err(no_trust("this system has none and none is configured".to_owned()));
        }
        let tls =
            rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|e| no_trust(e.to_string()))?
                .with_root_certificates(roots)
                .with_no_client_auth();
        let client = reqwest::Client::builder()
            .use_preconfigured_tls(tls)
            .https_only(true)
            // A redirect could lead requests with tokens anywhere, and the signing keys' origin with it.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .timeout(timeout)
            .user_agent(concat!("sallyport/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| no_trust(e.to_string()))?;
        Ok(Self { client, timeout })
    }

    pub(crate) async fn get(&self, url: &Url) -> Result<Answer, Error> {
        self.send(self.client.get(url.clone()), url).await
    }

    pub(crate) async fn post(&self, url: &Url, form: &[(&str, &str)]) -> Result<Answer, Error> {
        self.send(self.client.post(url.clone()).form(form), url).await
    }

    async fn send(&self, request: reqwest::RequestBuilder, url: &Url) -> Result<Answer, Error> {
        let failed = |e: reqwest::Error| self.explain(e, url);
        let asked = Timestamp::now();
        let mut response = request.header("accept", "application/json").send().await.map_err(failed)?;
        let skew = response.headers().get("date").and_then(|date| skew(date.to_str().ok()?, asked));
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(unfit(url, format!("{} answers more than 1 MiB", url.path())));
            }
            body.extend_from_slice(&chunk);
        }
        if (300..400).contains(&status) {
            return Err(unfit(url, format!("{} answers with a redirect, which is not followed", url.path())));
        }
        Ok(Answer { status, body, skew, host: host(url) })
    }

    fn explain(&self, error: reqwest::Error, url: &Url) -> Error {
        if error.is_timeout() {
            return Error::Timeout {
                what: format!("the identity provider {}", host(url)),
                after: self.timeout,
            };
        }
        Error::ProviderUnreachable { host: host(url), source: Arc::new(error.without_url()) }
    }
}

impl Answer {
    /// The body of a 200 as `T`; `what` names the document in the error. Contents are never quoted: they may be
    /// tokens.
    pub(crate) fn json<T: DeserializeOwned>(&self, what: &str) -> Result<T, Error> {
        let unfit = |why| Error::ProviderUnfit { host: self.host.clone(), why };
        if self.status != 200 {
            return Err(unfit(format!("{what} answered {}", self.status)));
        }
        if self.body.trim_ascii_start().starts_with(b"<") {
            return Err(unfit(format!(
                "{what} is an HTML page: a proxy or the sign-in page of a network may be in between"
            )));
        }
        serde_json::from_slice(&self.body).map_err(|e| {
            unfit(format!("{what} is not what it should be (line {}, column {})", e.line(), e.column()))
        })
    }

    /// Refuses clocks that differ by more than [`crate::claims::SKEW`].
    pub(crate) fn check_clock(&self) -> Result<(), Error> {
        match self.skew {
            Some(by) if by.unsigned_abs() > crate::claims::SKEW.as_secs() => Err(Error::ClockSkew { by }),
            _ => Ok(()),
        }
    }
}

pub(crate) fn unfit(url: &Url, why: impl Into<String>) -> Error {
    Error::ProviderUnfit { host: host(url), why: quoted(&why.into()) }
}

fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

/// `Date` (whole seconds) minus the middle between asking and now.
fn skew(date: &str, asked: Timestamp) -> Option<i64> {
    let theirs = rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    let middle = asked.as_millisecond().midpoint(Timestamp::now().as_millisecond());
    Some((theirs.as_millisecond() + 500 - middle) / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_header_gives_the_difference_and_noise_gives_none() {
        let now = Timestamp::now();
        let date = |seconds: i64| {
            let at = Timestamp::from_second(now.as_second() + seconds).unwrap();
            at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
        };
        assert!(skew(&date(0), now).unwrap().abs() <= 1);
        assert!((skew(&date(90), now).unwrap() - 90).abs() <= 1);
        assert!((skew(&date(-3600), now).unwrap() + 3600).abs() <= 1);
        for noise in ["", "yesterday", "Tue, 99 Nov 2026 99:99:99 GMT"] {
            assert_eq!(skew(noise, now), None, "{noise}");
        }
    }

    #[test]
    fn an_extra_ca_that_is_none_is_refused() {
        for bad in ["", "hello", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
            let refused = Http::new(Some(bad), Duration::from_secs(1)).unwrap_err();
            assert!(matches!(refused, Error::NoTrust { .. }), "{refused}");
        }
    }
}
