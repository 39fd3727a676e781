use crate::{EndReason, Ending, Phase, clip, visible};

/// What a hold is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// One person, by the name that the hub's API server knows them by, on all clusters.
    User(String),
    /// One cluster, for everybody.
    Cluster(String),
    /// Everybody, everywhere.
    Everything,
}

/// Somebody's word that nothing of what it is on is asked for, granted or kept open for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// What it is on.
    pub held: Held,
    /// Until when, Unix seconds by the hub's clock.
    pub until: i64,
    /// Who holds.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Hold {
    /// The longest that one may stand from the moment it is made, in seconds. Admission holds the same.
    pub const LONGEST: i64 = 7 * 24 * 3600;

    /// Whether it is on what this person does on this cluster, at `now` (Unix seconds, the hub's clock).
    pub fn is_on(&self, user: &str, cluster: &str, now: i64) -> bool {
        let named = match &self.held {
            Held::User(name) => name == user,
            Held::Cluster(name) => name == cluster,
            Held::Everything => true,
        };
        named && self.stands(now)
    }

    /// Whether it still stands.
    pub fn stands(&self, now: i64) -> bool {
        now < self.until
    }

    /// How a request ends by it, at the phase it is in: what was not approved yet is denied, anything else revoked.
    pub fn ending(&self, phase: Phase) -> Ending {
        let reason = if phase == Phase::Pending { EndReason::Denied } else { EndReason::Revoked };
        Ending::new(reason, self.to_string())
    }
}

/// For people: what is held, by whom and why.
impl std::fmt::Display for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |text: &str, most| clip(&visible(text), most);
        match &self.held {
            Held::User(name) => write!(f, "{} is held", shown(name, 80))?,
            Held::Cluster(name) => write!(f, "cluster {} is held", shown(name, 80))?,
            Held::Everything => f.write_str("everything is held")?,
        }
        write!(f, " by {}: {}", shown(&self.by, 80), shown(&self.reason, 300))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(held: Held) -> Hold {
        Hold { held, until: 100, by: "oidc:lee".into(), reason: "laptop\u{202e} stolen".into() }
    }

    #[test]
    fn a_hold_is_on_whom_it_names_until_it_ends() {
        let on = |held, user, cluster, now| hold(held).is_on(user, cluster, now);
        assert!(on(Held::User("dana".into()), "dana", "pay", 99));
        assert!(!on(Held::User("dana".into()), "dana", "pay", 100), "its end is not in it");
        assert!(!on(Held::User("dana".into()), "dan", "pay", 0));
        assert!(on(Held::Cluster("pay".into()), "anyone", "pay", 0));
        assert!(!on(Held::Cluster("pay".into()), "pay", "shop", 0), "a person is no cluster");
        assert!(on(Held::Everything, "anyone", "any", 99) && !on(Held::Everything, "anyone", "any", 100));
    }

    #[test]
    fn p24_what_it_ends_is_told_in_harmless_words() {
        let ended = |phase| hold(Held::User("dana".into())).ending(phase);
        assert_eq!(ended(Phase::Pending).reason, EndReason::Denied);
        assert_eq!(ended(Phase::Approved).reason, EndReason::Revoked);
        assert_eq!(ended(Phase::Active).message, "dana is held by oidc:lee: laptop⟨U+202E⟩ stolen");
    }
}
