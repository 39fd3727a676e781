//! What an API server tells of itself beside its objects: flags, metrics, health, keys, and the ConfigMaps that say how
//! people get in. Plain data; nothing of it is a secret.

use super::{Certificate, Coverage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that was read or not, and how far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Part<T> {
    /// How far it was read.
    pub coverage: Coverage,
    /// What was read of it; of one that was cut, what came before.
    pub found: T,
}

impl<T: Default> Default for Part<T> {
    fn default() -> Self {
        Self { coverage: Coverage::NotAsked, found: T::default() }
    }
}

impl<T: Default> Part<T> {
    /// All of it.
    pub fn read(found: T) -> Self {
        Self { coverage: Coverage::Read, found }
    }

    /// Nothing of it, and why.
    pub fn without(coverage: Coverage) -> Self {
        Self { coverage, found: T::default() }
    }
}

impl<T> Part<T> {
    /// What was read, where all of it was.
    pub fn whole(&self) -> Option<&T> {
        (self.coverage == Coverage::Read).then_some(&self.found)
    }

    /// Why it is not known, as a sentence about `what`; nothing where all of it was read. Other than a kind of objects, a
    /// part that is not served leaves its question open.
    pub fn gap(&self, what: &str) -> Option<String> {
        match &self.coverage {
            Coverage::Read => None,
            Coverage::Forbidden(right) => {
                Some(format!("{what} could not be read: the right to {right} is missing"))
            }
            Coverage::Cut(why) => Some(format!("{what} was read in part: {why}")),
            Coverage::NotServed => Some(format!("{what} is not served by this API server")),
            Coverage::NotAsked => Some(format!("{what} was not read")),
        }
    }
}

/// What an API server tells of itself. Of several behind one address it is the one that answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Told {
    /// Its flags as they are in force, those that posture looks at (`/flagz`, KEP-4828).
    pub flags: Part<BTreeMap<String, String>>,
    /// Its metrics, those that posture looks at, summed over all labels that it does not (`/metrics`).
    pub metrics: Part<Vec<Sample>>,
    /// The checks of `/readyz?verbose`, in their order.
    pub ready: Part<Vec<Ready>>,
    /// The keys that it checks tokens of ServiceAccounts with: the SHA-256 of each, as RFC 7638 has it, in hex
    /// (`/openid/v1/jwks`).
    pub keys: Part<Vec<String>>,
    /// Who asked, as it saw them.
    pub identity: Part<Identity>,
    /// ConfigMap `kube-system/extension-apiserver-authentication`; none: there is none.
    pub authentication: Part<Option<Authentication>>,
    /// ConfigMap `kube-system/aws-auth`; none: there is none.
    pub aws_auth: Part<Option<AwsAuth>>,
    /// ConfigMap `kube-public/cluster-info`; none: there is none.
    pub cluster_info: Part<Option<ClusterInfo>>,
    /// Since when it takes note of tokens that were used, as it wrote it; none: it does not say
    /// (ConfigMap `kube-system/kube-apiserver-legacy-service-account-token-tracking`, KEP-2799).
    pub tracking_since: Part<Option<String>>,
}

/// A series of `/metrics`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sample {
    /// Its name.
    pub name: String,
    /// Its labels, those that are looked at. Values come from outside.
    pub labels: BTreeMap<String, String>,
    /// Its value; the sum where labels were left out.
    pub value: f64,
}

/// A check of `/readyz?verbose`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ready {
    /// Its name.
    pub name: String,
    /// Whether it is well.
    pub ok: bool,
}

/// Who asked, as a SelfSubjectReview tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Identity {
    /// The user name.
    pub user: String,
    /// The groups.
    pub groups: Vec<String>,
    /// What kind of credential it was: what stands before `=` in `authentication.kubernetes.io/credential-id`, as
    /// `X509SHA256` and `JTI` (KEP-4193). The id itself is not kept.
    pub credential: Option<String>,
}

/// Whom an API server believes that a client is who it says, of ConfigMap `extension-apiserver-authentication`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Authentication {
    /// The authorities of client certificates; empty: none are taken.
    pub clients: Vec<Certificate>,
    /// The authorities of a front proxy's certificate; empty: there is no front proxy.
    pub front: Vec<Certificate>,
    /// The names that a front proxy's certificate may have; empty: any.
    pub front_names: Vec<String>,
    /// What of it could not be read.
    pub unread: Vec<String>,
}

/// Who of AWS gets in as whom, of ConfigMap `aws-auth`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AwsAuth {
    /// What `mapRoles` and `mapUsers` say.
    pub mapped: Vec<Mapped>,
    /// How many accounts `mapAccounts` lets in whole.
    pub accounts: usize,
    /// What of it could not be read.
    pub unread: Vec<String>,
}

/// A role or user of AWS and the groups that it gets in with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Mapped {
    /// Its ARN.
    pub arn: String,
    /// The groups.
    pub groups: Vec<String>,
}

/// What joining nodes are told, of ConfigMap `cluster-info`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClusterInfo {
    /// How many bootstrap tokens have signed it: each of them is live.
    pub signed_by: usize,
}

impl Told {
    /// A flag's value. None: flags were not read, or this server has none of that name.
    pub fn flag(&self, name: &str) -> Option<&str> {
        self.flags.found.get(name).map(String::as_str)
    }

    /// A flag that holds a list, as `[Node,RBAC]`.
    pub fn flag_list(&self, name: &str) -> Option<Vec<&str>> {
        let text = self.flag(name)?.trim();
        let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        Some(inner.split([',', ' ']).map(str::trim).filter(|one| !one.is_empty()).collect())
    }

    /// The series of a name.
    pub fn series<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.metrics.found.iter().filter(move |sample| sample.name == name)
    }

    /// The sum of a name's series, where there are any.
    pub fn sum(&self, name: &str) -> Option<f64> {
        let mut all = self.series(name).map(|sample| sample.value).peekable();
        all.peek()?;
        Some(all.sum())
    }
}

impl Sample {
    /// A label's value; empty where it has none.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map(String::as_str).unwrap_or_default()
    }
}
