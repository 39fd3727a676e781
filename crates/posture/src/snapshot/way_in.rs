//! How a person's kubeconfig gets them in, as data: kinds of credentials, how long they hold, and no credential.

use super::{Certificate, Part};
use serde::{Deserialize, Serialize};

/// The ways into one cluster that a kubeconfig holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WaysIn {
    /// The file, for people.
    pub file: String,
    /// The mode of the file, its lowest nine bits; none where there is no such thing.
    pub mode: Option<u32>,
    /// Whether a repository's work tree holds the file.
    pub in_repository: bool,
    /// By context.
    pub ways: Vec<WayIn>,
}

/// A context of a kubeconfig.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WayIn {
    /// The context.
    pub context: String,
    /// Whether the address is `http://`.
    pub plain: bool,
    /// Whether the address is of the machine itself.
    pub loopback: bool,
    /// Whether any server is believed (`insecure-skip-tls-verify`).
    pub insecure: bool,
    /// Whether it names a CA; without it the system's are believed.
    pub authority: bool,
    /// Whether it expects another name in the server's certificate than the address has.
    pub other_name: bool,
    /// Whether a user name or a password stands in the address.
    pub user_info: bool,
    /// Whether there is a user name or a password.
    pub basic: bool,
    /// The client certificate, where it has one.
    pub certificate: Option<Part<Certificate>>,
    /// The token, where it has one.
    pub token: Option<Part<TokenSeen>>,
    /// The program that it would run, where it would.
    pub exec: Option<ExecSeen>,
    /// The built-in plugin of old that it names.
    pub auth_provider: Option<String>,
    /// Contexts of other clusters that hold the same credential.
    pub same_as: Vec<String>,
}

/// A bearer token, as far as it says something of itself. The token and its signature are not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TokenSeen {
    /// Whether it is a JWT. Nobody checked its signature.
    pub jwt: bool,
    /// When it was issued, Unix seconds.
    pub issued: Option<i64>,
    /// When it ends, Unix seconds; none: never, or it does not say.
    pub expires: Option<i64>,
    /// Whether it is a ServiceAccount's.
    pub account: bool,
    /// How its person signed in (`amr`, RFC 8176).
    pub amr: Vec<String>,
}

/// A program that a kubeconfig names for a credential. It was not run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ExecSeen {
    /// The program, as it would be run.
    pub command: String,
    /// Whether it is a path, and not looked up in `PATH`.
    pub path: bool,
    /// The names of the variables that it is given.
    pub env: Vec<String>,
    /// Whether an argument looks like a secret.
    pub secret_argument: bool,
}
