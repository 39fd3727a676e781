//! The checks as data: what each is called, what it is known as elsewhere, what it reads and what to do about it.
//!
//! Only ids of other catalogues are kept; the words are our own. CIS: Kubernetes v1.12; NSA: chapters of the NSA/CISA
//! guide v1.2; OWASP: Kubernetes Top Ten 2025; MITRE: ATT&CK for Containers.

/// A check whose answer and reason one function finds.
macro_rules! check {
    ($id:literal, $title:literal, $area:ident, $maps:expr, $fix:literal, $reads:expr, $answer:path) => {
        $crate::check::Check {
            id: $id,
            title: $title,
            area: $crate::check::Area::$area,
            maps: $maps,
            fix: $fix,
            reads: $reads,
            nobody_can: false,
            looks: $crate::check::catalogue::Look(|ground, id| $answer(ground).findings(id)),
            about: $crate::check::catalogue::About(|ground| $answer(ground).verdict()),
        }
    };
}

mod others;
mod people;
mod rights;
mod server;

use super::{Finding, Verdict};
use crate::ground::Ground;
use crate::snapshot::Kind;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Area {
    /// Who may do what.
    Rights,
    /// Accounts of programs, and their tokens.
    Accounts,
    /// What is refused, whoever asks.
    Admission,
    /// How its API server is reached and configured.
    Server,
    /// How a person's kubeconfig gets them in.
    Credential,
    /// Who is believed to be whom.
    SignIn,
    /// What is written down of who did what.
    Audit,
    /// How Secrets are kept.
    Encryption,
    /// What is still looked after.
    Version,
}

/// What a check is known as elsewhere; empty where it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Maps {
    /// CIS.
    pub cis: &'static str,
    /// NSA/CISA.
    pub nsa: &'static str,
    /// OWASP.
    pub owasp: &'static str,
    /// MITRE.
    pub mitre: &'static str,
}

/// A check.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// e.g. `RB-04`; never used for another again.
    pub id: &'static str,
    /// What is wrong where it fails.
    pub title: &'static str,
    /// What it is about.
    pub area: Area,
    /// What it is known as elsewhere.
    pub maps: Maps,
    /// What to do about it.
    pub fix: &'static str,
    /// The kinds that it depends on: what was not read of them makes it unknown. What it needs beside objects, as flags or
    /// metrics, it says itself.
    pub reads: &'static [Kind],
    /// Whether it passes because nobody can do something: whoever decides beside RBAC makes that unknown.
    pub nobody_can: bool,
    pub(crate) looks: Look,
    pub(crate) about: About,
}

pub(crate) type Looks = fn(&Ground<'_>, &'static str) -> Vec<Finding>;

/// How a check looks, beside the ways that paths are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look(pub(crate) Looks);

/// What a check comes to where there is nothing here that it could be about, or the answer is a setting of the cloud.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About(pub(crate) fn(&Ground<'_>) -> Option<Verdict>);

// Functions are what a check does, not what it is.
impl PartialEq for Look {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl PartialEq for About {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// All checks.
pub fn catalogue() -> &'static [Check] {
    static ALL: LazyLock<Vec<Check>> = LazyLock::new(|| {
        rights::CHECKS
            .iter()
            .chain(others::CHECKS)
            .chain(server::CHECKS)
            .chain(people::CHECKS)
            .cloned()
            .collect()
    });
    &ALL
}

pub(super) const RBAC: &[Kind] = Kind::RBAC;
pub(super) const RBAC_AND_PODS: &[Kind] =
    &[Kind::ClusterRole, Kind::Role, Kind::ClusterRoleBinding, Kind::RoleBinding, Kind::Pod];
pub(super) const RBAC_AND_ACCOUNTS: &[Kind] =
    &[Kind::ClusterRole, Kind::Role, Kind::ClusterRoleBinding, Kind::RoleBinding, Kind::ServiceAccount];
pub(super) const RBAC_AND_CONFIG: &[Kind] =
    &[Kind::ClusterRole, Kind::Role, Kind::ClusterRoleBinding, Kind::RoleBinding, Kind::ConfigMap];

pub(super) const fn maps(
    cis: &'static str,
    nsa: &'static str,
    owasp: &'static str,
    mitre: &'static str,
) -> Maps {
    Maps { cis, nsa, owasp, mitre }
}
