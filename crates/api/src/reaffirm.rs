use sallyport_model::{Reaffirm, ReaffirmError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often a provider has to vouch for a requester; the wire form of [`Reaffirm`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReaffirmField {
    /// Once in this time, from `5m`.
    #[schemars(length(min = 2, max = 16), regex(pattern = r"^([0-9]{1,4}h)?([0-9]{1,4}m)?$"))]
    pub every: String,
    /// For how long a session goes on when it was due and did not come, from `1m`; then it is closed.
    #[schemars(length(min = 2, max = 16), regex(pattern = r"^([0-9]{1,4}h)?([0-9]{1,4}m)?$"))]
    pub grace: String,
}

/// The provider's last word for the requester, as their desktop showed it to the hub with a token of its own. Written by the
/// requester alone, and held by admission to that token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reaffirmed {
    /// The `iat` of that token, Unix seconds. Later than any before.
    #[schemars(range(min = 1, max = 253_402_300_799_i64))]
    pub issued: i64,
    /// The groups the requester is in by it.
    #[schemars(length(max = 256), inner(length(max = 512)))]
    pub groups: Vec<String>,
}

impl From<&Reaffirm> for ReaffirmField {
    fn from(reaffirm: &Reaffirm) -> Self {
        Self {
            every: reaffirm.every().whole_minutes().to_string(),
            grace: reaffirm.grace().whole_minutes().to_string(),
        }
    }
}

impl TryFrom<&ReaffirmField> for Reaffirm {
    type Error = ReaffirmError;

    fn try_from(field: &ReaffirmField) -> Result<Self, ReaffirmError> {
        Self::parse(&field.every, &field.grace)
    }
}
