use super::*;
use sallyport_model::{ConditionsInput, Days, Mfa, When};

/// Wednesday, 18 November 2026, 12:06:40 in Berlin.
const NOW: i64 = 1_795_000_000;
const NOON: i64 = NOW - 400;

fn hours(days: &[&str], hours: &str) -> Option<When> {
    let days = Days::parse(days.iter().copied()).unwrap();
    Some(When::new("Europe/Berlin", Some(days), Some(hours.parse().unwrap())).unwrap())
}

fn auto(name: &str, input: ConditionsInput) -> AutoApproval {
    AutoApproval { name: name.into(), conditions: Conditions::new(input) }
}

fn office() -> AutoApproval {
    let when = hours(&["Mon", "Tue", "Wed", "Thu", "Fri"], "09:00-18:00");
    auto("office", ConditionsInput { when, ..ConditionsInput::default() })
}

fn profile(approvals: u8, auto_approvals: Vec<AutoApproval>) -> Profile {
    Profile {
        name: "operate".parse().unwrap(),
        revision: "aa/1".parse().unwrap(),
        clusters: vec!["*".into()],
        roles: vec!["r".parse().unwrap()],
        scope: Scope::ClusterWide,
        max_duration: Ttl::minutes(60),
        approvals,
        auto_approvals,
        max_per_day: None,
        reaffirm: None,
        recording: None,
        mfa: Mfa::default(),
        reason_required: false,
    }
}

fn asking<'a>(scope: &'a Scope, opened: Option<&'a BTreeMap<String, u32>>) -> Asking<'a> {
    Asking { groups: &[], scope, duration: Ttl::minutes(30), opened }
}

#[test]
fn what_was_seen_is_said_in_the_order_of_the_conditions() {
    let opened = BTreeMap::from([("all".to_owned(), 1)]);
    let scope = Scope::from_list(["payments".parse().unwrap()]);
    let all = auto(
        "all",
        ConditionsInput {
            groups: Some(vec!["oidc:a".into(), "oidc:b".into()]),
            when: hours(&["Wed"], "09:00-18:00"),
            duration: Some(Ttl::minutes(30)),
            namespaces: Some(vec!["payments".parse().unwrap(), "ledger".parse().unwrap()]),
            per_day: Some(3),
        },
    );
    let groups = ["oidc:c".to_owned(), "oidc:b".to_owned()];
    let met = evaluate(&[all], &Asking { groups: &groups, ..asking(&scope, Some(&opened)) }, NOW).unwrap();
    assert_eq!(
        met.saw,
        "oidc:b; Wed 12:06, within Wed 09:00-18:00 in Europe/Berlin; 30m of at most 30m; payments; 2 of 3 within 24 hours"
    );
}

#[test]
fn p24_a_hostile_group_is_recorded_harmlessly_and_short() {
    let evil = format!("oidc:\u{202e}{}", "x".repeat(2000));
    let groups = [evil.clone()];
    let auto = auto("evil", ConditionsInput { groups: Some(vec![evil]), ..ConditionsInput::default() });
    let scope = Scope::ClusterWide;
    let met = evaluate(&[auto], &Asking { groups: &groups, ..asking(&scope, None) }, NOW).unwrap();
    assert!(!met.saw.contains('\u{202e}') && met.saw.chars().count() <= SAW_MOST, "{}", met.saw);
}

#[test]
fn it_is_told_until_when_it_opens_at_once_and_from_when_it_will() {
    let scope = Scope::ClusterWide;
    let profile = profile(1, vec![office()]);
    let asking = asking(&scope, None);
    let Outlook::AtOnce { by: Some(by), until } = outlook(&profile, &asking, NOW) else { panic!() };
    assert_eq!((by.name.as_str(), until), ("office", Some(NOON + 6 * 3600)));
    let evening = NOON + 7 * 3600;
    let Outlook::People { need: 1, unmet, opens_at } = outlook(&profile, &asking, evening) else { panic!() };
    assert_eq!(opens_at, Some(NOON + 21 * 3600), "Thursday, 09:00");
    assert_eq!(
        unmet[0].to_string(),
        "office: it is Wed 19:00 there, and it is met Mon-Fri 09:00-18:00 in Europe/Berlin"
    );
    let saturday = NOON + 3 * 24 * 3600;
    let Outlook::People { opens_at, .. } = outlook(&profile, &asking, saturday) else { panic!() };
    assert_eq!(opens_at, Some(NOON + (4 * 24 + 21) * 3600), "Monday, 09:00");
}

#[test]
fn one_after_the_other_is_one_stretch() {
    let night =
        auto("night", ConditionsInput { when: hours(&["Wed"], "18:00-07:00"), ..ConditionsInput::default() });
    let scope = Scope::ClusterWide;
    let both = profile(1, vec![office(), night]);
    let Outlook::AtOnce { until, .. } = outlook(&both, &asking(&scope, None), NOW) else { panic!() };
    assert_eq!(until, Some(NOON + 19 * 3600), "Thursday, 07:00");
}

#[test]
fn what_no_clock_changes_has_no_time() {
    let scope = Scope::ClusterWide;
    let short =
        auto("short", ConditionsInput { duration: Some(Ttl::minutes(30)), ..ConditionsInput::default() });
    let at_once = outlook(&profile(1, vec![short.clone()]), &asking(&scope, None), NOW);
    assert!(matches!(at_once, Outlook::AtOnce { by: Some(_), until: None }));
    let longer = Asking { duration: Ttl::minutes(31), ..asking(&scope, None) };
    let people = outlook(&profile(2, vec![short]), &longer, NOW);
    assert!(matches!(people, Outlook::People { need: 2, opens_at: None, .. }));
    let nobody = outlook(&profile(0, vec![]), &longer, NOW);
    assert_eq!(nobody, Outlook::AtOnce { by: None, until: None });
}
