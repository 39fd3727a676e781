use crate::name::NamespaceName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Where rights hold: in named namespaces, or everywhere.
///
/// In objects an empty list of namespaces means cluster-wide; this type makes that reading explicit, so that an
/// empty list can't arise by filtering.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// In every namespace and on cluster-scoped resources.
    ClusterWide,
    /// In these namespaces only; never empty.
    Namespaces(BTreeSet<NamespaceName>),
}

impl Scope {
    /// From the list of an object's field.
    pub fn from_list(names: impl IntoIterator<Item = NamespaceName>) -> Self {
        let names: BTreeSet<_> = names.into_iter().collect();
        if names.is_empty() { Self::ClusterWide } else { Self::Namespaces(names) }
    }

    /// Back to the list form: empty means cluster-wide.
    pub fn to_list(&self) -> Vec<NamespaceName> {
        match self {
            Self::ClusterWide => Vec::new(),
            Self::Namespaces(names) => names.iter().cloned().collect(),
        }
    }

    /// What is in both; `None` when nothing is, which an empty list could not say.
    pub fn meet(&self, other: &Scope) -> Option<Scope> {
        match (self, other) {
            (all, Self::ClusterWide) | (Self::ClusterWide, all) => Some(all.clone()),
            (Self::Namespaces(mine), Self::Namespaces(theirs)) => {
                let both: BTreeSet<_> = mine.intersection(theirs).cloned().collect();
                (!both.is_empty()).then_some(Self::Namespaces(both))
            }
        }
    }

    /// Whether it holds in a namespace; what is in none, `""`, is in the whole cluster alone.
    pub fn holds(&self, namespace: &str) -> bool {
        match self {
            Self::ClusterWide => true,
            Self::Namespaces(names) => names.iter().any(|name| name.as_str() == namespace),
        }
    }

    /// Whether everything in `self` is also in `other`.
    pub fn within(&self, other: &Scope) -> bool {
        match (self, other) {
            (_, Self::ClusterWide) => true,
            (Self::ClusterWide, Self::Namespaces(_)) => false,
            (Self::Namespaces(mine), Self::Namespaces(theirs)) => mine.is_subset(theirs),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClusterWide => f.write_str("all namespaces"),
            Self::Namespaces(names) => {
                let names: Vec<_> = names.iter().map(NamespaceName::as_str).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(names: &[&str]) -> Scope {
        Scope::from_list(names.iter().map(|n| n.parse().unwrap()))
    }

    #[test]
    fn p8_two_scopes_that_share_nothing_meet_nowhere_and_not_everywhere() {
        let meet = |a: &[&str], b: &[&str]| scope(a).meet(&scope(b));
        assert_eq!(meet(&["a"], &["b"]), None);
        assert_eq!(meet(&["a", "b"], &["b", "c"]), Some(scope(&["b"])));
        assert_eq!(meet(&[], &["b"]), Some(scope(&["b"])));
        assert_eq!(meet(&["a"], &[]), Some(scope(&["a"])));
        assert_eq!(meet(&[], &[]), Some(Scope::ClusterWide));
    }

    #[test]
    fn p7_cluster_wide_is_not_within_named_namespaces() {
        assert!(scope(&["a"]).within(&scope(&["a", "b"])));
        assert!(!scope(&["a", "c"]).within(&scope(&["a", "b"])));
        assert!(!scope(&[]).within(&scope(&["a"])));
        assert!(scope(&["a"]).within(&scope(&[])));
    }
}
