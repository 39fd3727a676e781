use crate::{Ttl, TtlError};
use std::fmt;

/// How often a requester's identity provider has to vouch for them while they have something open, and how long a session
/// may go on without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaffirm {
    every: Ttl,
    grace: Ttl,
}

/// What is wrong with how often a profile wants its requesters reaffirmed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReaffirmError {
    /// It is no duration.
    #[error("reaffirm: {0}")]
    Malformed(#[from] TtlError),
    /// Providers and desktops would do little else.
    #[error("reaffirm.every is shorter than {}", Reaffirm::EVERY_LEAST)]
    TooOften,
    /// One answer that is late would end everything.
    #[error("reaffirm.grace is shorter than {}", Reaffirm::GRACE_LEAST)]
    NoGrace,
    /// Longer than any session, and so never asked for.
    #[error("reaffirm.every and reaffirm.grace are longer than {} together", Ttl::LONGEST)]
    Never,
}

impl Reaffirm {
    /// The shortest period.
    pub const EVERY_LEAST: Ttl = Ttl::minutes(5);
    /// The shortest time that a session goes on without.
    pub const GRACE_LEAST: Ttl = Ttl::minutes(1);

    /// Once in `every`, and at most `grace` later.
    ///
    /// # Errors
    /// For a period or a grace that is too short, and for both together longer than any session.
    pub fn new(every: Ttl, grace: Ttl) -> Result<Self, ReaffirmError> {
        if every < Self::EVERY_LEAST {
            return Err(ReaffirmError::TooOften);
        }
        if grace < Self::GRACE_LEAST {
            return Err(ReaffirmError::NoGrace);
        }
        if every.as_seconds().saturating_add(grace.as_seconds()) > Ttl::LONGEST.as_seconds() {
            return Err(ReaffirmError::Never);
        }
        Ok(Self { every, grace })
    }

    /// As a profile writes them.
    ///
    /// # Errors
    /// As [`Reaffirm::new`], and for what is no duration.
    pub fn parse(every: &str, grace: &str) -> Result<Self, ReaffirmError> {
        Self::new(every.parse()?, grace.parse()?)
    }

    /// How often.
    pub fn every(self) -> Ttl {
        self.every
    }

    /// How long it goes on without.
    pub fn grace(self) -> Ttl {
        self.grace
    }

    /// When the next word of the provider is due after one of `issued`, Unix seconds.
    pub fn due_at(self, issued: i64) -> i64 {
        issued.saturating_add(self.every.as_seconds_i64())
    }

    /// When a session is over that heard nothing since `issued`, Unix seconds.
    pub fn over_at(self, issued: i64) -> i64 {
        self.due_at(issued).saturating_add(self.grace.as_seconds_i64())
    }
}

impl fmt::Display for Reaffirm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "every {}, {} at most without", self.every, self.grace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_often_has_a_least_and_a_most() {
        let reaffirm = Reaffirm::parse("15m", "5m").unwrap();
        assert_eq!((reaffirm.due_at(1000), reaffirm.over_at(1000)), (1900, 2200));
        assert_eq!(reaffirm.to_string(), "every 15m, 5m at most without");
        assert!(Reaffirm::parse("5m", "1m").is_ok() && Reaffirm::parse("11h", "1h").is_ok());
        for (every, grace, why) in [
            ("4m", "5m", "every is shorter than 5m"),
            ("5m", "59s", "grace is shorter than 1m"),
            ("12h", "1m", "longer than 12h"),
            ("often", "1m", "`often` is not a duration"),
            ("", "1m", "not a duration"),
            ("15m", "-1m", "not a duration"),
            ("99999h", "99999h", "longer than 12h"),
        ] {
            let said = Reaffirm::parse(every, grace).unwrap_err().to_string();
            assert!(said.contains(why), "{every} {grace}: {said}");
        }
    }

    #[test]
    fn no_time_overflows() {
        let reaffirm = Reaffirm::parse("5m", "1m").unwrap();
        assert_eq!(reaffirm.over_at(i64::MAX), i64::MAX);
        assert!(reaffirm.over_at(i64::MIN) < 0);
    }
}
