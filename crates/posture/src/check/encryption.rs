//! EN: whether Secrets are encrypted where they are kept.

use super::answer::{Answer, Found, shown};
use crate::ground::Ground;
use crate::severity::Severity;

const OPERATIONS: &str = "apiserver_storage_transformation_operations_total";
const CONFIGURED: &str = "apiserver_encryption_config_controller_last_config_info";
const WRITES: &str = "apiserver_request_total";
/// Since this version an API server tells by a series that it has an EncryptionConfiguration.
const TELLS_SINCE: (u32, u32) = (1, 35);

fn plain(said: String) -> Answer {
    Answer::pass().with([Found::new(Severity::Medium, "resource", "secrets", said)])
}

/// EN-01.
pub(super) fn at_rest(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    let file = told.flag("encryption-provider-config");
    let writes = told.series(OPERATIONS).filter(|one| {
        one.label("transformation_type") == "to_storage"
            && one.label("resource") == "secrets"
            && one.value > 0.0
    });
    // Something was read that nothing had encrypted: turning encryption on changes no Secret that is there.
    let left_plain = told.series(OPERATIONS).any(|one| {
        one.label("transformation_type") == "from_storage"
            && one.label("resource") == "secrets"
            && one.label("transformer_prefix") == "identity"
            && one.value > 0.0
    });
    let (mut encrypted, mut as_it_is) = (None::<&str>, false);
    for one in writes {
        let prefix = one.label("transformer_prefix");
        if prefix.starts_with("k8s:enc:") {
            encrypted = Some(prefix);
        } else if prefix.is_empty() || prefix == "unknown" {
            as_it_is = true;
        }
    }
    if encrypted.is_some() && as_it_is {
        return Answer::unknown(
            "Secrets were written encrypted and as they are since it started, and which came last is not told",
        );
    }
    if encrypted.is_some() && left_plain {
        return Answer::unknown(
            "new Secrets are written encrypted, and since it started some were read that nothing had encrypted: write every \
             Secret anew; that it was done is seen after its next start",
        );
    }
    if encrypted.is_some() {
        // What came after a cut may say the opposite.
        return Answer::unless(told.metrics.gap("/metrics").into_iter().collect());
    }
    if as_it_is {
        return plain(
            "Secrets are written as they are: its EncryptionConfiguration names identity first.".to_owned(),
        );
    }
    if file == Some("") {
        return plain("Secrets are kept as they are: it has no EncryptionConfiguration.".to_owned());
    }
    let configured = file.is_some() || told.series(CONFIGURED).next().is_some();
    if configured {
        return Answer::unknown(
            "it has an EncryptionConfiguration, and no Secret was written since it started: with what it writes them is \
             told by the next",
        );
    }
    if let Some(gap) = told.metrics.gap("/metrics") {
        return match ground.snapshot.vouched_cloud() {
            Some(cloud) => Answer::provider(cloud.encryption_look()),
            None => Answer::unknown(gap),
        };
    }
    // What a cloud encrypts below the API server is not among its metrics.
    if let Some(cloud) = ground.snapshot.vouched_cloud() {
        return Answer::provider(cloud.encryption_look());
    }
    let written = told.series(WRITES).any(|one| one.value > 0.0);
    if written || ground.snapshot.server.is_some_and(|server| server >= TELLS_SINCE) {
        return plain("Secrets are kept as they are: its metrics tell of no encryption.".to_owned());
    }
    Answer::unknown(
        "its metrics tell of no encryption, and of no Secret that was written since it started: this version tells only \
         then",
    )
}

/// EN-02.
pub(super) fn kms(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    if let Some(gap) = told.ready.gap("/readyz?verbose") {
        return Answer::unknown(gap);
    }
    let checks: Vec<_> = told.ready.found.iter().filter(|one| one.name.starts_with("kms-provider")).collect();
    if checks.is_empty() {
        return Answer::nothing("its health checks name no KMS provider");
    }
    let failing = checks.iter().filter(|one| !one.ok).map(|one| {
        let said = format!(
            "Its KMS provider does not answer ({}): Secrets can't be read or written.",
            shown(&one.name)
        );
        Found::new(Severity::High, "check", one.name.clone(), said)
    });
    Answer::pass().with(failing)
}
