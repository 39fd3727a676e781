use crate::{NamespaceName, Scope, Terms, Ttl};
use std::fmt;

/// What an approver takes off what was asked for. What is not named is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    duration: Option<Ttl>,
    // Always `Scope::Namespaces`: cluster-wide is no limit, and no list is empty.
    scope: Option<Scope>,
}

/// What is wrong with limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    /// A list without a namespace: it would read as none, and elsewhere as all of them.
    #[error("limits.namespaces names none")]
    NoNamespace,
    /// Shorter than any session.
    #[error("limits.duration is shorter than {}", Ttl::SHORTEST)]
    TooShort,
}

impl Limits {
    /// Limits to at most `duration`, and to these namespaces.
    ///
    /// # Errors
    /// For an empty list, and for less time than the shortest session.
    pub fn new(duration: Option<Ttl>, namespaces: Option<Vec<NamespaceName>>) -> Result<Self, LimitsError> {
        if duration.is_some_and(|most| most < Ttl::SHORTEST) {
            return Err(LimitsError::TooShort);
        }
        let scope = namespaces.map(Scope::from_list);
        if scope == Some(Scope::ClusterWide) {
            return Err(LimitsError::NoNamespace);
        }
        Ok(Self { duration, scope })
    }

    /// The most time, where it is limited.
    pub fn duration(&self) -> Option<Ttl> {
        self.duration
    }

    /// The only namespaces, where they are limited.
    pub fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// Whether they limit nothing.
    pub fn is_none(&self) -> bool {
        self.duration.is_none() && self.scope.is_none()
    }
}

/// Where and for how long rights are given: what was asked for, or less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Where.
    pub scope: Scope,
    /// How long.
    pub duration: Ttl,
}

impl Given {
    /// All that was asked for.
    pub fn all(terms: &Terms) -> Self {
        Self { scope: terms.scope.clone(), duration: terms.duration }
    }

    /// What `limits` leave of it; `None` when that is no namespace, or less time than the shortest session.
    pub fn limited(&self, limits: &Limits) -> Option<Self> {
        let scope = limits.scope.as_ref().map_or_else(|| Some(self.scope.clone()), |s| self.scope.meet(s))?;
        let duration = limits.duration.map_or(self.duration, |most| most.min(self.duration));
        (duration >= Ttl::SHORTEST).then_some(Self { scope, duration })
    }

    /// Whether it is no more than `terms` ask for.
    pub fn within(&self, terms: &Terms) -> bool {
        self.scope.within(&terms.scope) && self.duration <= terms.duration
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}", self.scope, self.duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<NamespaceName> {
        names.iter().map(|n| n.parse().unwrap()).collect()
    }

    fn given(scope: &[&str], minutes: u64) -> Given {
        Given { scope: Scope::from_list(names(scope)), duration: Ttl::minutes(minutes) }
    }

    fn limits(duration: Option<u64>, scope: Option<&[&str]>) -> Limits {
        Limits::new(duration.map(Ttl::minutes), scope.map(names)).unwrap()
    }

    #[test]
    fn p8_an_empty_list_is_no_limit_and_no_cluster() {
        assert_eq!(Limits::new(None, Some(Vec::new())), Err(LimitsError::NoNamespace));
        assert_eq!(Limits::new(Some(Ttl::minutes(14)), None), Err(LimitsError::TooShort));
        assert!(Limits::new(None, None).unwrap().is_none());
    }

    #[test]
    fn p8_limits_take_off_and_never_add() {
        let wide = given(&[], 60);
        assert_eq!(wide.limited(&Limits::default()), Some(wide.clone()));
        assert_eq!(wide.limited(&limits(Some(600), Some(&["a"]))), Some(given(&["a"], 60)));
        let two = given(&["a", "b"], 60);
        assert_eq!(two.limited(&limits(Some(15), Some(&["b", "c"]))), Some(given(&["b"], 15)));
        assert_eq!(two.limited(&limits(None, Some(&["c"]))), None);
        assert_eq!(given(&["a"], 10).limited(&limits(Some(15), None)), None, "shorter than any session");
    }
}
