//! What a sign-in must be like. Judged here for requester and approver alike, from what admission held to the token's
//! own claims, because the guardrail that knows the profile is not asked where that profile is missing or late.

use crate::{Ttl, clip, visible};

/// How far apart the clocks of provider, approver's desktop and hub may be, in seconds.
const SKEW: i64 = 60;

/// What is known of somebody's sign-in. What is not said counts for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignIn {
    /// `acr`: the class reached.
    pub acr: Option<String>,
    /// `amr`: the methods used.
    pub amr: Vec<String>,
    /// `auth_time`: when they last proved who they are, Unix seconds.
    pub auth_time: Option<i64>,
}

/// What a profile wants of it. Every part that is not empty must hold (attack 14).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mfa {
    /// One of these classes; empty: any.
    pub acr: Vec<String>,
    /// One of these methods; empty: any.
    pub amr: Vec<String>,
    /// Its greatest age; `None`: any.
    pub max_age: Option<Ttl>,
}

impl Mfa {
    /// What is missing of a sign-in that was used at `at` (Unix seconds), in words; `None` when nothing is.
    pub fn lack(&self, sign_in: &SignIn, at: i64) -> Option<String> {
        let shown = |text: String| clip(&visible(&text), 120);
        if !self.acr.is_empty() && !sign_in.acr.as_ref().is_some_and(|acr| self.acr.contains(acr)) {
            let had = sign_in.acr.clone().unwrap_or_default();
            return Some(format!(
                "a stronger sign-in ({}), not acr [{}]",
                shown(self.acr.join(", ")),
                shown(had)
            ));
        }
        if !self.amr.is_empty() && !sign_in.amr.iter().any(|method| self.amr.contains(method)) {
            let had = sign_in.amr.join(", ");
            return Some(format!(
                "a second factor ({}), not amr [{}]",
                shown(self.amr.join(", ")),
                shown(had)
            ));
        }
        let age = sign_in.auth_time.map(|then| at.saturating_sub(then));
        if age.is_some_and(|age| age < -SKEW) {
            return Some("a sign-in that is not from the future".to_owned());
        }
        let most = self.max_age?;
        let limit = most.as_seconds_i64();
        match age {
            None => Some(format!("a sign-in that says when it was, and not longer than {most} before")),
            Some(age) if age > limit => Some(format!("a sign-in not older than {most}, not one {age} s old")),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_795_000_000;

    fn signed_in(acr: &str, amr: &[&str], auth_time: Option<i64>) -> SignIn {
        SignIn {
            acr: (!acr.is_empty()).then(|| acr.to_owned()),
            amr: amr.iter().map(|m| (*m).to_owned()).collect(),
            auth_time,
        }
    }

    fn wanted(acr: &[&str], amr: &[&str], max_age: Option<u64>) -> Mfa {
        let all = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect();
        Mfa { acr: all(acr), amr: all(amr), max_age: max_age.map(Ttl::seconds) }
    }

    #[test]
    fn fault_a8_every_part_must_hold_and_none_stands_in_for_another() {
        let mfa = wanted(&["mfa", "phr"], &["hwk"], Some(900));
        let good = signed_in("mfa", &["pwd", "hwk"], Some(AT - 900));
        assert_eq!(mfa.lack(&good, AT), None);
        for (why, odd) in [
            ("stronger", signed_in("pwd", &["hwk"], Some(AT))),
            ("stronger", signed_in("", &["hwk"], Some(AT))),
            ("stronger", signed_in("hwk", &["mfa"], Some(AT))),
            ("second factor", signed_in("mfa", &["otp"], Some(AT))),
            ("second factor", signed_in("mfa", &[], Some(AT))),
            ("not older than 15m", signed_in("mfa", &["hwk"], Some(AT - 901))),
            ("not older than 15m", signed_in("mfa", &["hwk"], Some(i64::MIN))),
            ("says when it was", signed_in("mfa", &["hwk"], None)),
            ("the future", signed_in("mfa", &["hwk"], Some(AT + 61))),
            ("the future", signed_in("mfa", &["hwk"], Some(i64::MAX))),
        ] {
            let lack = mfa.lack(&odd, AT).unwrap_or_default();
            assert!(lack.contains(why), "{odd:?}: {lack}");
        }
        assert_eq!(mfa.lack(&signed_in("phr", &["hwk"], Some(AT + 60)), AT), None);
    }

    #[test]
    fn fault_a8_what_asks_for_nothing_takes_anything_but_the_future() {
        let none = Mfa::default();
        assert_eq!(none.lack(&SignIn::default(), AT), None);
        assert_eq!(none.lack(&signed_in("x", &[], Some(0)), AT), None);
        assert!(none.lack(&signed_in("x", &[], Some(AT + 3600)), AT).is_some());
    }

    #[test]
    fn p24_hostile_values_are_shown_harmlessly() {
        let odd = signed_in(&format!("a\u{202e}{}", "x".repeat(5000)), &[], None);
        let lack = wanted(&["mfa"], &[], None).lack(&odd, AT).unwrap_or_default();
        assert!(!lack.contains('\u{202e}') && lack.chars().count() < 200, "{lack}");
    }
}
