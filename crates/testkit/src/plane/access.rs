//! Ways to talk to a plane: as its admin, as anybody, with a token.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};

use super::Plane;
use crate::kubectl::Kubectl;
use crate::pki::Credential;

/// A person as the API server shall see them.
///
/// They come through the API server's authenticating-proxy headers, so that any number of groups and extra keys
/// (`access.sallyport.dev/acr`, …) can be claimed without an identity provider. To policies, RBAC and the audit log
/// this is the user; nothing is impersonated.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    user: String,
    groups: Vec<String>,
    extra: BTreeMap<String, Vec<String>>,
}

impl Identity {
    /// A user without groups; `system:authenticated` is always added by the API server.
    #[must_use]
    pub fn new(user: impl Into<String>) -> Self {
        Self { user: user.into(), ..Self::default() }
    }

    /// Adds a group.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.groups.push(group.into());
        self
    }

    /// Adds a value under an extra key.
    #[must_use]
    pub fn extra(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra.entry(key.into()).or_default().push(value.into());
        self
    }

    /// The extra keys a sign-in with MFA leaves: `acr`, `amr`, and `auth_time` in Unix seconds.
    #[must_use]
    pub fn signed_in(self, acr: &str, amr: &[&str], auth_time: i64) -> Self {
        let with_acr = self
            .extra("access.sallyport.dev/acr", acr)
            .extra("access.sallyport.dev/auth-time", auth_time.to_string());
        amr.iter().fold(with_acr, |identity, method| identity.extra("access.sallyport.dev/amr", *method))
    }

    fn headers(&self) -> Result<Vec<(HeaderName, HeaderValue)>> {
        let mut headers = vec![header("x-remote-user", &self.user)?];
        for group in &self.groups {
            headers.push(header("x-remote-group", group)?);
        }
        for (key, values) in &self.extra {
            // The API server undoes the percent encoding; a bare `/` is no header name.
            let name = format!("x-remote-extra-{}", key.replace('%', "%25").replace('/', "%2f"));
            for value in values {
                headers.push(header(&name, value)?);
            }
        }
        Ok(headers)
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue)> {
    Ok((
        HeaderName::from_bytes(name.as_bytes()).with_context(|| format!("{name} is no header name"))?,
        HeaderValue::from_str(value).with_context(|| format!("{name}: not a header value"))?,
    ))
}

/// A kubeconfig as JSON, which kubectl and kube read as YAML.
pub(super) fn kubeconfig(name: &str, url: &str, ca_pem: &str, user: Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": name,
            "cluster": {"server": url, "certificate-authority-data": STANDARD.encode(ca_pem)},
        }],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    })
}

pub(super) fn certificate(credential: &Credential) -> Value {
    json!({
        "client-certificate-data": STANDARD.encode(&credential.cert_pem),
        "client-key-data": STANDARD.encode(&credential.key_pem),
    })
}

/// `kube`'s config from a kubeconfig, with its retries off: a test sees each answer as it is.
///
/// kube reads a kubeconfig only in an async function, though with everything inline nothing is waited for.
fn config(kubeconfig: Value) -> Result<Config> {
    let kubeconfig: Kubeconfig = serde_json::from_value(kubeconfig)?;
    let options = KubeConfigOptions::default();
    let mut config = futures::executor::block_on(Config::from_custom_kubeconfig(kubeconfig, &options))?;
    config.default_retry = false;
    Ok(config)
}

impl Plane {
    fn config_for(&self, user: Value) -> Result<Config> {
        config(kubeconfig(self.name(), self.url(), &self.ca_pem(), user))
    }

    /// A client of `kubernetes-admin` (`system:masters`). Call it within the runtime that uses the client.
    ///
    /// # Errors
    /// When the client can't be built.
    pub fn admin(&self) -> Result<Client> {
        Ok(Client::try_from(self.admin_config()?)?)
    }

    /// The configuration behind [`admin`](Self::admin).
    ///
    /// # Errors
    /// When it can't be built.
    pub fn admin_config(&self) -> Result<Config> {
        self.config_for(certificate(&self.pki.admin))
    }

    /// A client with a client certificate of `user` in at most two groups.
    ///
    /// # Errors
    /// With more than two groups: use [`client_as`](Self::client_as).
    pub fn client_for_user(&self, user: &str, groups: &[&str]) -> Result<Client> {
        let credential = self.pki.authority.client(user, groups)?;
        Ok(Client::try_from(self.config_for(certificate(&credential))?)?)
    }

    /// A client that the API server takes for `identity`, with all groups and extra keys.
    ///
    /// # Errors
    /// When a name or value can't be written in a header.
    pub fn client_as(&self, identity: &Identity) -> Result<Client> {
        let mut config = self.config_for(certificate(&self.pki.front_proxy))?;
        config.headers.extend(identity.headers()?);
        Ok(Client::try_from(config)?)
    }

    /// A client with a bearer token.
    ///
    /// # Errors
    /// When the client can't be built.
    pub fn client_with_token(&self, token: &str) -> Result<Client> {
        Ok(Client::try_from(self.config_for(json!({ "token": token }))?)?)
    }

    /// A client without credentials.
    ///
    /// # Errors
    /// When the client can't be built.
    pub fn anonymous(&self) -> Result<Client> {
        Ok(Client::try_from(self.config_for(json!({}))?)?)
    }

    /// Writes a kubeconfig with a client certificate of `user` in at most two groups, and returns its path.
    ///
    /// # Errors
    /// With more than two groups; when the file can't be written.
    pub fn kubeconfig_for_user(&self, user: &str, groups: &[&str]) -> Result<PathBuf> {
        let credential = self.pki.authority.client(user, groups)?;
        self.write_kubeconfig(certificate(&credential))
    }

    /// Writes a kubeconfig with a bearer token, and returns its path.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn kubeconfig_with_token(&self, token: &str) -> Result<PathBuf> {
        self.write_kubeconfig(json!({ "token": token }))
    }

    /// kubectl with another kubeconfig, e.g. one of [`kubeconfig_for_user`](Self::kubeconfig_for_user).
    #[must_use]
    pub fn kubectl_with(&self, kubeconfig: &std::path::Path) -> Kubectl {
        self.kubectl().with_kubeconfig(kubeconfig)
    }

    fn write_kubeconfig(&self, user: Value) -> Result<PathBuf> {
        let content = kubeconfig(self.name(), self.url(), &self.ca_pem(), user);
        let name = format!("kubeconfig-{}", uuid::Uuid::new_v4());
        self.scratch().write(&name, content.to_string())
    }
}
