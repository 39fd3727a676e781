//! What Sallyport itself enforces, as far as somebody has proven it.

use super::Practice;
use serde::{Deserialize, Serialize};

/// How long a proof counts, in seconds: a day.
const COUNTS: i64 = 24 * 3600;

/// One thing that was tried, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    /// Whether it held.
    pub holds: bool,
    /// When it was last seen, in seconds since 1970.
    pub proven: i64,
    /// How it was seen, a sentence's end: "the hub's policies refused a sign-in without a second factor".
    pub how: String,
}

impl Fact {
    /// Whether it was seen lately enough to count; one from the future was not.
    pub(crate) fn is_fresh(&self, now: i64) -> bool {
        (0..=COUNTS).contains(&(now - self.proven))
    }
}

/// What Sallyport enforces. None: nobody has proven it, and it counts for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ours {
    /// Whoever goes through Sallyport speaks TLS with this cluster under the CA that its broker vouches for.
    pub tls_by_broker: Option<Fact>,
    // That the hub trusts an identity provider under an audience of its own is no fact here: it is a setting of the hub's API
    // server that no desktop may read, and that a cluster trusts nobody else is what the checks of its sign-ins look for (0039).
    /// The broker of this cluster dials out, and nothing leads to it.
    pub dials_out: Option<Fact>,
    /// The hub's admission asks each profile of this cluster for a second factor.
    pub mfa_by_admission: Option<Fact>,
    /// A session's certificate and token are its own and end with it.
    pub credentials_end: Option<Fact>,
    /// Whoever comes through Sallyport holds rights for a time alone, and their end was proven.
    pub jit: Option<Fact>,
    /// The guardrails on hub and cluster are in force, as P12 verifies them.
    pub guardrails_verified: Option<Fact>,
    /// The history of this desktop was verified: each call through a session is in it.
    pub history_verified: Option<Fact>,
}

impl Ours {
    /// What speaks for a practice.
    pub(crate) fn of(&self, practice: Practice) -> Option<&Fact> {
        match practice {
            Practice::TlsEverywhere => self.tls_by_broker.as_ref(),
            Practice::InboundClosed => self.dials_out.as_ref(),
            Practice::TwoFactors => self.mfa_by_admission.as_ref(),
            Practice::CertificatesRotated => self.credentials_end.as_ref(),
            Practice::LeastPrivilege => self.jit.as_ref(),
            Practice::AdmissionControl => self.guardrails_verified.as_ref(),
            Practice::AuditOn => self.history_verified.as_ref(),
            Practice::ThirdPartySignIn | Practice::PrivateEndpoint | Practice::AuditCentral => None,
        }
    }
}

impl Practice {
    /// Whether what Sallyport enforces can be all of it, where nobody goes past Sallyport.
    pub fn may_rest_on_ours(self) -> bool {
        self == Self::TwoFactors
    }
}
