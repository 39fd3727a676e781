use super::*;
use sallyport_api::AccessProfile;
use sallyport_ipc::LastOpening;
use sallyport_policy::Spell;
use serde_json::{Value, json};

/// Wednesday, 18 November 2026, 12:06:40 in Berlin.
const NOW: i64 = 1_795_000_000;

fn stored(edit: Value) -> AccessProfile {
    let mut spec = json!({
        "clusters": ["*"], "roles": ["r"], "namespaces": ["payments", "checkout"], "maxDuration": "2h", "approvals": 1,
        "autoApprovals": [{"name": "office", "days": ["Wed"], "hours": "09:00-18:00", "zone": "Europe/Berlin", "maxDuration": "1h"}],
    });
    spec.as_object_mut().unwrap().extend(edit.as_object().unwrap().clone());
    serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile",
        "metadata": {"name": "operate", "uid": "aa", "generation": 1}, "spec": spec,
    }))
    .unwrap()
}

fn profile(edit: Value) -> Profile {
    Profile::try_from(&stored(edit)).unwrap()
}

fn seen(profile: &Profile, minutes: u64, past: Option<&Past>, now: i64) -> OutlookView {
    let (scope, duration) = (Scope::ClusterWide, Ttl::minutes(minutes));
    let opened = past.map(|past| &past.opened);
    let asking = Asking { groups: &[], scope: &scope, duration, opened };
    view(profile, outlook(profile, &asking, now), past, duration, now)
}

#[test]
fn what_is_asked_for_decides_whether_it_opens_and_until_when() {
    let operate = profile(json!({}));
    let hour = seen(&operate, 60, None, NOW);
    assert!(hour.at_once && hour.by.as_deref() == Some("office") && hour.day.is_none());
    assert_eq!(hour.changes_at, Some((NOW - 400 + 6 * 3600) * 1000));
    let longer = seen(&operate, 61, None, NOW);
    assert!(!longer.at_once && longer.approvals == 1 && longer.changes_at.is_none());
    assert_eq!(longer.unmet, ["office: 1h1m is longer than 1h"]);
    let evening = seen(&operate, 60, None, NOW + 7 * 3600);
    assert!(!evening.at_once && evening.changes_at.is_some());
}

#[test]
fn attack_20_what_is_left_of_a_day_is_an_estimate_and_unknown_where_nobody_could_look() {
    let counted = profile(json!({"maxPerDay": "2h"}));
    let day = |past: Option<&Past>| seen(&counted, 60, past, NOW).day.unwrap();
    assert_eq!(day(None), DayView { most_seconds: 7200, left_seconds: None, fits: true });
    let past = Past { spells: vec![Spell::Known { from: NOW - 7200, to: NOW - 1800 }], ..Past::default() };
    assert_eq!(day(Some(&past)), DayView { most_seconds: 7200, left_seconds: Some(1800), fits: false });
    // What lies beside what is open anyway takes nothing more.
    let past = Past { spells: vec![Spell::Known { from: NOW - 3600, to: NOW + 3600 }], ..Past::default() };
    assert_eq!(day(Some(&past)), DayView { most_seconds: 7200, left_seconds: Some(0), fits: true });
}

#[test]
fn a_click_takes_what_it_would_ask_for_by_itself() {
    let known = Known { groups: vec!["oidc:dev".into()], ..Known::default() };
    let last = |seconds| Remembered {
        last: Some(LastOpening {
            profile: "operate".into(),
            namespaces: vec!["payments".into()],
            duration_seconds: seconds,
        }),
        ..Remembered::default()
    };
    let none = Remembered::default();
    let operate = profile(json!({}));
    assert!(
        known.opens_at_once(&operate, &none, NOW) && !known.opens_at_once(&operate, &none, NOW + 7 * 3600)
    );
    assert!(!known.opens_at_once(&operate, &last(7200), NOW), "as long as last time");
    let default = |minutes| Remembered { default: Some(Ttl::minutes(minutes)), ..last(7200) };
    assert!(
        known.opens_at_once(&operate, &default(30), NOW),
        "as long as the person chose, whatever was last"
    );
    assert!(!known.opens_at_once(&operate, &default(90), NOW));
    let narrow = profile(
        json!({"autoApprovals": [{"name": "p", "groups": ["oidc:dev"], "namespaces": ["payments"]}]}),
    );
    assert!(!known.opens_at_once(&narrow, &none, NOW) && known.opens_at_once(&narrow, &last(900), NOW));
    assert!(!Known::default().opens_at_once(&narrow, &last(900), NOW), "with no group");
    let seldom = profile(json!({"autoApprovals": [{"name": "p", "perDay": 1}]}));
    assert!(!known.opens_at_once(&seldom, &none, NOW), "how often is not known here");
    assert!(known.opens_at_once(&profile(json!({"approvals": 0, "autoApprovals": []})), &none, NOW));
}

#[test]
fn attack_20_a_length_that_nobody_chose_is_no_longer_than_what_is_left_of_the_day() {
    let counted = profile(json!({"maxPerDay": "2h"}));
    let hour = Ttl::minutes(60);
    let spent = |seconds: i64| Past {
        spells: vec![Spell::Known { from: NOW - 10_000, to: NOW - 10_000 + seconds }],
        ..Past::default()
    };
    let taken = |seconds| shortened(&counted, hour, Some(&spent(seconds)), NOW);
    assert_eq!(taken(3600), hour);
    assert_eq!(taken(3601), Ttl::minutes(59), "in whole minutes");
    assert_eq!(taken(6300), Ttl::SHORTEST);
    assert_eq!(taken(6301), hour, "the broker says that nothing is left");
    assert_eq!(shortened(&counted, hour, None, NOW), hour, "not counted here");
    assert_eq!(shortened(&profile(json!({})), hour, Some(&spent(7000)), NOW), hour);
    // What lies beside what is open anyway takes nothing more.
    let beside = Past { spells: vec![Spell::Known { from: NOW - 3600, to: NOW + 3600 }], ..Past::default() };
    assert_eq!(shortened(&counted, hour, Some(&beside), NOW), hour);
}

#[test]
fn the_list_knows_when_it_is_another() {
    let object = stored(json!({}));
    let known = Known { profiles: [("operate".to_owned(), object)].into(), ..Known::default() };
    assert_eq!(known.next_change(NOW), Some(NOW - 400 + 6 * 3600));
    assert_eq!(Known::default().next_change(NOW), None);
}
