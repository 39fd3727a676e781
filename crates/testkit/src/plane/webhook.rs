//! A plane that sends its audit events to a receiver, as `--audit-webhook-config-file` says.

use super::PlaneOptions;
use super::access::{certificate, kubeconfig};
use crate::pki::Credential;

const CONFIG: &str = "audit-webhook.json";

impl PlaneOptions {
    /// Sends audit events to `url` as well, in batches of at most half a second, showing `client`'s certificate and
    /// believing `ca_pem`. What is not acknowledged is sent again: about 1, 2, 3, 5 and 8 seconds later.
    #[must_use]
    pub fn audit_webhook(self, url: &str, ca_pem: &str, client: &Credential) -> Self {
        let config = kubeconfig("collect", url, ca_pem, certificate(client)).to_string();
        self.file_flag("audit-webhook-config-file", CONFIG, config)
            .flag("--audit-webhook-batch-max-wait=500ms")
            .flag("--audit-webhook-initial-backoff=1s")
    }
}
