use crate::desk::AppError;
use sallyport_model::{Digest, ErrorCode, clip, visible};
use serde::{Deserialize, Serialize};
use std::{fs, io, path::Path, sync::Arc};
use url::Url;

/// The largest workspace file, in bytes.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

/// The `apiVersion` this reads.
pub(crate) const API_VERSION: &str = "access.sallyport.dev/v1alpha1";

/// What a team hands out so that a desktop finds its hub and its identity provider. Holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Workspace {
    /// Always [`API_VERSION`].
    pub api_version: String,
    /// What the team calls it.
    pub name: String,
    /// Where access is asked for.
    pub hub: HubAddress,
    /// Who says who is who.
    pub oidc: OidcAddress,
}

/// Which workspace: its hub's address, by which notes on disk and caches name it too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorkspaceId(Arc<str>);

impl WorkspaceId {
    /// The hub's address as it is noted.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    #[cfg(test)]
    pub(crate) fn of(hub: &str) -> Self {
        Self(hub.into())
    }
}

/// The hub's API server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HubAddress {
    /// https only.
    pub url: Url,
    /// PEM of the CAs its certificate chains to.
    pub ca: String,
}

/// The identity provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OidcAddress {
    /// The issuer, exactly as the provider writes it.
    pub issuer: String,
    /// The public client, and so the audience, of this hub alone.
    pub client_id: String,
    /// Scopes to ask for; `openid` is always among them.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// PEM of the provider's CAs, where the system does not know them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// How the redirect address names this machine: `127.0.0.1` unless said otherwise.
    #[serde(default, skip_serializing_if = "RedirectName::is_default")]
    pub redirect_host: RedirectName,
    /// The ports of the redirect address, at most [`MOST_PORTS`] from 1024 on, for providers that compare it to the
    /// letter. Empty: any free port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirect_ports: Vec<u16>,
    /// What some providers call the secret of a desktop application. It is in everybody's file, and so none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Audiences, at most [`MOST_AUDIENCES`], that ID tokens may name besides the client id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_audiences: Vec<String>,
}

/// The most redirect ports a workspace file may name.
pub(crate) const MOST_PORTS: usize = 8;
/// The most further audiences a workspace file may name.
pub(crate) const MOST_AUDIENCES: usize = 8;

/// How a redirect address names this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RedirectName {
    /// The address, as RFC 8252 §8.3 recommends.
    #[default]
    #[serde(rename = "127.0.0.1")]
    Address,
    /// The name, which some providers demand.
    #[serde(rename = "localhost")]
    Localhost,
}

impl RedirectName {
    // By reference: that is how serde asks.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    fn is_default(&self) -> bool {
        *self == Self::Address
    }
}

impl OidcAddress {
    /// Where the browser brings answers back to.
    pub(crate) fn redirect(&self) -> sallyport_oidc::Redirect {
        let host = match self.redirect_host {
            RedirectName::Address => sallyport_oidc::RedirectHost::Address,
            RedirectName::Localhost => sallyport_oidc::RedirectHost::Localhost,
        };
        sallyport_oidc::Redirect { host, ports: self.redirect_ports.clone() }
    }

    fn check(&self) -> Result<(), AppError> {
        let issuer = Url::parse(&self.issuer).map_err(|e| bad("the issuer is not a URL").because(e))?;
        https("the issuer", &issuer)?;
        if self.client_id.is_empty() || self.client_id.len() > 256 {
            return Err(bad("the client id is empty or too long"));
        }
        if self.redirect_ports.len() > MOST_PORTS {
            return Err(bad(format!("it names more than {MOST_PORTS} redirect ports")));
        }
        if let Some(port) = self.redirect_ports.iter().find(|port| **port < 1024) {
            return Err(bad(format!("the redirect port {port} is not between 1024 and 65535")));
        }
        let printable = |text: &str, most: usize| {
            !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_graphic())
        };
        if self.client_secret.as_deref().is_some_and(|secret| !printable(secret, 512)) {
            return Err(bad("the public client secret is empty, too long or not plain text"));
        }
        if self.extra_audiences.len() > MOST_AUDIENCES
            || self.extra_audiences.iter().any(|audience| !printable(audience, 256))
        {
            return Err(bad(format!(
                "the extra audiences are more than {MOST_AUDIENCES}, or one is empty, too long or not plain text"
            )));
        }
        if let Some(ca) = &self.ca {
            certificates("the provider's ca", ca)?;
        }
        Ok(())
    }
}

impl Workspace {
    /// Reads a workspace file's text.
    ///
    /// # Errors
    /// [`ErrorCode::BadInput`] that names what is wrong: too large, not JSON, an unknown field or version, not
    /// https, credentials in a URL, a CA that is no certificate.
    pub fn parse(text: &str) -> Result<Self, AppError> {
        if text.len() > MAX_BYTES {
            return Err(bad(format!("the workspace file is larger than {} KiB", MAX_BYTES / 1024)));
        }
        let workspace: Self = serde_json::from_str(text).map_err(|e| {
            bad(format!("this is not a workspace file: {}", clip(&visible(&e.to_string()), 200))).because(e)
        })?;
        if workspace.api_version != API_VERSION {
            let found = clip(&visible(&workspace.api_version), 80);
            return Err(bad(format!(
                "the workspace file is of version {found}; this app reads {API_VERSION}"
            )));
        }
        if workspace.name.trim().is_empty() || workspace.name.chars().count() > 128 {
            return Err(bad("the workspace's name is empty or too long"));
        }
        https("the hub's url", &workspace.hub.url)?;
        certificates("the hub's ca", &workspace.hub.ca)?;
        workspace.oidc.check()?;
        Ok(workspace)
    }

    /// SHA-256 of each of the hub's CA certificates (DER), as people compare them: one that is not shown could vouch
    /// for another hub under the same name.
    pub fn hub_fingerprint(&self) -> String {
        fingerprint(&self.hub.ca)
    }

    /// SHA-256 of each of the provider's own CA certificates, where the file brings one.
    pub fn issuer_fingerprint(&self) -> Option<String> {
        self.oidc.ca.as_deref().map(fingerprint)
    }

    /// Which one it is: the same hub is the same workspace, whatever else its file says.
    pub(crate) fn id(&self) -> WorkspaceId {
        WorkspaceId(self.hub.url.as_str().into())
    }

    /// The hub's host and port.
    pub fn hub_host(&self) -> String {
        let port = self.hub.url.port().map(|p| format!(":{p}")).unwrap_or_default();
        format!("{}{port}", self.hub.url.host_str().unwrap_or_default())
    }

    fn known(&self) -> KnownHub {
        KnownHub {
            issuer: self.oidc.issuer.clone(),
            client_id: self.oidc.client_id.clone(),
            hub: self.hub.url.as_str().trim_end_matches('/').to_owned(),
            fingerprint: self.hub_fingerprint(),
        }
    }
}

fn fingerprint(pem: &str) -> String {
    let mut each: Vec<String> = certificates("the ca", pem)
        .unwrap_or_default()
        .iter()
        .map(|der| {
            let hex = Digest::of(der).to_string().to_ascii_uppercase();
            let pairs: Vec<&str> = (0..hex.len() / 2).map(|i| &hex[2 * i..2 * i + 2]).collect();
            pairs.join(":")
        })
        .collect();
    // The order in the file means nothing.
    each.sort();
    each.dedup();
    each.join(" + ")
}

fn bad(message: impl Into<String>) -> AppError {
    AppError::new(ErrorCode::BadInput, message).hint("Ask whoever gave you the file for a new one.")
}

fn https(what: &str, url: &Url) -> Result<(), AppError> {
    if url.scheme() != "https" {
        return Err(bad(format!("{what} is not https")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad(format!("{what} has credentials in it")));
    }
    if url.host_str().is_none_or(str::is_empty) || url.query().is_some() || url.fragment().is_some() {
        return Err(bad(format!("{what} is not a plain address")));
    }
    Ok(())
}

/// The certificates of a PEM text, as DER.
fn certificates(what: &str, pem: &str) -> Result<Vec<Vec<u8>>, AppError> {
    let wrong = || bad(format!("{what} is not a PEM certificate"));
    let mut ders = Vec::new();
    for (n, block) in x509_parser::pem::Pem::iter_from_buffer(pem.as_bytes()).enumerate() {
        let unreadable =
            || bad(format!("{what} can't be read: its block {} is not a PEM certificate", n + 1));
        let block = block.map_err(|e| unreadable().because(e))?;
        if block.label != "CERTIFICATE" {
            return Err(bad(format!(
                "{what} holds a {}, not a certificate",
                clip(&visible(&block.label), 40)
            )));
        }
        block.parse_x509().map_err(|_| unreadable())?;
        ders.push(block.contents);
    }
    if ders.is_empty() {
        return Err(wrong());
    }
    // What is shown must be what will be believed: no certificate that one reader sees and the other does not.
    let believed = sallyport_client::Authorities::parse(pem).map_err(|why| wrong().because(why))?;
    if !believed.certificates().iter().map(|der| der.as_ref()).eq(ders.iter().map(Vec::as_slice)) {
        return Err(bad(format!(
            "{what} can be read in two ways; write each certificate in lines of its own"
        )));
    }
    Ok(ders)
}

/// One (issuer, client id) and the hub that may receive its ID tokens. Kept for good, even after the workspace
/// is left: an ID token of that client is a key to that hub (attack 2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KnownHub {
    issuer: String,
    client_id: String,
    hub: String,
    fingerprint: String,
}

impl KnownHub {
    /// Whether a provider may take the two ids for one: some compare them without regard to case.
    fn is_same_client(&self, other: &Self) -> bool {
        self.client_id.eq_ignore_ascii_case(&other.client_id)
    }
}

/// Who signed in last, so that another person is noticed: whoever else can reach the browser's answer could finish a
/// sign-in as themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LastPerson {
    issuer: String,
    client_id: String,
    pub(crate) subject: String,
    /// For people: name and address.
    pub(crate) person: String,
}

impl LastPerson {
    fn is_of(&self, workspace: &Workspace) -> bool {
        self.issuer == workspace.oidc.issuer && self.client_id == workspace.oidc.client_id
    }
}

/// The workspace on disk, and every hub that was ever joined.
#[derive(Debug)]
pub struct Workspaces {
    dir: std::path::PathBuf,
}

impl Workspaces {
    /// Kept in `dir`.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_path_buf() }
    }

    /// The joined workspace, if any.
    ///
    /// # Errors
    /// When the stored file can't be read or is not one; it is left as it is.
    pub fn current(&self) -> Result<Option<Workspace>, AppError> {
        match fs::read_to_string(self.dir.join("workspace.json")) {
            Ok(text) => Workspace::parse(&text).map(Some),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(AppError::failed("could not read the stored workspace").because(e)),
        }
    }

    /// Refuses a second hub for a known (issuer, client id), and a second issuer for a known client id: a file that says
    /// that a known application signs in elsewhere is how its codes are led astray (RFC 9700 §4.4).
    ///
    /// # Errors
    /// [`ErrorCode::Forbidden`] that names both.
    pub fn check(&self, workspace: &Workspace) -> Result<(), AppError> {
        let new = workspace.known();
        let known = self.known()?;
        if let Some(known) = known.iter().find(|k| k.is_same_client(&new) && k.issuer != new.issuer) {
            return Err(AppError::new(
                ErrorCode::Forbidden,
                format!(
                    "this file wants {} to sign in at {}, but this desktop knows it from {}",
                    clip(&visible(&new.client_id), 60),
                    clip(&visible(&new.issuer), 120),
                    clip(&visible(&known.issuer), 120)
                ),
            )
            .hint("Each hub has a client id of its own, at one issuer. If the provider really moved, an admin must issue a new one; if nobody told you, someone may be after your sign-in."));
        }
        let other = known.into_iter().find(|k| {
            k.issuer == new.issuer
                && k.is_same_client(&new)
                && (k.hub != new.hub || k.fingerprint != new.fingerprint)
        });
        match other {
            None => Ok(()),
            Some(known) => Err(AppError::new(
                ErrorCode::Forbidden,
                format!(
                    "this file wants sign-ins of {} sent to {}, but they belong to {}",
                    clip(&visible(&new.client_id), 60),
                    clip(&visible(&new.hub), 120),
                    clip(&visible(&known.hub), 120)
                ),
            )
            .hint("Each hub has a client id of its own. If the hub really moved, an admin must issue a new one; if nobody told you, someone may be after your sign-in.")),
        }
    }

    /// Stores the workspace and remembers its hub.
    ///
    /// # Errors
    /// As [`Workspaces::check`]; or when it can't be written, and then nothing changed.
    pub fn join(&self, workspace: &Workspace) -> Result<(), AppError> {
        self.check(workspace)?;
        let mut known = self.known()?;
        let new = workspace.known();
        if !known.contains(&new) {
            known.push(new);
        }
        self.write("known-hubs.json", &known)?;
        self.write("workspace.json", workspace)
    }

    /// Who signed in here last, at this issuer as this client.
    pub(crate) fn last_person(&self, workspace: &Workspace) -> Option<LastPerson> {
        self.people().into_iter().find(|p| p.is_of(workspace))
    }

    /// Remembers who signed in.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn remember_person(
        &self,
        workspace: &Workspace,
        subject: &str,
        person: &str,
    ) -> Result<(), AppError> {
        let mut people = self.people();
        people.retain(|p| !p.is_of(workspace));
        people.push(LastPerson {
            issuer: workspace.oidc.issuer.clone(),
            client_id: workspace.oidc.client_id.clone(),
            subject: subject.to_owned(),
            person: person.to_owned(),
        });
        self.write("last-people.json", &people)
    }

    /// A list that can't be read is as good as none: the next sign-in shows who signed in.
    fn people(&self) -> Vec<LastPerson> {
        let text = fs::read_to_string(self.dir.join("last-people.json")).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn known(&self) -> Result<Vec<KnownHub>, AppError> {
        match fs::read_to_string(self.dir.join("known-hubs.json")) {
            // A list that can't be read must not count as empty: that would let a second hub in.
            Ok(text) => serde_json::from_str(&text).map_err(|e| {
                AppError::failed("the list of known hubs is damaged")
                    .hint(format!(
                        "Restore {} from a backup, or move it away if you know why.",
                        self.dir.join("known-hubs.json").display()
                    ))
                    .because(e)
            }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(e) => Err(AppError::failed("could not read the list of known hubs").because(e)),
        }
    }

    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), AppError> {
        let wrong = |e: io::Error| {
            AppError::failed(format!("could not write {name}"))
                .hint("Check that the disk is not full.")
                .because(e)
        };
        let text = serde_json::to_vec_pretty(value).expect("plain data serialises");
        let mut file = tempfile::NamedTempFile::new_in(&self.dir).map_err(wrong)?;
        io::Write::write_all(&mut file, &text).map_err(wrong)?;
        file.as_file().sync_all().map_err(wrong)?;
        file.persist(self.dir.join(name)).map_err(|e| wrong(e.error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
