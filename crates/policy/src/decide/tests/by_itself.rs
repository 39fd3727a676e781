//! What opens without people, and what does not (P8).

use super::*;
use crate::Past;
use sallyport_model::{AutoApproval, Conditions, ConditionsInput, NamespaceName};

fn auto(input: ConditionsInput) -> AutoApproval {
    AutoApproval { name: "small".into(), conditions: Conditions::new(input) }
}

/// At most 30 minutes in payments, once a day.
fn small() -> AutoApproval {
    let namespaces: Option<Vec<NamespaceName>> = Some(vec![name("payments")]);
    let duration = Some(Ttl::minutes(30));
    auto(ConditionsInput { duration, namespaces, per_day: Some(1), ..ConditionsInput::default() })
}

/// Nobody has said yes, nothing is offered, and nothing was opened before.
fn fresh() -> (Request, Profile, Facts) {
    let facts = Facts { past: Some(Past::default()), ..facts() };
    let mut request = Request { offer: None, approvals: Vec::new(), ..request(&facts) };
    request.terms.duration = Ttl::minutes(30);
    (request, Profile { auto_approvals: vec![small()], ..profile() }, facts)
}

fn met(decision: &Decision) -> Option<Met> {
    let Decision::Permit(permit) = decision else { return None };
    permit.auto_approval().cloned()
}

fn unmet(decision: Decision) -> String {
    match decision {
        Decision::Wait(WaitFor::Approvals { have: 0, need: 2, unmet }) => {
            unmet.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
        }
        other => panic!("{other:?} does not wait for two"),
    }
}

#[test]
fn p8_one_that_is_met_stands_for_all_approvals() {
    let (request, profile, facts) = fresh();
    let decision = decide(&request, Some(&profile), &facts, NOW);
    let found = met(&decision).unwrap();
    assert_eq!(found.saw, "30m of at most 30m; payments; 1 of 1 within 24 h".replace("24 h", "24 hours"));
    let Decision::Permit(permit) = decision else { panic!() };
    assert_eq!(permit.given().to_string(), "payments for 30m", "all that was asked for");
    // A second one that is met adds nothing; the first is the one that is recorded.
    let two = AutoApproval { name: "wide".into(), ..small() };
    let profile = Profile { auto_approvals: vec![two, small()], ..profile };
    assert_eq!(met(&decide(&request, Some(&profile), &facts, NOW)).unwrap().name, "wide");
}

#[test]
fn p8_what_is_not_met_or_not_known_waits_for_everybody() {
    type Change = fn(&mut Request, &mut Profile, &mut Facts);
    let changes: [(&str, Change); 6] = [
        ("31m is longer than 30m", |r, _, _| r.terms.duration = Ttl::minutes(31)),
        ("met in payments alone", |r, _, f| {
            r.terms.scope = scope(&["payments", "checkout"]);
            f.offer = offered(&r.terms.scope, &["get"], &["pods"]);
        }),
        ("is not known", |_, _, f| f.past = None),
        ("1 of 1 times", |_, _, f| {
            f.past = Some(Past { opened: [("small".to_owned(), 1)].into(), ..Past::default() })
        }),
        ("small: it can't be read: groups names none", |_, p, _| {
            let input = ConditionsInput { groups: Some(vec![]), ..ConditionsInput::default() };
            p.auto_approvals = vec![auto(input)];
        }),
        ("for other groups", |_, p, _| {
            let groups = Some(vec!["oidc:payments-leads".to_owned()]);
            p.auto_approvals = vec![auto(ConditionsInput { groups, ..ConditionsInput::default() })];
        }),
    ];
    for (why, change) in changes {
        let (mut request, mut profile, mut facts) = fresh();
        change(&mut request, &mut profile, &mut facts);
        let said = unmet(decide(&request, Some(&profile), &facts, NOW));
        assert!(said.contains(why), "{why}: {said}");
    }
}

#[test]
fn p8_whoever_asks_with_fewer_groups_meets_less() {
    let (mut request, mut profile, facts) = fresh();
    let groups = Some(vec!["oidc:payments-dev".to_owned(), "oidc:payments-leads".to_owned()]);
    profile.auto_approvals = vec![auto(ConditionsInput { groups, ..ConditionsInput::default() })];
    assert_eq!(met(&decide(&request, Some(&profile), &facts, NOW)).unwrap().saw, "oidc:payments-dev");
    request.groups.clear();
    assert_eq!(unmet(decide(&request, Some(&profile), &facts, NOW)), "small: it is for other groups");
}

#[test]
fn p8_it_is_judged_once_as_the_offer_is_written() {
    let (mut request, profile, facts) = fresh();
    // Offered without: met by now, and not tried again; half of the approvals are none.
    request.offer = Some(facts.offer.digest);
    assert_eq!(unmet(decide(&request, Some(&profile), &facts, NOW)), "");
    request.approvals = vec![yes("oidc:bob", &facts)];
    assert_eq!(decide(&request, Some(&profile), &facts, NOW), waits(1, 2));
    request.approvals.push(yes("oidc:eve", &facts));
    let decision = decide(&request, Some(&profile), &facts, NOW);
    assert!(permitted(&decision) && met(&decision).is_none());
    // Approved by people: what the offer lacked then is not looked for now.
    let (mut request, profile, facts) = fresh();
    request.phase = Phase::Approved;
    assert_eq!(unmet(decide(&request, Some(&profile), &facts, NOW)), "");
}

#[test]
fn p8_before_the_grant_only_revision_and_scope_are_judged_again() {
    let (mut request, mut profile, mut facts) = fresh();
    request.offer = Some(facts.offer.digest);
    request.auto_approval = Some(Met { name: "small".into(), saw: "as it was".into() });
    facts.past = Some(Past { opened: [("small".to_owned(), 9)].into(), ..Past::default() });
    for phase in [Phase::Pending, Phase::Approved] {
        request.phase = phase;
        let decision = decide(&request, Some(&profile), &facts, NOW);
        assert_eq!(met(&decision).unwrap().saw, "as it was", "used up, and recorded before");
    }
    profile.revision = name("aa/4");
    assert!(refused(decide(&request, Some(&profile), &facts, NOW)).message.contains("has changed"));
    profile.revision = name("aa/3");
    profile.auto_approvals[0].name = "other".into();
    assert!(unmet(decide(&request, Some(&profile), &facts, NOW)).contains("has none of that name"));
    profile.auto_approvals = vec![small()];
    request.terms.duration = Ttl::minutes(31);
    assert!(unmet(decide(&request, Some(&profile), &facts, NOW)).contains("31m is longer"));
}

#[test]
fn what_wants_nobody_needs_no_auto_approval() {
    let (request, mut profile, facts) = fresh();
    profile.approvals = 0;
    let decision = decide(&request, Some(&profile), &facts, NOW);
    assert!(permitted(&decision) && met(&decision).is_none());
}
