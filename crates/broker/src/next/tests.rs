use super::*;
use serde_json::{Value, json};

const NOW: i64 = 1_795_500_000;

fn at(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).expect("a time").to_string()
}

fn request(status: Value) -> AccessRequest {
    serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
        "metadata": {"name": "r", "namespace": "team", "uid": "u", "creationTimestamp": at(NOW)},
        "spec": {"user": "oidc:ann", "groups": [], "cluster": "c", "profile": "debug", "profileRevision": "aa/1",
            "duration": "1h", "reason": "", "publicKey": "k"},
        "status": status,
    }))
    .expect("a request")
}

fn grant(uid: &str) -> AccessGrant {
    serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessGrant", "metadata": {"name": "g", "uid": uid},
        "spec": {"request": {"namespace": "team", "name": "r", "uid": "u"}, "user": "oidc:ann", "duration": "1h",
            "profile": "debug", "profileRevision": "aa/1", "roles": ["r"], "offer": ""},
    }))
    .expect("a grant")
}

fn record() -> Value {
    json!({"name": "g", "uid": "g-uid", "end": at(NOW + 3600), "account": "s-abcd-1795503600"})
}

fn seen(grant: Option<&AccessGrant>) -> Seen<'_> {
    Seen {
        removed_wait: 60,
        grant,
        account: grant.is_some(),
        hub_now: NOW,
        target_now: NOW,
        retention: 1000,
        ..Seen::default()
    }
}

fn reason(next: Next) -> EndReason {
    match next {
        Next::Close(ending) => ending.reason,
        other => panic!("it does not close: {other:?}"),
    }
}

#[test]
fn what_is_undecided_is_judged() {
    assert_eq!(next(&request(json!(null)), &seen(None)), Next::Judge);
    assert_eq!(next(&request(json!({"phase": "Pending"})), &seen(None)), Next::Judge);
    assert_eq!(next(&request(json!({"phase": "Approved"})), &seen(None)), Next::Judge);
    let found = grant("g-uid");
    assert_eq!(
        next(&request(json!({"phase": "Approved", "grant": record()})), &seen(Some(&found))),
        Next::Judge
    );
}

#[test]
fn p10_an_active_session_rests_until_its_end_and_closes_then() {
    let found = grant("g-uid");
    let active = request(json!({"phase": "Active", "grant": record()}));
    assert_eq!(next(&active, &seen(Some(&found))), Next::Rest(Some(Moment::Target(NOW + 3600))));
    let late = Seen { target_now: NOW + 3600, ..seen(Some(&found)) };
    assert_eq!(reason(next(&active, &late)), EndReason::Expired);
    // The hub's clock has no say in it.
    let hub_late = Seen { hub_now: NOW + 9999, ..seen(Some(&found)) };
    assert_eq!(next(&active, &hub_late), Next::Rest(Some(Moment::Target(NOW + 3600))));
}

#[test]
fn p13_whoever_ends_it_is_heard_in_every_open_phase() {
    let found = grant("g-uid");
    for phase in ["Pending", "Approved", "Active"] {
        let with = |field: &str, value: Value| {
            let grant = if phase == "Pending" { Value::Null } else { record() };
            request(json!({"phase": phase, "grant": grant, field: value}))
        };
        let by = json!({"by": "oidc:lead\u{202e}", "at": at(NOW), "reason": "wrong\ncluster"});
        assert_eq!(
            reason(next(&with("withdrawn", json!(true)), &seen(Some(&found)))),
            EndReason::Left,
            "{phase}"
        );
        let Next::Close(revoked) = next(&with("revocation", by.clone()), &seen(Some(&found))) else {
            panic!("{phase}")
        };
        assert_eq!(revoked.reason, EndReason::Revoked);
        assert_eq!(revoked.message, "revoked by oidc:lead⟨U+202E⟩: wrong␊cluster");
        let denied = reason(next(&with("denial", by), &seen(Some(&found))));
        assert_eq!(denied, if phase == "Pending" { EndReason::Denied } else { EndReason::Revoked });
    }
    assert_eq!(next(&request(json!({"withdrawn": false})), &seen(None)), Next::Judge);
}

#[test]
fn attack_8_a_recorded_grant_that_is_missing_or_another_is_never_made_again() {
    let other = grant("another");
    let mut going = grant("g-uid");
    going.metadata.deletion_timestamp = serde_json::from_value(json!(at(NOW))).expect("a time");
    for phase in ["Approved", "Active"] {
        let recorded = request(json!({"phase": phase, "grant": record()}));
        for found in [None, Some(&other), Some(&going)] {
            assert_eq!(next(&recorded, &seen(found)), Next::ConfirmGrant, "{phase} {found:?}");
        }
    }
    let found = grant("g-uid");
    let no_account = Seen { account: false, ..seen(Some(&found)) };
    assert_eq!(
        next(&request(json!({"phase": "Active", "grant": record()})), &no_account),
        Next::ConfirmGrant
    );
}

#[test]
fn p11_growth_closes_what_is_open() {
    let found = grant("g-uid");
    let grown = Seen { growth: Some("it has grown: get secrets".into()), ..seen(Some(&found)) };
    for phase in ["Approved", "Active"] {
        let open = request(json!({"phase": phase, "grant": record()}));
        let Next::Close(ending) = next(&open, &grown) else { panic!("{phase} stays open") };
        assert!(ending.reason == EndReason::Revoked && ending.message.contains("get secrets"), "{ending:?}");
    }
}

#[test]
fn attack_11_closed_stays_closed_is_kept_and_then_deleted() {
    let ended = json!([{"type": "Ended", "status": "True", "reason": "Left", "message": "", "lastTransitionTime": at(NOW)}]);
    let closed =
        request(json!({"phase": "Closed", "withdrawn": true, "grant": record(), "conditions": ended}));
    assert_eq!(next(&closed, &seen(None)), Next::Rest(Some(Moment::Hub(NOW + 1000))));
    let old = Seen { hub_now: NOW + 1000, ..seen(None) };
    assert_eq!(next(&closed, &old), Next::Delete);
    let found = grant("g-uid");
    assert_eq!(next(&closed, &Seen { grant: Some(&found), ..old }), Next::Flush);
}

#[test]
fn active_without_a_record_is_closed() {
    assert_eq!(reason(next(&request(json!({"phase": "Active"})), &seen(None))), EndReason::Failed);
}

fn closing(reason: &str, ended: Option<&str>) -> Value {
    let condition = |type_: &str, status: &str, reason: &str, message: &str| json!({"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": at(NOW)});
    let mut all = vec![condition("Closing", "True", reason, "RoleBinding payments/g-0: no")];
    all.extend(ended.map(|reason| condition("Ended", "False", reason, "the first word")));
    json!(all)
}

#[test]
fn fault_a1_p13_the_first_reason_is_kept_whatever_comes_later() {
    let found = grant("g-uid");
    let by = json!({"by": "oidc:lead", "at": at(NOW), "reason": "late"});
    for phase in ["Pending", "Approved", "Active"] {
        for reason in ["Left", "Revoked", "Expired", "Failed"] {
            let stuck =
                request(json!({"phase": phase, "grant": record(), "revocation": by, "withdrawn": true,
                "conditions": closing("Refused", Some(reason))}));
            let Next::Close(ending) = next(&stuck, &seen(Some(&found))) else { panic!("{phase} goes on") };
            assert_eq!(
                (ending.reason.to_string().as_str(), ending.message.as_str()),
                (reason, "the first word")
            );
        }
    }
}

#[test]
fn fault_a10_attack_8_a_removed_grant_waits_for_the_word_of_whoever_did_it() {
    let waiting = |more: Value| {
        let mut status =
            json!({"phase": "Active", "grant": record(), "conditions": closing(REASON_REMOVED, None)});
        for (key, value) in more.as_object().into_iter().flatten() {
            status[key] = value.clone();
        }
        request(status)
    };
    // Whatever is on the target by then, nothing is made again and nothing is judged.
    let found = grant("g-uid");
    for grant in [None, Some(&found)] {
        assert_eq!(next(&waiting(json!({})), &seen(grant)), Next::Rest(Some(Moment::Hub(NOW + 60))));
        let later = Seen { hub_now: NOW + 60, ..seen(grant) };
        let Next::Close(ending) = next(&waiting(json!({})), &later) else { panic!("it goes on") };
        assert_eq!(ending, Ending::new(EndReason::Revoked, "its grant was removed on the cluster"));
        assert_eq!(reason(next(&waiting(json!({"withdrawn": true})), &seen(grant))), EndReason::Left);
        let by = json!({"by": "oidc:lead", "at": at(NOW), "reason": "no"});
        assert_eq!(reason(next(&waiting(json!({"revocation": by})), &seen(grant))), EndReason::Revoked);
    }
}

#[test]
fn fault_a10_what_is_left_of_a_removed_grant_is_tried_again_while_the_word_is_waited_for() {
    let removed =
        request(json!({"phase": "Active", "grant": record(), "conditions": closing(REASON_REMOVED, None)}));
    let left = Seen { left: true, ..seen(None) };
    assert_eq!(next(&removed, &left), Next::ConfirmGrant);
    assert_eq!(next(&removed, &seen(None)), Next::Rest(Some(Moment::Hub(NOW + 60))));
    // Gone by another's hand, it is not said to be there any more.
    let mut said = closing(REASON_REMOVED, None);
    said[0]["message"] = json!(format!("{GRANT_REMOVED}{STILL_THERE}RoleBinding payments/g-a-0: no"));
    let stale = request(json!({"phase": "Active", "grant": record(), "conditions": said}));
    assert_eq!(next(&stale, &seen(None)), Next::ConfirmGrant);
    let late = Seen { left: true, hub_now: NOW + 60, ..seen(None) };
    assert_eq!(reason(next(&removed, &late)), EndReason::Revoked);
}

#[test]
fn fault_a10_what_the_broker_itself_ended_waits_for_nobody() {
    let here = Seen { ended_here: Some(Ending::new(EndReason::Revoked, "silent")), ..seen(None) };
    let active = request(json!({"phase": "Active", "grant": record()}));
    assert_eq!(next(&active, &here), Next::Close(Ending::new(EndReason::Revoked, "silent")));
}

#[test]
fn fault_c12_what_nobody_planned_is_removed_while_the_session_goes_on() {
    let found = grant("g-uid");
    for phase in ["Approved", "Active"] {
        let open = request(json!({"phase": phase, "grant": record()}));
        assert_eq!(next(&open, &Seen { strays: true, ..seen(Some(&found)) }), Next::Unbind, "{phase}");
    }
}

/// An active request under a profile that wants the provider's word every 15 minutes, with 5 of grace.
fn reaffirmed(asked: i64, word: Option<i64>) -> AccessRequest {
    let offer = json!({"digest": "d", "rules": [], "endpoint": "e", "caDigest": "c",
        "reaffirm": {"every": "15m", "grace": "5m"}});
    let mut status = json!({"phase": "Active", "grant": record(), "offer": offer});
    if let Some(issued) = word {
        status["reaffirmed"] = json!({"issued": issued, "groups": []});
    }
    let mut request = request(status);
    request.spec.issued_at = Some(asked);
    request
}

#[test]
fn what_nobody_vouches_for_is_closed_after_its_period_and_grace() {
    let found = grant("g-uid");
    let at = |request: &AccessRequest, hub_now: i64| next(request, &Seen { hub_now, ..seen(Some(&found)) });
    let silent = reaffirmed(NOW, None);
    assert_eq!(at(&silent, NOW), Next::Rest(Some(Moment::Hub(NOW + 1200))));
    assert_eq!(at(&silent, NOW + 1199), Next::Rest(Some(Moment::Hub(NOW + 1200))));
    let Next::Close(ending) = at(&silent, NOW + 1200) else { panic!("it does not close") };
    assert_eq!(ending.reason, EndReason::Revoked);
    assert!(ending.message.contains("has not vouched"), "{ending}");
    // A newer word moves it, the same token sent again does not.
    assert_eq!(at(&reaffirmed(NOW, Some(NOW + 900)), NOW + 1200), Next::Rest(Some(Moment::Hub(NOW + 2100))));
    assert_eq!(reason(at(&reaffirmed(NOW, Some(NOW)), NOW + 1200)), EndReason::Revoked);
    // Its own end comes first where it is nearer, each by its clock.
    assert_eq!(
        at(&reaffirmed(NOW, Some(NOW + 3000)), NOW + 3000),
        Next::Rest(Some(Moment::Hub(NOW + 4200))),
        "the hub is 3000 s ahead of the target here"
    );
    let late = reaffirmed(NOW, Some(NOW + 3000));
    let both = Seen { hub_now: NOW + 3000, target_now: NOW + 3000, ..seen(Some(&found)) };
    assert_eq!(next(&late, &both), Next::Rest(Some(Moment::Target(NOW + 3600))));
}

#[test]
fn who_may_not_ask_any_more_loses_what_waits_and_what_is_open_and_a_persons_word_comes_first() {
    let found = grant("g-uid");
    let no = Ending::new(EndReason::Revoked, "may not ask any more");
    let seen = Seen { lost: Some(no.clone()), ..seen(Some(&found)) };
    assert_eq!(next(&request(json!({"phase": "Active", "grant": record()})), &seen), Next::Close(no.clone()));
    assert_eq!(next(&request(json!(null)), &seen), Next::Close(no));
    let left = request(json!({"phase": "Active", "grant": record(), "withdrawn": true}));
    assert_eq!(reason(next(&left, &seen)), EndReason::Left);
}

#[test]
fn p13_a_hold_closes_every_open_phase_at_once_and_by_its_own_words() {
    let found = grant("g-uid");
    let hold = |phase| {
        sallyport_model::Hold {
            held: sallyport_model::Held::User("oidc:ann".into()),
            until: NOW + 60,
            by: "oidc:lee".into(),
            reason: "laptop stolen".into(),
        }
        .ending(phase)
    };
    for (phase, status, as_what) in [
        (Phase::Pending, json!(null), EndReason::Denied),
        (
            Phase::Pending,
            json!({"phase": "Pending", "message": "waiting for approvals: 0 of 1"}),
            EndReason::Denied,
        ),
        (Phase::Approved, json!({"phase": "Approved"}), EndReason::Revoked),
        (Phase::Approved, json!({"phase": "Approved", "grant": record()}), EndReason::Revoked),
        (Phase::Active, json!({"phase": "Active", "grant": record()}), EndReason::Revoked),
    ] {
        let open = request(status.clone());
        // Whatever else is seen of it: also where its grant is gone, has grown, or may not be asked for any more.
        let lost = Ending::new(EndReason::Revoked, "may not ask any more");
        for seen in [
            seen(Some(&found)),
            seen(None),
            Seen { growth: Some("it has grown".into()), strays: true, ..seen(Some(&found)) },
            Seen { lost: Some(lost), ..seen(Some(&found)) },
        ] {
            let held = Seen { held: Some(hold(phase)), ..seen };
            let Next::Close(ending) = next(&open, &held) else { panic!("{status} goes on") };
            assert_eq!(
                ending,
                Ending::new(as_what, "oidc:ann is held by oidc:lee: laptop stolen"),
                "{status}"
            );
        }
    }
}

#[test]
fn p13_a_hold_changes_nothing_of_what_is_closed_or_decided() {
    let held = || Some(Ending::new(EndReason::Revoked, "everything is held by oidc:lee: x"));
    let ended = json!([{"type": "Ended", "status": "True", "reason": "Left", "message": "", "lastTransitionTime": at(NOW)}]);
    let closed = request(json!({"phase": "Closed", "withdrawn": true, "conditions": ended}));
    let rests = Next::Rest(Some(Moment::Hub(NOW + 1000)));
    assert_eq!(next(&closed, &Seen { held: held(), ..seen(None) }), rests);
    let found = grant("g-uid");
    let stuck = request(
        json!({"phase": "Active", "grant": record(), "conditions": closing("Refused", Some("Expired"))}),
    );
    let first = Ending::new(EndReason::Expired, "the first word");
    assert_eq!(next(&stuck, &Seen { held: held(), ..seen(Some(&found)) }), Next::Close(first));
    // A desktop that hears of it leaves; that it ended by the hold is what people are told.
    let left = request(json!({"phase": "Active", "grant": record(), "withdrawn": true}));
    assert_eq!(reason(next(&left, &Seen { held: held(), ..seen(Some(&found)) })), EndReason::Revoked);
}

#[test]
fn what_a_scan_asked_is_kept_for_a_day_at_most_and_never_longer_than_others() {
    let ended = json!([{"type": "Ended", "status": "True", "reason": "Left", "message": "", "lastTransitionTime": at(NOW)}]);
    let mut scan = request(json!({"phase": "Closed", "conditions": ended}));
    let month = Seen { retention: 30 * 24 * 3600, ..seen(None) };
    assert_eq!(next(&scan, &month), Next::Rest(Some(Moment::Hub(NOW + 30 * 24 * 3600))));
    scan.metadata.namespace = Some("sallyport-scans".to_owned());
    assert_eq!(next(&scan, &month), Next::Rest(Some(Moment::Hub(NOW + 24 * 3600))));
    assert_eq!(next(&scan, &Seen { hub_now: NOW + 24 * 3600, ..month }), Next::Delete);
    assert_eq!(next(&scan, &seen(None)), Next::Rest(Some(Moment::Hub(NOW + 1000))));
}
