//! How a scan comes into the session that was opened for it, and the app into one that is open when a person has it make a
//! change there.

use sallyport_client::Endpoint;
use sallyport_gateway::Opened;
use sallyport_model::Secret;
use sallyport_rbac::Rule;

/// How a scan, or the app for a person, comes into a session: through the gateway, as a tool in a terminal would. The key is worth nothing after the
/// session and on another cluster's port.
pub(crate) struct WayIn {
    /// The gateway's port for the session's cluster.
    pub(crate) gateway: String,
    /// Whom to believe there.
    pub(crate) ca_pem: String,
    /// With what to come.
    pub(crate) certificate: String,
    pub(crate) key: Secret<String>,
    /// The API server itself, for what is asked of it without any credential.
    pub(crate) door: Endpoint,
    /// What the session may do there.
    pub(crate) rules: Vec<Rule>,
}

impl WayIn {
    pub(super) fn of(opened: &Opened, door: Endpoint, rules: Vec<Rule>) -> Self {
        Self {
            gateway: opened.server_url.clone(),
            ca_pem: opened.ca_pem.clone(),
            certificate: opened.client_cert_pem.clone(),
            key: Secret::new(opened.client_key_pem.expose().clone()),
            door,
            rules,
        }
    }
}
