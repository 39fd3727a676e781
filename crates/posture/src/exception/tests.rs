use super::*;
use crate::ground::Ground;
use crate::snapshot::{Coverage, Kind};
use crate::tests::{Cluster, group, rule, user};

/// 2026-11-29.
const NOW: i64 = 1_795_910_400;

const GOOD: &str = "
exceptions:
- check: RB-01
  cluster: 'payments-*'
  subject: group:sre
  owner: sre@example.test
  reason: break glass, kept in the safe
  until: 2027-06-30
";

fn report(cluster: Cluster) -> Report {
    Ground::new(&cluster.read()).report()
}

fn admins() -> Cluster {
    Cluster::default().cluster_role("all", &[rule(&["*"], &["*"], &["*"])]).bind(
        None,
        "all",
        &[group("sre"), user("ana")],
    )
}

#[test]
fn an_exception_is_for_one_subject_in_some_clusters_until_its_last_day() {
    let exceptions = Exceptions::parse(GOOD, NOW).unwrap();
    let report = report(admins());
    let findings = &report.checks[0].findings;
    let under = |cluster: &str, now: i64| -> Vec<String> {
        let of = findings.iter().filter(|one| exceptions.of(cluster, one, now).is_some());
        of.filter_map(|one| Some(one.subject.as_ref()?.name().to_owned())).collect()
    };
    assert_eq!(under("payments-eu", NOW), ["sre"], "and ana's is not excepted");
    assert_eq!(under("search-eu", NOW), [""; 0]);
    let last = jiff::civil::date(2027, 6, 30).to_zoned(TimeZone::UTC).unwrap().timestamp().as_second();
    assert_eq!(under("payments-eu", last + 86_399), ["sre"]);
    assert_eq!(under("payments-eu", last + 86_400), [""; 0]);
}

#[test]
fn one_that_has_ended_or_is_about_nothing_is_a_finding_where_that_is_known() {
    let exceptions = Exceptions::parse(GOOD, NOW).unwrap();
    let (with, without) = (report(admins()), report(Cluster::default()));
    let audit = |seen: &[(&str, &Report)], now| -> Vec<&'static str> {
        exceptions.audit(seen, now).iter().map(|one| one.check).collect()
    };
    assert_eq!(audit(&[("payments-eu", &with)], NOW), [""; 0]);
    assert_eq!(audit(&[("payments-eu", &without), ("payments-us", &with)], NOW), [""; 0]);
    assert_eq!(audit(&[("payments-eu", &without)], NOW), ["EX-02"]);
    assert_eq!(audit(&[("search-eu", &without)], NOW), [""; 0], "nobody looked at a cluster that it is for");
    assert_eq!(audit(&[("payments-eu", &with)], NOW + 365 * 86_400), ["EX-01"]);
    // P21: what was not read may hold what it is about.
    let mut cut = Cluster::default().read();
    cut.asked(Kind::ClusterRole, Coverage::Cut("its list ended".into()));
    let unread = Ground::new(&cut).report();
    assert_eq!(audit(&[("payments-eu", &unread)], NOW), [""; 0]);
}

#[test]
fn what_is_about_nobody_needs_neither_subject_nor_object_and_covers_nothing_else() {
    let text = GOOD.replace("  subject: group:sre\n", "");
    let exceptions = Exceptions::parse(&text, NOW).unwrap();
    let report = report(admins());
    assert!(report.checks[0].findings.iter().all(|one| exceptions.of("payments-eu", one, NOW).is_none()));
}

#[test]
fn hostile_exceptions_get_one_error_with_its_line() {
    let with = |from: &str, to: &str| GOOD.replace(from, to);
    for (text, line, says) in [
        (with("  owner: sre@example.test\n", ""), Some(3), "has no owner: somebody must answer for it"),
        (with("  reason: break glass, kept in the safe\n", ""), Some(3), "has no reason"),
        (with("  until: 2027-06-30\n", ""), Some(3), "has no until"),
        (with("  cluster: 'payments-*'\n", ""), Some(3), "has no cluster"),
        (with("sre@example.test", "' '"), Some(6), "owner is empty"),
        (with("RB-01", "RB-99"), Some(3), "there is no check `RB-99`"),
        (with("2027-06-30", "2027-12-30"), Some(8), "more than a year away"),
        (with("2027-06-30", "soon"), Some(8), "`soon` is no day"),
        (with("2027-06-30", "2027-02-31"), Some(8), "is no day"),
        (with("2027-06-30", "2027-06-30T00:00:00"), Some(8), "is no day"),
        (with("group:sre", "sre"), Some(5), "`sre` names nobody"),
        (with("group:sre", "sa:ci"), Some(5), "names nobody"),
        (with("subject: group:sre", "object: devs"), Some(5), "names no object"),
        (with("subject: group:sre", "object: a/b/c/d"), Some(5), "names no object"),
        (with("subject:", "subjects:"), None, "subjects"),
        (with("group:sre", "\"group:s\u{202e}re\""), Some(5), "nobody sees"),
        (with("break glass, kept in the safe", &"x".repeat(600)), Some(7), "longer than 500"),
        (format!("{GOOD}  until: 2027-06-29\n"), Some(9), ""),
        (format!("{GOOD}{}", &GOOD["\nexceptions:\n".len()..]), Some(9), "line 3 once more"),
        (with("'payments-*'", "*payments"), None, "quote a glob"),
        (with("'payments-*'", "&a x"), None, "quote a glob"),
        ("exceptions: 3".to_owned(), Some(1), "no list of exceptions"),
        ("- check: RB-01".to_owned(), Some(1), "no list of exceptions"),
        (String::new(), None, "no list of exceptions"),
        ("{{{{".to_owned(), None, "no list of exceptions"),
        ("exceptions: [[[[[[[[[[[[]]]]]]]]]]]]".to_owned(), None, ""),
        (format!("exceptions:\n{}", "- {}\n".repeat(3000)), None, ""),
        ("x".repeat(2 << 20), None, "kB of text"),
    ] {
        let error = Exceptions::parse(&text, NOW).expect_err(&text[..text.len().min(300)]);
        assert!(error.what.contains(says), "{says}: {error}");
        assert!(line.is_none() || error.line == line, "{line:?}: {error}\n{}", &text[..text.len().min(300)]);
        assert!(error.to_string().chars().count() < 600 && !error.to_string().contains('\u{202e}'));
    }
    assert_eq!(Exceptions::parse("exceptions: []", NOW).unwrap().all(), []);
}

#[test]
fn who_answers_for_what_was_found_does_not_answer_for_what_becomes_of_it() {
    let one = "
exceptions:
- check: RB-13
  cluster: '*'
  subject: group:devs
  severity: medium
  namespaces: [dev]
  owner: sre@example.test
  reason: they debug there
  until: 2027-06-30
";
    let exceptions = Exceptions::parse(one, NOW).unwrap();
    let exec = || Cluster::default().cluster_role("exec", &[rule(&["create"], &[""], &["pods/exec"])]);
    let excepted = |cluster: Cluster| {
        let report = report(cluster);
        let judged = report.checks.iter().find(|judged| judged.check.id == "RB-13").unwrap();
        let finding = judged.findings.first().expect("it is found");
        exceptions.of("a", finding, NOW).is_some()
    };
    assert!(excepted(exec().bind(Some("dev"), "exec", &[group("devs")])));
    assert!(!excepted(exec().bind(Some("prod"), "exec", &[group("devs")])), "elsewhere");
    assert!(!excepted(exec().bind(None, "exec", &[group("devs")])), "everywhere");
    for (field, wrong) in
        [("severity: medium", "severity: harmless"), ("namespaces: [dev]", "namespaces: ['']")]
    {
        assert!(Exceptions::parse(&one.replace(field, wrong), NOW).is_err(), "{wrong}");
    }
}
