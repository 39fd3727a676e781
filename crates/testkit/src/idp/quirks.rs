use serde::Serialize;
use serde_json::{Value, json};

/// Ways in which other providers differ from this one, as far as an application can tell.
#[derive(Clone, Debug, Serialize)]
pub struct Quirks {
    /// Revoking one refresh token ends the whole session with all of its tokens (Keycloak).
    pub revoke_by_session: bool,
    /// ID tokens do not say their session (`sid`).
    pub no_session_id: bool,
    /// The class belongs to the browser's session and the client: each sign-in there rewrites what renewals of earlier
    /// ones say (Keycloak).
    pub acr_by_session: bool,
    /// No `Date` in any answer (Keycloak).
    pub no_date: bool,
    /// No `iss` in the answer to the browser, and none promised (Dex, GitLab, Google, Entra ID).
    pub no_iss: bool,
    /// Put into every ID token; `null` removes.
    pub claims: Value,
    /// The same for renewals alone.
    pub claims_on_refresh: Value,
    /// Put into the discovery document; `null` removes.
    pub discovery: Value,
    /// A second audience of ID tokens, beside which `azp` names the application (Zitadel).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_audience: Option<String>,
    /// Which redirect addresses are registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<RedirectRule>,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            revoke_by_session: false,
            no_session_id: false,
            acr_by_session: false,
            no_date: false,
            no_iss: false,
            claims: json!({}),
            claims_on_refresh: json!({}),
            discovery: json!({}),
            extra_audience: None,
            redirect: None,
        }
    }
}

/// Which redirect addresses are registered for every client.
#[derive(Clone, Debug, Serialize)]
pub struct RedirectRule {
    /// `127.0.0.1` or `localhost`.
    pub host: &'static str,
    /// One address for each; empty: one without a port.
    pub ports: Vec<u16>,
    /// Compared to the letter, port and all (Okta, Auth0).
    pub exact: bool,
}
