use sallyport_model::RequestUid;
use serde::{Deserialize, Serialize};

/// What a secret is for. Also its name in the vault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// What renews a sign-in at an identity provider, for one hub.
    SignIn {
        /// The issuer.
        issuer: String,
        /// The client id.
        client_id: String,
    },
    /// The private key a request's credential is sealed to, while the request waits.
    RequestKey {
        /// The request.
        request: RequestUid,
    },
    /// What the history is chained with.
    HistoryKey,
    /// What the history's checkpoints are signed with.
    HistorySeal,
    /// What they were signed with before, until it has named the key after it.
    HistorySealFormer,
    /// What proves the history's head.
    HistoryHead,
    /// What larger things are sealed with.
    ShelfKey,
    /// What recordings of terminals are sealed with.
    RecordingKey,
}
