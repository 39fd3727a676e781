use super::*;
mod by_itself;
mod recorded;
mod scans;
mod within_day;

mod reaffirmed;
use crate::Offer;
use proptest::{prelude::*, test_runner::TestRunner};
use sallyport_model::{Held, Mfa, RequestUid, RoleName, Said, Scope};
use sallyport_rbac::Rule;

const NOW: i64 = 1_795_000_000;

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn scope(names: &[&str]) -> Scope {
    Scope::from_list(names.iter().map(|n| name(n)))
}

fn offered(scope: &Scope, verbs: &[&str], resources: &[&str]) -> Offer {
    let role: RoleName = name("sallyport:debug");
    let rule = Rule::on(&role, verbs.to_vec(), vec![""], resources.to_vec());
    crate::offer(&name("aa/3"), &name("payments-eu"), scope, &[role], [rule], "https://t:6443", "ca")
}

fn facts() -> Facts {
    Facts {
        cluster: name("payments-eu"),
        offer: offered(&scope(&["payments"]), &["get"], &["pods"]),
        bindable: ["payments", "checkout"].iter().map(|n| name(n)).collect(),
        being_deleted: BTreeSet::new(),
        missing: Vec::new(),
        standing: None,
        clock_difference: 0,
        holds: Vec::new(),
        others_open: 0,
        kept: crate::KEPT_AT_LEAST,
        past: None,
    }
}

#[test]
fn a_report_of_clocks_that_drift_says_the_same_at_every_beat() {
    let said = |apart| fit::unfit(&scope(&["payments"]), &Facts { clock_difference: apart, ..facts() });
    assert_eq!(said(30), None);
    assert_eq!(said(31).as_deref(), Some("the clocks of hub and cluster are more than 30 s apart"));
    assert_eq!(said(31), said(-45));
    let gone = Facts { missing: vec![name("sallyport:debug")], ..facts() };
    assert_eq!(
        fit::unfit(&scope(&["payments"]), &gone),
        Some("there is no ClusterRole sallyport:debug on cluster payments-eu".into())
    );
}

fn profile() -> Profile {
    Profile {
        name: name("debug"),
        revision: name("aa/3"),
        clusters: vec!["payments-*".into()],
        roles: vec![name("sallyport:debug")],
        scope: scope(&["payments", "checkout"]),
        max_duration: Ttl::minutes(120),
        approvals: 2,
        auto_approvals: Vec::new(),
        max_per_day: None,
        mfa: Mfa {
            acr: vec!["mfa".into()],
            amr: vec!["otp".into(), "hwk".into()],
            max_age: Some(Ttl::minutes(15)),
        },
        reason_required: true,
        reaffirm: None,
        recording: None,
    }
}

fn yes(by: &str, facts: &Facts) -> Approval {
    let (by, offer) = (name(by), facts.offer.digest);
    Approval { by, at: NOW - 10, offer, sign_in: signed_in(NOW - 300), limits: Limits::default() }
}

fn signed_in(at: i64) -> SignIn {
    SignIn { acr: Some("mfa".into()), amr: vec!["pwd".into(), "otp".into()], auth_time: Some(at) }
}

fn request(facts: &Facts) -> Request {
    Request {
        which: RequestRef { team: name("team-payments"), name: "ask-1".into(), uid: RequestUid::new("0c1f") },
        created_at: NOW - 600,
        phase: Phase::Pending,
        terms: Terms {
            user: name("oidc:ada"),
            cluster: name("payments-eu"),
            profile: name("debug"),
            revision: name("aa/3"),
            scope: scope(&["payments"]),
            duration: Ttl::minutes(60),
            reason: "INC-1".into(),
            recording: None,
        },
        sign_in: signed_in(NOW - 900),
        groups: vec!["oidc:payments-dev".into()],
        vouched_at: None,
        offer: Some(facts.offer.digest),
        approvals: vec![yes("oidc:bob", facts), yes("oidc:eve", facts)],
        given: None,
        auto_approval: None,
        is_granted: false,
        ended_by: None,
    }
}

fn by_bob(ended: fn(Said) -> EndedBy) -> Option<EndedBy> {
    Some(ended(Said { by: "oidc:bob".into(), why: String::new() }))
}

fn permitted(decision: &Decision) -> bool {
    matches!(decision, Decision::Permit(_))
}

fn waits(have: usize, need: usize) -> Decision {
    Decision::Wait(WaitFor::Approvals { have, need, unmet: Vec::new() })
}

fn refused(decision: Decision) -> Ending {
    match decision {
        Decision::Refuse(refusal) => refusal,
        other => panic!("{other:?} is no refusal"),
    }
}

#[test]
fn p7_a_request_within_every_limit_is_permitted_as_asked() {
    let facts = facts();
    let Decision::Permit(permit) = decide(&request(&facts), Some(&profile()), &facts, NOW) else { panic!() };
    assert_eq!(permit.scope(), &scope(&["payments"]));
    assert_eq!(permit.duration(), Ttl::minutes(60));
    assert_eq!(permit.roles(), profile().roles);
    assert_eq!(permit.offer(), &facts.offer.digest);
}

#[test]
fn p7_every_limit_of_the_live_profile_is_checked_again() {
    type Change = fn(&mut Request, &mut Profile);
    let changes: [(&str, Change); 20] = [
        ("no profile", |r, _| r.terms.profile = name("other")),
        ("changed", |_, p| p.revision = name("aa/4")),
        ("does not cover", |_, p| p.clusters = vec!["stage-*".into()]),
        ("does not cover", |_, p| p.clusters.clear()),
        ("no role", |_, p| p.roles.clear()),
        ("more than profile", |r, _| r.terms.scope = scope(&["payments", "ledger"])),
        ("more than profile", |r, _| r.terms.scope = Scope::ClusterWide),
        ("not between", |r, _| r.terms.duration = Ttl::minutes(121)),
        ("not between", |r, _| r.terms.duration = Ttl::minutes(14)),
        ("not between", |r, p| {
            p.max_duration = Ttl::minutes(10_000);
            r.terms.duration = Ttl::minutes(12 * 60 + 1);
        }),
        ("needs a reason", |r, _| r.terms.reason = " \u{a0}".into()),
        ("protected", |r, p| {
            p.scope = Scope::ClusterWide;
            r.terms.scope = scope(&["kube-system"]);
        }),
        ("not open for sessions", |r, p| {
            p.scope = Scope::ClusterWide;
            r.terms.scope = scope(&["ledger"]);
        }),
        ("stronger sign-in", |r, _| r.sign_in.acr = Some("pwd".into())),
        ("stronger sign-in", |r, _| r.sign_in.acr = None),
        ("second factor", |r, _| r.sign_in.amr = vec!["pwd".into()]),
        ("second factor", |r, _| r.sign_in.amr.clear()),
        ("not older than", |r, _| r.sign_in.auth_time = Some(r.created_at - 901)),
        ("says when it was", |r, _| r.sign_in.auth_time = None),
        ("the future", |r, _| r.sign_in.auth_time = Some(r.created_at + 61)),
    ];
    for (why, change) in changes {
        let facts = facts();
        let (mut request, mut profile) = (request(&facts), profile());
        change(&mut request, &mut profile);
        let refusal = refused(decide(&request, Some(&profile), &facts, NOW));
        assert!(refusal.message.contains(why), "{why}: {refusal:?}");
        assert_eq!(refusal.reason, EndReason::Denied);
    }
}

#[test]
fn p7_a_deleted_profile_grants_nothing() {
    let facts = facts();
    let refusal = refused(decide(&request(&facts), None, &facts, NOW));
    assert_eq!(refusal, Ending::new(EndReason::Denied, "there is no profile debug"));
}

#[test]
fn p7_the_target_must_be_as_the_decision_needs_it() {
    type Change = fn(&mut Facts);
    let changes: [(&str, Change); 6] = [
        ("not served", |f| f.cluster = name("other")),
        ("31 s apart", |f| f.clock_difference = 31),
        ("31 s apart", |f| f.clock_difference = -31),
        ("standing binding", |f| f.standing = Some("clusterrolebinding oops".into())),
        ("requests are open", |f| f.others_open = OPEN_PER_PERSON_MOST),
        ("since it was offered", |f| f.offer = offered(&scope(&["payments"]), &["get", "delete"], &["pods"])),
    ];
    for (why, change) in changes {
        let mut facts = facts();
        let request = request(&facts);
        change(&mut facts);
        let refusal = refused(decide(&request, Some(&profile()), &facts, NOW));
        assert!(refusal.message.contains(why), "{why}: {refusal:?}");
    }
}

#[test]
fn p11_a_dangerous_offer_is_refused_with_the_rule_named() {
    let mut facts = facts();
    facts.offer = offered(&scope(&["payments"]), &["create"], &["serviceaccounts/token"]);
    let refusal = refused(decide(&request(&facts), Some(&profile()), &facts, NOW));
    assert_eq!(refusal.reason, EndReason::Denied);
    assert!(
        refusal.message.contains("role sallyport:debug allows `create` on `serviceaccounts/token`"),
        "{refusal}"
    );
}

#[test]
fn p8_only_a_yes_that_counts_counts() {
    type Change = fn(&mut Request);
    let changes: [(&str, Change); 12] = [
        ("the requester's own", |r| r.approvals[0].by = name("oidc:ada")),
        ("the same person twice", |r| r.approvals[0].by = r.approvals[1].by.clone()),
        ("another offer", |r| r.approvals[0].offer = Digest::of(b"another")),
        ("an old sign-in", |r| r.approvals[0].sign_in.auth_time = Some(NOW - 10 - 15 * 60 - 1)),
        ("a sign-in from the future", |r| r.approvals[0].sign_in.auth_time = Some(NOW + 365 * 86_400)),
        ("no sign-in time", |r| r.approvals[0].sign_in.auth_time = None),
        ("a weak sign-in", |r| r.approvals[0].sign_in.acr = Some("pwd".into())),
        ("no second factor", |r| r.approvals[0].sign_in.amr = vec!["pwd".into()]),
        ("before it was asked", |r| r.approvals[0].at = r.created_at - 301),
        ("in the future", |r| r.approvals[0].at = NOW + 301),
        ("one is missing", |r| r.approvals.truncate(1)),
        ("times out of range", |r| {
            (r.approvals[0].at, r.approvals[0].sign_in.auth_time) = (i64::MAX, Some(i64::MIN))
        }),
    ];
    let facts = facts();
    assert!(permitted(&decide(&request(&facts), Some(&profile()), &facts, NOW)));
    for (what, change) in changes {
        let mut request = request(&facts);
        change(&mut request);
        let decision = decide(&request, Some(&profile()), &facts, NOW);
        assert_eq!(decision, waits(1, 2), "{what}");
    }
}

#[test]
fn p8_no_approval_counts_before_there_is_an_offer() {
    let facts = facts();
    let mut request = request(&facts);
    request.offer = None;
    let decision = decide(&request, Some(&profile()), &facts, NOW);
    assert_eq!(decision, waits(0, 2));
    let mut at_once = profile();
    at_once.approvals = 0;
    assert!(permitted(&decide(&request, Some(&at_once), &facts, NOW)));
}

#[test]
fn p8_withdrawn_denied_revoked_and_unanswered_requests_end_with_their_reason() {
    type Change = fn(&mut Request);
    let changes: [(EndReason, Change); 5] = [
        (EndReason::Left, |r| r.ended_by = Some(EndedBy::Left)),
        (EndReason::Revoked, |r| r.ended_by = by_bob(EndedBy::Revoked)),
        (EndReason::Denied, |r| r.ended_by = by_bob(EndedBy::Denied)),
        (EndReason::Unanswered, |r| r.created_at = NOW - UNANSWERED_AFTER),
        (EndReason::Failed, |r| r.phase = Phase::Closed),
    ];
    let facts = facts();
    for (reason, change) in changes {
        let mut request = request(&facts);
        change(&mut request);
        assert_eq!(refused(decide(&request, Some(&profile()), &facts, NOW)).reason, reason);
    }
}

#[test]
fn what_was_approved_and_no_longer_fits_failed_rather_than_denied() {
    let facts = facts();
    let mut request = request(&facts);
    request.phase = Phase::Approved;
    let mut changed = profile();
    changed.revision = name("aa/4");
    assert_eq!(refused(decide(&request, Some(&changed), &facts, NOW)).reason, EndReason::Failed);
    request.created_at = NOW - 2 * UNANSWERED_AFTER;
    request.approvals.iter_mut().for_each(|a| a.at = request.created_at + 60);
    request.approvals.iter_mut().for_each(|a| a.sign_in.auth_time = Some(request.created_at));
    request.sign_in.auth_time = Some(request.created_at);
    assert!(permitted(&decide(&request, Some(&profile()), &facts, NOW)));
}

#[test]
fn p24_a_hostile_name_in_a_refusal_is_shown_harmlessly() {
    let facts = facts();
    let mut request = request(&facts);
    let by = format!("eve\u{202e}{}", "x".repeat(5000));
    request.ended_by = Some(EndedBy::Revoked(Said { by, why: String::new() }));
    let refusal = refused(decide(&request, Some(&profile()), &facts, NOW));
    assert!(!refusal.message.contains('\u{202e}') && refusal.message.chars().count() < 120, "{refusal}");
}

fn any_approval() -> impl Strategy<Value = Approval> {
    let names = prop::sample::select(vec!["oidc:ada", "oidc:bob", "oidc:eve", "oidc:kim"]);
    let right = facts().offer.digest;
    let digest = prop_oneof![3 => Just(right), 1 => Just(Digest::of(b"another"))];
    (names, prop_oneof![3 => Just(NOW - 10), 1 => any::<i64>()], digest, any_sign_in(), any_limits())
        .prop_map(|(by, at, offer, sign_in, limits)| Approval { by: name(by), at, offer, sign_in, limits })
}

/// None more often than not.
fn any_limits() -> impl Strategy<Value = Limits> {
    let minutes = prop_oneof![3 => Just(None), 1 => (15u64..900).prop_map(Some)];
    let some = prop::collection::vec(prop::sample::select(vec!["payments", "checkout", "ledger"]), 1..4);
    let names = prop_oneof![3 => Just(None), 1 => some.prop_map(Some)];
    (minutes, names).prop_map(|(minutes, names)| limits(minutes, names.as_deref()))
}

fn limits(minutes: Option<u64>, names: Option<&[&str]>) -> Limits {
    let names = names.map(|names| names.iter().map(|n| name(n)).collect());
    Limits::new(minutes.map(Ttl::minutes), names).unwrap()
}

/// Strong and fresh more often than not.
fn any_sign_in() -> impl Strategy<Value = SignIn> {
    let auth = prop_oneof![9 => Just(Some(NOW - 650)), 1 => any::<Option<i64>>()];
    let acr = prop_oneof![9 => Just(Some("mfa")), 1 => Just(Some("pwd")), 1 => Just(None)];
    let amr = prop_oneof![9 => Just(vec!["pwd", "otp"]), 1 => Just(vec!["pwd"]), 1 => Just(vec![])];
    (acr, amr, auth).prop_map(|(acr, amr, auth_time)| SignIn {
        acr: acr.map(str::to_owned),
        amr: amr.into_iter().map(str::to_owned).collect(),
        auth_time,
    })
}

#[test]
fn an_offer_that_no_approver_could_be_shown_whole_is_refused() {
    let mut facts = facts();
    let one = facts.offer.rules[0].clone();
    facts.offer.rules = vec![one.clone(); 129];
    assert!(refused(decide(&request(&facts), Some(&profile()), &facts, NOW)).message.contains("129 rules"));
    facts.offer.rules = vec![Rule { verbs: vec!["x".repeat(65)], ..one }];
    assert!(refused(decide(&request(&facts), Some(&profile()), &facts, NOW)).message.contains("overlong"));
}

fn any_scope() -> impl Strategy<Value = Scope> {
    prop::collection::vec(prop::sample::select(vec!["payments", "checkout", "ledger", "kube-system"]), 0..4)
        .prop_map(|names| scope(&names))
}

/// A request within the profile's limits more often than not, and every limit broken in many of the rest.
fn any_case() -> impl Strategy<Value = (Request, Profile, Facts)> {
    let flag = || prop::bool::weighted(0.06);
    let minutes = prop_oneof![4 => 15u64..100, 1 => 0u64..900];
    let most = prop_oneof![4 => 100u64..200, 1 => 0u64..900];
    let asked =
        (prop::collection::vec(any_approval(), 0..6), any_scope(), minutes, "[ aa]{1,2}", any_sign_in());
    let allowed = (0u8..4, any_scope(), most);
    let flags = (flag(), flag(), flag(), flag(), flag());
    (asked, allowed, flags).prop_map(
        |(asked, allowed, (withdrawn, denied, revoked, other_revision, not_offered))| {
            let mut facts = facts();
            facts.bindable.insert(name("ledger"));
            let mut request = request(&facts);
            let minutes;
            (request.approvals, request.terms.scope, minutes, request.terms.reason, request.sign_in) = asked;
            request.terms.duration = Ttl::minutes(minutes);
            let said = |is: bool| is.then(|| Said { by: "oidc:bob".into(), why: String::new() });
            request.ended_by = EndedBy::first(said(revoked), withdrawn, said(denied));
            request.offer = (!not_offered).then_some(facts.offer.digest);
            if other_revision {
                request.terms.revision = name("bb/9");
            }
            let mut profile = profile();
            let most;
            (profile.approvals, profile.scope, most) = allowed;
            profile.max_duration = Ttl::minutes(most);
            (request, profile, facts)
        },
    )
}

#[test]
fn fault_a8_p7_p8_a_permit_means_that_every_limit_held() {
    let (permits, mut runner) = (std::cell::Cell::new(0), TestRunner::new(ProptestConfig::with_cases(2000)));
    let held = runner.run(&any_case(), |(request, profile, facts)| {
        let Decision::Permit(permit) = decide(&request, Some(&profile), &facts, NOW) else { return Ok(()) };
        permits.set(permits.get() + 1);
        prop_assert!(request.ended_by.is_none());
        prop_assert!(request.terms.revision == profile.revision && permit.revision() == &profile.revision);
        prop_assert!(permit.scope().within(&profile.scope) && permit.given().within(&request.terms));
        prop_assert!(!request.terms.scope.to_list().iter().any(sallyport_rbac::is_protected));
        prop_assert!(permit.duration() >= Ttl::SHORTEST && permit.duration() <= Ttl::LONGEST);
        prop_assert!(permit.duration() <= profile.max_duration);
        prop_assert!(!request.terms.reason.trim().is_empty());
        // Said again in plain words rather than by `Mfa::lack`.
        let strong = |sign_in: &SignIn, at: i64| {
            sign_in.acr.as_deref() == Some("mfa")
                && sign_in.amr.iter().any(|m| m == "otp" || m == "hwk")
                && sign_in.auth_time.is_some_and(|t| (-60..=900).contains(&at.saturating_sub(t)))
        };
        prop_assert!(strong(&request.sign_in, request.created_at), "{:?}", request.sign_in);
        let counts = |a: &&Approval| {
            a.by != request.terms.user
                && a.offer == facts.offer.digest
                && strong(&a.sign_in, a.at)
                && request.offer.is_some()
        };
        let people: BTreeSet<_> = request.approvals.iter().filter(counts).map(|a| a.by.as_str()).collect();
        prop_assert!(people.len() >= usize::from(profile.approvals));
        // Within each of the limits, and not less than the least of them: said in plain words.
        let mut minutes = request.terms.duration.as_seconds() / 60;
        let mut names: Option<BTreeSet<String>> = match &request.terms.scope {
            Scope::ClusterWide => None,
            Scope::Namespaces(asked) => Some(asked.iter().map(ToString::to_string).collect()),
        };
        for approval in request.approvals.iter().filter(counts) {
            if let Some(most) = approval.limits.duration() {
                minutes = minutes.min(most.as_seconds() / 60);
            }
            if let Some(Scope::Namespaces(only)) = approval.limits.scope() {
                let only: BTreeSet<String> = only.iter().map(ToString::to_string).collect();
                names = Some(names.map_or(only.clone(), |names| &names & &only));
            }
        }
        let given: BTreeSet<String> = permit.scope().to_list().iter().map(ToString::to_string).collect();
        prop_assert_eq!(permit.duration().as_seconds() / 60, minutes);
        prop_assert_eq!(permit.scope() == &Scope::ClusterWide, names.is_none());
        prop_assert_eq!(given, names.unwrap_or_default());
        Ok(())
    });
    held.unwrap();
    assert!(permits.get() >= 30, "only {} permits in 2000 cases: the assertions hardly ran", permits.get());
}

#[test]
fn p8_an_approval_dated_before_its_request_or_in_the_future_does_not_count() {
    let facts = facts();
    let (soonest, latest) = (NOW - 600 - 90, NOW + 90);
    for (at, counts) in [(soonest, true), (latest, true), (soonest - 1, false), (latest + 1, false)] {
        let mut dated = request(&facts);
        dated.approvals[0] = Approval { at, sign_in: signed_in(at), ..yes("oidc:bob", &facts) };
        assert_eq!(permitted(&decide(&dated, Some(&profile()), &facts, NOW)), counts, "{}", at - NOW);
    }
}

fn approved(with: &[Limits], facts: &Facts) -> Request {
    let mut request = request(facts);
    for (approval, limits) in request.approvals.iter_mut().zip(with) {
        approval.limits = limits.clone();
    }
    request
}

#[test]
fn p8_what_is_given_is_the_narrowest_of_all_approvals_and_each_counts_as_one() {
    let two = scope(&["payments", "checkout"]);
    let facts = Facts { offer: offered(&two, &["get"], &["pods"]), ..facts() };
    let mut request =
        approved(&[limits(Some(30), None), limits(Some(45), Some(&["payments", "ledger"]))], &facts);
    request.terms.scope = two;
    let Decision::Permit(permit) = decide(&request, Some(&profile()), &facts, NOW) else { panic!() };
    assert_eq!((permit.scope(), permit.duration()), (&scope(&["payments"]), Ttl::minutes(30)));
    assert_eq!(permit.offer(), &facts.offer.digest, "the digest stays that of what was asked for");
    // A yes that does not count limits nothing either: it is no yes.
    request.approvals.push(Approval { limits: limits(Some(15), None), at: 0, ..yes("oidc:kim", &facts) });
    let Decision::Permit(permit) = decide(&request, Some(&profile()), &facts, NOW) else { panic!() };
    assert_eq!(permit.duration(), Ttl::minutes(30));
    // Recorded as something else: whoever reads the request would be told what is not so.
    request.phase = Phase::Approved;
    request.given = Some(Given { scope: Scope::ClusterWide, duration: Ttl::minutes(30) });
    let said = refused(decide(&request, Some(&profile()), &facts, NOW));
    assert!(said.reason == EndReason::Failed && said.message.contains("payments for 30m"), "{said}");
    request.given = Some(Given { scope: scope(&["payments"]), duration: Ttl::minutes(30) });
    assert!(permitted(&decide(&request, Some(&profile()), &facts, NOW)));
}

#[test]
fn p8_approvals_that_leave_nothing_deny_and_never_widen() {
    let two = scope(&["payments", "checkout"]);
    let facts = Facts { offer: offered(&two, &["get"], &["pods"]), ..facts() };
    let only = |name: &'static str| limits(None, Some(&[name]));
    let mut request = approved(&[only("payments"), only("checkout")], &facts);
    request.terms.scope = two;
    let said = refused(decide(&request, Some(&profile()), &facts, NOW));
    assert_eq!((said.reason, said.message.as_str()), (EndReason::Denied, "the approvals leave nothing"));
    // One of two yeses names what the cluster has not opened: no second one makes more of it.
    request = approved(&[only("ledger")], &facts);
    request.terms.scope = Scope::ClusterWide;
    request.approvals.truncate(1);
    let wide = Facts { offer: offered(&Scope::ClusterWide, &["get"], &["pods"]), ..facts.clone() };
    request.offer = Some(wide.offer.digest);
    request.approvals[0].offer = wide.offer.digest;
    let profile = Profile { scope: Scope::ClusterWide, ..profile() };
    let said = refused(decide(&request, Some(&profile), &wide, NOW));
    assert!(said.message.contains("namespace ledger is not open"), "{said}");
    // All that was asked for are paths, which no namespace has.
    let role: RoleName = name("sallyport:debug");
    let paths = Rule {
        verbs: vec!["get".into()],
        non_resource_urls: vec!["/metrics".into()],
        ..Rule::on(&role, Vec::<&str>::new(), Vec::<&str>::new(), Vec::<&str>::new())
    };
    let metrics = crate::offer(
        &name("aa/3"),
        &name("payments-eu"),
        &Scope::ClusterWide,
        &[role],
        [paths],
        "https://t:6443",
        "ca",
    );
    request.offer = Some(metrics.digest);
    request.approvals[0] =
        Approval { limits: only("payments"), offer: metrics.digest, ..yes("oidc:bob", &wide) };
    let said = refused(decide(&request, Some(&profile), &Facts { offer: metrics, ..wide }, NOW));
    assert!(said.message.contains("leave nothing"), "{said}");
}

#[test]
fn nothing_is_granted_while_it_is_held() {
    let hold = |held, until| Hold { held, until, by: "oidc:kim".into(), reason: "laptop stolen".into() };
    let (user, cluster) = (|n: &str| Held::User(n.into()), |n: &str| Held::Cluster(n.into()));
    for (held, until, refuses) in [
        (user("oidc:ada"), NOW + 1, true),
        (cluster("payments-eu"), NOW + 1, true),
        (Held::Everything, NOW + 1, true),
        (Held::Everything, NOW, false),
        (user("oidc:bob"), NOW + 1, false),
        (cluster("other"), NOW + 1, false),
    ] {
        let facts =
            Facts { holds: vec![hold(user("nobody"), NOW + 9), hold(held.clone(), until)], ..facts() };
        let mut request = request(&facts);
        let decision = decide(&request, Some(&profile()), &facts, NOW);
        assert_eq!(permitted(&decision), !refuses, "{held:?}");
        if refuses {
            assert_eq!(refused(decision).reason, EndReason::Denied);
            request.phase = Phase::Approved;
            let ending = refused(decide(&request, Some(&profile()), &facts, NOW));
            assert!(
                ending.reason == EndReason::Revoked && ending.message.contains("laptop stolen"),
                "{ending}"
            );
        }
    }
}
