use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// How long something may last, in whole seconds; written as in a profile: `1h30m`, `45m`, `900s`.
///
/// The text form is the subset of Go's durations that the CRDs allow (hours, minutes, seconds, in this order).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ttl(u64);

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration like 1h30m")]
pub struct TtlError(String);

impl Ttl {
    /// The shortest session: a token can't be shorter than 10 minutes, and a margin is needed (design §3, End).
    pub const SHORTEST: Ttl = Ttl(15 * 60);
    /// The longest session any guardrail lets through.
    pub const LONGEST: Ttl = Ttl(12 * 3600);

    /// From seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// From minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self(minutes * 60)
    }

    /// Without the rest of a minute, as the CRDs write durations: rounded down, never up.
    pub const fn whole_minutes(self) -> Self {
        Self::minutes(self.0 / 60)
    }

    /// In seconds, as the window counts them.
    pub fn as_seconds_u32(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }

    /// In seconds, to reckon with times.
    pub fn as_seconds_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// In seconds.
    pub const fn as_seconds(self) -> u64 {
        self.0
    }
}

impl From<Ttl> for Duration {
    fn from(ttl: Ttl) -> Duration {
        Duration::from_secs(ttl.0)
    }
}

impl FromStr for Ttl {
    type Err = TtlError;
    fn from_str(text: &str) -> Result<Self, TtlError> {
        let wrong = || TtlError(crate::clip(&crate::visible(text), 40));
        let (mut total, mut rest, mut units) = (0u64, text, "hms");
        if text.is_empty() || text.len() > 16 {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if !(1..=5).contains(&digits) {
                return Err(wrong());
            }
            let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
            let unit = rest[digits..].chars().next().ok_or_else(wrong)?;
            // Units come once each and in falling order, so the rest of the list shrinks as they are met.
            let at = units.find(unit).ok_or_else(wrong)?;
            units = &units[at + 1..];
            total += number
                * match unit {
                    'h' => 3600,
                    'm' => 60,
                    _ => 1,
                };
            rest = &rest[digits + 1..];
        }
        Ok(Self(total))
    }
}

impl TryFrom<String> for Ttl {
    type Error = TtlError;
    fn try_from(text: String) -> Result<Self, TtlError> {
        text.parse()
    }
}

impl From<Ttl> for String {
    fn from(ttl: Ttl) -> String {
        ttl.to_string()
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (h, m, s) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        if h > 0 {
            write!(f, "{h}h")?;
        }
        if m > 0 {
            write!(f, "{m}m")?;
        }
        if s > 0 || self.0 == 0 {
            write!(f, "{s}s")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_parse_as_the_crds_write_them() {
        for (text, seconds) in [("1h30m", 5400), ("45m", 2700), ("900s", 900), ("0s", 0), ("12h", 43_200)] {
            assert_eq!(text.parse::<Ttl>().unwrap().as_seconds(), seconds);
        }
        for bad in ["", "h", "1", "1m1h", "1h1h", "-1h", "1.5h", "999999h", "1d", " 1h", "1h ", "1h\u{202e}"]
        {
            assert!(bad.parse::<Ttl>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in 0u64..100_000) {
            let ttl = Ttl::seconds(seconds);
            prop_assert_eq!(ttl.to_string().parse::<Ttl>().unwrap(), ttl);
        }
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = text.parse::<Ttl>();
        }
    }
}
