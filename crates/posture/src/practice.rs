//! Ten practices of zero trust, by name: what a report and what Sallyport itself has proven say of each.
//!
//! What Sallyport enforces holds for whoever comes through it. A standing grant to a person goes past it, so where there is
//! one, or where that is not known, a practice that rests on Sallyport alone is unknown and no pass.

mod judge;
mod ours;
#[cfg(test)]
mod tests;

pub use judge::{Across, Practised, across, practices};
pub use ours::{Fact, Ours};

use serde::{Deserialize, Serialize};

/// One of the ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Practice {
    /// TLS everywhere.
    TlsEverywhere,
    /// A private endpoint.
    PrivateEndpoint,
    /// Third-party sign-in.
    ThirdPartySignIn,
    /// Inbound closed.
    InboundClosed,
    /// At least two factors.
    TwoFactors,
    /// Client certificates rotated.
    CertificatesRotated,
    /// RBAC with least privilege.
    LeastPrivilege,
    /// Admission control, and ResourceQuota, on.
    AdmissionControl,
    /// Audit on at a useful level.
    AuditOn,
    /// Audit aggregated centrally.
    AuditCentral,
}

impl Practice {
    /// All, in the order they are told in.
    pub const ALL: [Self; 10] = [
        Self::TlsEverywhere,
        Self::PrivateEndpoint,
        Self::ThirdPartySignIn,
        Self::InboundClosed,
        Self::TwoFactors,
        Self::CertificatesRotated,
        Self::LeastPrivilege,
        Self::AdmissionControl,
        Self::AuditOn,
        Self::AuditCentral,
    ];

    /// Its name.
    pub fn title(self) -> &'static str {
        match self {
            Self::TlsEverywhere => "TLS everywhere",
            Self::PrivateEndpoint => "Private endpoint",
            Self::ThirdPartySignIn => "Third-party sign-in",
            Self::InboundClosed => "Inbound closed",
            Self::TwoFactors => "At least two factors",
            Self::CertificatesRotated => "Client certificates rotated",
            Self::LeastPrivilege => "RBAC with least privilege",
            Self::AdmissionControl => "Admission control and ResourceQuota on",
            Self::AuditOn => "Audit on at a useful level",
            Self::AuditCentral => "Audit aggregated centrally",
        }
    }

    /// The checks that answer it: ids, or a family as `RB-`. One may answer several.
    pub(crate) fn checks(self) -> &'static [&'static str] {
        match self {
            Self::TlsEverywhere => &["AP-02", "AP-03", "AP-04", "AP-11", "KC-01", "KC-02"],
            Self::PrivateEndpoint => &["AP-05"],
            Self::ThirdPartySignIn => &["AN-01", "AN-03", "KC-03", "KC-04", "SA-07"],
            Self::InboundClosed => &["AP-01", "AP-05", "AP-10", "RB-27"],
            Self::TwoFactors => &["AN-02"],
            Self::CertificatesRotated => &["KC-05", "AN-07", "AP-03", "AP-06"],
            Self::LeastPrivilege => &["RB-", "AN-05", "AP-08", "AP-09", "SA-03", "SA-04", "SA-08"],
            Self::AdmissionControl => &["AD-"],
            Self::AuditOn => &["AU-01", "AU-02", "AU-04", "AU-05"],
            Self::AuditCentral => &["AU-03", "AU-04", "AU-06"],
        }
    }

    /// What must have been answered for it to hold: of each group one that came to an answer is enough, and where none of
    /// a group is asked at all, nothing is known.
    pub(crate) fn needed(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::TlsEverywhere => &[&["AP-02"], &["AP-03"]],
            Self::PrivateEndpoint => &[&["AP-05"]],
            Self::ThirdPartySignIn => &[&["AN-01"]],
            Self::InboundClosed => &[&["AP-01"], &["AP-05"], &["RB-27"]],
            Self::TwoFactors => &[&["AN-02"]],
            Self::CertificatesRotated => &[&["AP-06"], &["AN-07"]],
            Self::LeastPrivilege => &[&["RB-01"], &["RB-03"], &["RB-35"]],
            // What is written, or a try.
            Self::AdmissionControl => &[&["AD-01", "AD-02"], &["AD-07"]],
            // That it is written down, or what was.
            Self::AuditOn => &[&["AU-02", "AU-05"]],
            Self::AuditCentral => &[&["AU-06"]],
        }
    }

    /// Whether a check answers it.
    pub fn is_answered_by(self, check: &str) -> bool {
        self.checks().iter().any(|own| *own == check || (own.ends_with('-') && check.starts_with(own)))
    }

    /// What to do where nothing says more.
    pub(crate) fn next(self) -> &'static str {
        match self {
            Self::TlsEverywhere => {
                "Serve TLS 1.2 or later with a certificate of the cluster's own CA, and name that CA in every kubeconfig."
            }
            Self::PrivateEndpoint => {
                "Give the API server a private address, or let in only the networks that need it."
            }
            Self::ThirdPartySignIn => {
                "Let people in by Sallyport or by your identity provider, and end the credentials that come from neither."
            }
            Self::InboundClosed => {
                "Let nobody in who did not sign in, and ask your cloud or firewall which networks reach the API server."
            }
            Self::TwoFactors => {
                "Want two factors in each profile (mfa), and replace what people hold for good by profiles."
            }
            Self::CertificatesRotated => {
                "Let client certificates end within a day where people use them, and rotate the others."
            }
            Self::LeastPrivilege => {
                "Fix the worst finding first, and replace what people hold for good by profiles."
            }
            Self::AdmissionControl => {
                "Enforce a pod security level and a ResourceQuota in each namespace where people make pods."
            }
            Self::AuditOn => {
                "Give the API server an audit policy that records at least Metadata of every request."
            }
            Self::AuditCentral => "Send audit events to where a cluster's own admins cannot change them.",
        }
    }
}
