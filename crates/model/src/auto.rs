use crate::{NamespaceName, Scope, Ttl, When, clip, visible};
use std::{collections::BTreeSet, fmt};

/// What lets a profile open without people. It stands for all of its approvals or for none.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoApproval {
    /// Its name within the profile, as a request records it.
    pub name: String,
    /// What has to be so. `Err`: why that can't be read, in words; then it never is.
    pub conditions: Result<Conditions, ConditionsError>,
}

/// Conditions, all of which must be met; at least one. Each says what must be and none what must not, so that whoever says
/// less of themselves meets fewer.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditions {
    groups: Option<BTreeSet<String>>,
    when: Option<When>,
    duration: Option<Ttl>,
    // Always `Scope::Namespaces`: cluster-wide is no condition, and no list is empty.
    scope: Option<Scope>,
    per_day: Option<u32>,
}

/// Conditions as they are written, parsed one by one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConditionsInput {
    /// See [`Conditions::groups`].
    pub groups: Option<Vec<String>>,
    /// See [`Conditions::when`].
    pub when: Option<When>,
    /// See [`Conditions::duration`].
    pub duration: Option<Ttl>,
    /// See [`Conditions::scope`].
    pub namespaces: Option<Vec<NamespaceName>>,
    /// See [`Conditions::per_day`].
    pub per_day: Option<u32>,
}

/// What is wrong with conditions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionsError {
    /// There is none: everything would meet them.
    #[error("it has no condition")]
    None,
    /// A list without a group: it would read as none, and elsewhere as any.
    #[error("groups names none")]
    NoGroup,
    /// A list without a namespace: it would read as none, and elsewhere as all of them.
    #[error("namespaces names none")]
    NoNamespace,
    /// Shorter than any session.
    #[error("maxDuration is shorter than {}", Ttl::SHORTEST)]
    TooShort,
    /// Not once a day.
    #[error("perDay is 0")]
    Never,
    /// A field that is not what it should be, in words.
    #[error("{0}")]
    Unreadable(String),
}

impl ConditionsError {
    /// For a field that can't be read. What it says may hold anybody's text.
    pub fn unreadable(why: impl std::fmt::Display) -> Self {
        Self::Unreadable(clip(&visible(&why.to_string()), 200))
    }
}

impl Conditions {
    /// Checks what each parsed field alone could not say.
    ///
    /// # Errors
    /// [`ConditionsError`].
    pub fn new(input: ConditionsInput) -> Result<Self, ConditionsError> {
        if input == ConditionsInput::default() {
            return Err(ConditionsError::None);
        }
        let ConditionsInput { groups, when, duration, namespaces, per_day } = input;
        let groups: Option<BTreeSet<String>> = groups.map(|groups| groups.into_iter().collect());
        let scope = namespaces.map(Scope::from_list);
        if groups.as_ref().is_some_and(BTreeSet::is_empty) {
            return Err(ConditionsError::NoGroup);
        }
        if scope == Some(Scope::ClusterWide) {
            return Err(ConditionsError::NoNamespace);
        }
        if duration.is_some_and(|most| most < Ttl::SHORTEST) {
            return Err(ConditionsError::TooShort);
        }
        if per_day == Some(0) {
            return Err(ConditionsError::Never);
        }
        Ok(Self { groups, when, duration, scope, per_day })
    }

    /// The requester asks with one of these groups; `None`: with any, or none.
    pub fn groups(&self) -> Option<&BTreeSet<String>> {
        self.groups.as_ref()
    }

    /// Days and hours, by the hub's clock.
    pub fn when(&self) -> Option<&When> {
        self.when.as_ref()
    }

    /// Asked for at most so long.
    pub fn duration(&self) -> Option<Ttl> {
        self.duration
    }

    /// Asked for in these namespaces alone.
    pub fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// So often at most for one person on one cluster within 24 hours.
    pub fn per_day(&self) -> Option<u32> {
        self.per_day
    }
}

impl fmt::Display for Conditions {
    /// For people: `oidc:dev; Mon-Fri 09:00-18:00 in Europe/Berlin; at most 30m; in payments; 3 times within 24 hours`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = self.groups.iter().map(|groups| groups.iter().cloned().collect::<Vec<_>>().join(" or "));
        let when = self.when.iter().map(ToString::to_string);
        let duration = self.duration.iter().map(|most| format!("at most {most}"));
        let scope = self.scope.iter().map(|scope| format!("in {scope}"));
        let per_day = self.per_day.iter().map(|most| format!("{most} times within 24 hours"));
        let all: Vec<String> = groups.chain(when).chain(duration).chain(scope).chain(per_day).collect();
        f.write_str(&visible(&all.join("; ")))
    }
}

impl fmt::Display for AutoApproval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.conditions {
            Ok(conditions) => write!(f, "{}: {conditions}", self.name),
            Err(why) => write!(f, "{}: never, for {why}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_in_words() {
        let conditions = Conditions::new(ConditionsInput {
            groups: Some(vec!["oidc:b".into(), "oidc:a".into()]),
            when: When::new("UTC", None, "09:00-18:00".parse().ok()).ok(),
            duration: Some(Ttl::minutes(30)),
            namespaces: Some(vec!["payments".parse().unwrap()]),
            per_day: Some(3),
        });
        let said = |conditions| AutoApproval { name: "office".into(), conditions }.to_string();
        assert_eq!(
            said(conditions),
            "office: oidc:a or oidc:b; 09:00-18:00 in UTC; at most 30m; in payments; 3 times within 24 hours"
        );
        assert_eq!(said(Err(ConditionsError::NoGroup)), "office: never, for groups names none");
    }

    #[test]
    fn an_empty_list_is_no_condition_that_everybody_meets() {
        let none = ConditionsInput::default;
        assert_eq!(Conditions::new(none()), Err(ConditionsError::None));
        let made = |input| Conditions::new(input).unwrap_err();
        assert_eq!(made(ConditionsInput { groups: Some(vec![]), ..none() }), ConditionsError::NoGroup);
        assert_eq!(
            made(ConditionsInput { namespaces: Some(vec![]), ..none() }),
            ConditionsError::NoNamespace
        );
        assert_eq!(made(ConditionsInput { per_day: Some(0), ..none() }), ConditionsError::Never);
        let short = ConditionsInput { duration: Some(Ttl::minutes(14)), per_day: Some(1), ..none() };
        assert_eq!(made(short).to_string(), "maxDuration is shorter than 15m");
        assert!(ConditionsError::unreadable("a\u{202e}b").to_string().contains("⟨U+202E⟩"));
    }
}
