//! Who used lately what a fix takes, said for people: never more than what was kept tells.

use crate::words::shown;
use sallyport_posture::effect::{Lately, Source};

/// `dana used it last on 27 Nov 2026 (2 calls), through sessions of this desktop`; none where nobody kept that.
pub fn lately(lately: &Lately) -> Option<String> {
    match lately {
        Lately::NotKnown => None,
        Lately::At { by, at, times, source } => {
            let who = if by.is_empty() { "somebody without a name".to_owned() } else { shown(by) };
            let calls = crate::words::count(usize::try_from(*times).unwrap_or(usize::MAX), "call");
            let by = match source {
                Source::History => ", through sessions of this desktop",
                Source::AuditLog => ", by the audit events of the archive",
            };
            Some(format!("{who} used it last on {} ({calls}){by}", day(*at)))
        }
        Lately::NotSince { since, source, only } => {
            let by = match only.as_slice() {
                [] => String::new(),
                some => format!(" by {}", shown(&some.join(", "))),
            };
            let beyond = match (source, only.is_empty()) {
                (Source::History, true) => {
                    "through sessions of this desktop, whose history is whole since then; the cluster's own audit log \
                     was not read"
                }
                (Source::History, false) => {
                    "through sessions of this desktop, whose history is whole since then; what others of the group \
                     did was not read"
                }
                (Source::AuditLog, _) => {
                    "as far as the archive's audit events tell, which begin then: what the audit policy leaves out is \
                     in none"
                }
            };
            Some(format!("not used{by} since {} {beyond}", day(*since)))
        }
    }
}

/// `27 Nov 2026`, by UTC, so that what is written down reads the same everywhere.
fn day(at: i64) -> String {
    let at = jiff::Timestamp::from_second(at).map(|at| at.to_zoned(jiff::tz::TimeZone::UTC));
    at.map_or_else(|_| "a day of no calendar".to_owned(), |at| at.strftime("%-d %b %Y").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_said_than_was_kept() {
        let since = 1_793_664_000;
        let at = |by: &str| Lately::At { by: by.into(), at: since, times: 2, source: Source::History };
        assert_eq!(
            lately(&at("dana")).unwrap(),
            "dana used it last on 3 Nov 2026 (2 calls), through sessions of this desktop"
        );
        assert!(!lately(&at("\u{202e}dana")).unwrap().contains('\u{202e}'), "P24");
        assert_eq!(lately(&Lately::NotKnown), None);
        let not = |source, only: &[&str]| {
            let only = only.iter().map(|one| (*one).to_owned()).collect();
            lately(&Lately::NotSince { since, source, only }).unwrap()
        };
        let own = not(Source::History, &[]);
        assert!(own.starts_with("not used since 3 Nov 2026 through sessions of this desktop"), "{own}");
        assert!(own.ends_with("audit log was not read"), "{own}");
        let group = not(Source::History, &["dana"]);
        assert!(group.starts_with("not used by dana since 3 Nov 2026"), "{group}");
        assert!(group.ends_with("others of the group did was not read"), "{group}");
        assert!(not(Source::AuditLog, &[]).contains("the audit policy leaves out"));
        let far = Lately::At { by: "d".into(), at: i64::MAX, times: u64::MAX, source: Source::AuditLog };
        assert!(lately(&far).unwrap().contains("a day of no calendar"));
    }
}
