//! What only shows when several clusters are looked at together: family FL. What was not read of a cluster leaves the
//! question open for it, and is no pass (promise P21).

mod ask;

use super::Scanned;
use crate::check::Verdict;
use crate::severity::Severity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What may be the same in several clusters. Fingerprints are SHA-256 in hexadecimal digits, of a certificate (DER) or of
/// a credential, never anything that opens a door itself. None: it was not read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Traits {
    /// Its place in the team's life, as the inventory labels it: `prod`, `staging`.
    pub tier: Option<String>,
    /// The API server's version, major and minor.
    pub version: Option<(u32, u32)>,
    /// The CAs whose client certificates open it (`client-ca-file`).
    pub client_ca: Option<Vec<String>>,
    /// The keys whose ServiceAccount tokens it takes (`/openid/v1/jwks`).
    pub signing_keys: Option<Vec<String>>,
    /// Who those tokens say they are of.
    pub account_issuer: Option<String>,
    /// The certificate it shows.
    pub serving: Option<Vec<String>>,
    /// The identity providers it trusts.
    pub providers: Option<Vec<Provider>>,
    /// Credentials that sign in to it, as kubeconfigs have them.
    pub credentials: Option<Vec<String>>,
    /// Credentials for other clusters that lie in it.
    pub holds: Option<Vec<Held>>,
    /// Bound ClusterRoles of the team, by name, with a digest of their rules.
    pub roles: Option<BTreeMap<String, String>>,
}

/// An identity provider that an API server trusts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// Its issuer.
    pub issuer: String,
    /// The audience its tokens must name.
    pub audience: String,
    /// What it puts before groups.
    pub prefix: String,
}

/// A credential for one cluster that lies in another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// The cluster it opens, by its name in the inventory.
    pub opens: String,
    /// Where it lies: `Secret argocd/cluster-eu`.
    pub place: String,
}

/// One thing that several clusters share, or in which one of them differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// How bad.
    pub severity: Severity,
    /// The clusters, by name in order.
    pub clusters: Vec<String>,
    /// What it is, a sentence; names are shown with hidden characters visible.
    pub said: String,
}

/// A check across clusters and what it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shared {
    /// e.g. `FL-03`.
    pub check: String,
    /// What is wrong where it fails.
    pub title: String,
    /// What to do about it.
    pub fix: String,
    /// What it came to: `Pass` only where it was read of every cluster that was scanned.
    pub verdict: Verdict,
    /// What was found, the worst first.
    pub found: Vec<Found>,
    /// Clusters of which it was not read, by name in order.
    pub unread: Vec<String>,
}

/// What counts as too much, as the team has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Somebody who can do everything in more clusters than this is a weakness of the fleet.
    pub admin_of: usize,
    /// A scan older than this many days is stale.
    pub stale_days: i64,
    /// Checks of a hundred that may be open.
    pub open_most: usize,
    /// Tiers that count as production.
    pub production: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        let production = ["prod", "production"].map(str::to_owned).to_vec();
        Self { admin_of: 5, stale_days: 30, open_most: 30, production }
    }
}

/// A check across clusters, as data.
pub(super) struct Question {
    id: &'static str,
    title: &'static str,
    fix: &'static str,
    /// Whether what it depends on was read of a cluster.
    known: fn(&Scanned) -> bool,
    ask: fn(&Asked<'_>) -> Vec<Found>,
}

/// What a question is put to.
pub(super) struct Asked<'a> {
    scanned: &'a [Scanned],
    limits: &'a Limits,
    /// Clusters that were never scanned.
    never: &'a [String],
    now: i64,
}

/// Asks what only shows across clusters. `never`: clusters without a scan, by name; `now`: seconds since 1970.
pub fn shared(scanned: &[Scanned], never: &[String], limits: &Limits, now: i64) -> Vec<Shared> {
    let asked = Asked { scanned, limits, never, now };
    ask::QUESTIONS.iter().map(|question| judge(question, &asked)).collect()
}

fn judge(question: &Question, asked: &Asked<'_>) -> Shared {
    let mut found = (question.ask)(asked);
    found.sort_by(|a, b| {
        (b.severity, b.clusters.len()).cmp(&(a.severity, a.clusters.len())).then_with(|| a.said.cmp(&b.said))
    });
    let mut unread: Vec<String> =
        asked.scanned.iter().filter(|one| !(question.known)(one)).map(|one| one.cluster.clone()).collect();
    unread.sort();
    let known = asked.scanned.len() - unread.len();
    let verdict = if !found.is_empty() {
        Verdict::Fail
    } else if !unread.is_empty() {
        Verdict::Unknown(format!("it was not read of {} of {} clusters", unread.len(), asked.scanned.len()))
    } else if !asked.never.is_empty() && known > 0 {
        Verdict::Unknown(format!("{} clusters were never scanned", asked.never.len()))
    } else if known < 2 && question.id != "FL-08" {
        Verdict::NotApplicable("there are not two clusters to compare".to_owned())
    } else {
        Verdict::Pass
    };
    Shared {
        check: question.id.to_owned(),
        title: question.title.to_owned(),
        fix: question.fix.to_owned(),
        verdict,
        found,
        unread,
    }
}
