//! What anybody sees of an API server before signing in: its address, its TLS, and what it answers without a credential.

use super::{Certificate, Part};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What was seen at an API server's address without any credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Door {
    /// The host that was asked for.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What the host resolves to.
    pub addresses: Part<Vec<Address>>,
    /// Which versions of TLS it takes.
    pub tls: BTreeMap<Tls, TlsTaken>,
    /// Whether it takes cipher suites of TLS 1.2 without forward secrecy, with 3DES or with RC4.
    pub weak_suites: TlsTaken,
    /// The certificates it shows, its own first.
    pub chain: Part<Vec<Certificate>>,
    /// Why the certificate is not believed with the CA that clients have, where it is not; whole where that was tried.
    pub untrusted: Part<Option<String>>,
    /// Whether it asks for a client certificate, and the authorities that it names; none: it does not ask.
    pub client_authorities: Part<Option<Vec<String>>>,
    /// What it answered to those who do not sign in, in the order of asking.
    pub anonymous: Vec<AnonymousGet>,
}

/// An address and how far it can be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Address {
    /// As text.
    pub ip: String,
    /// How far.
    pub reach: AddressReach,
}

/// How far an address can be reached at most; what a firewall keeps out is not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AddressReach {
    /// From its own machine.
    Loopback,
    /// From its own network (RFC 1918, RFC 6598, RFC 4193, link-local).
    Private,
    /// From anywhere.
    Public,
}

impl AddressReach {
    /// How far an address can be reached.
    pub fn of(ip: std::net::IpAddr) -> Self {
        use std::net::IpAddr;
        match ip.to_canonical() {
            ip if ip.is_loopback() => Self::Loopback,
            IpAddr::V4(v4) => {
                let [a, b, ..] = v4.octets();
                // Carrier-grade NAT (RFC 6598) is no address of the internet either.
                let shared = a == 100 && (64..128).contains(&b);
                if v4.is_private() || v4.is_link_local() || shared { Self::Private } else { Self::Public }
            }
            IpAddr::V6(v6) => {
                if v6.is_unique_local() || v6.is_unicast_link_local() {
                    Self::Private
                } else {
                    Self::Public
                }
            }
        }
    }
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tls {
    /// 1.0 (RFC 2246).
    V1_0,
    /// 1.1 (RFC 4346).
    V1_1,
    /// 1.2 (RFC 5246).
    V1_2,
    /// 1.3 (RFC 8446).
    V1_3,
}

impl fmt::Display for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1_0 => "TLS 1.0",
            Self::V1_1 => "TLS 1.1",
            Self::V1_2 => "TLS 1.2",
            Self::V1_3 => "TLS 1.3",
        })
    }
}

/// Whether a server takes what it was offered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TlsTaken {
    /// Nobody asked.
    #[default]
    NotAsked,
    /// It does.
    Yes,
    /// It said no.
    No,
    /// It said neither: why.
    Unknown(String),
}

/// A GET without a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AnonymousGet {
    /// The path.
    pub path: String,
    /// The status; none: there was no answer.
    pub status: Option<u16>,
    /// For 401 and 403 the user that the API server says it was, where it says so.
    pub user: Option<String>,
    /// Whether what came is what an API server answers: a `Status` where it refuses. Something on the way answers otherwise.
    pub kubernetes: bool,
    /// Why there was no answer.
    pub why: Option<String>,
}
