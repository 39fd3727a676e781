use super::*;
use crate::{Came, Field, Flaw, Joined, Key, Object, Provenance, User, fold};
use proptest::prelude::*;
use sallyport_audit::{Action, Draft, Entry, Outcome};
use sallyport_model::{AuditId, Jti, RequestUid, SessionAccount, SessionId};

const SECOND: i64 = 1_000_000;
const NOW: i64 = 1_795_500_000 * SECOND;
const URI: &str = "/api/v1/namespaces/pay/pods";

fn request(n: u8) -> RequestUid {
    RequestUid::new(format!("0c1f7b7e-4f52-4b2e-8c57-2f6a7d4b9a{n:02}"))
}

/// A call through the gateway of one session, as its history has it.
fn entry(session: u8, id: &str, at: i64, action: Action) -> Entry {
    Draft::new(action)
        .at(NOW + at * SECOND)
        .request(&request(session))
        .session(&SessionId::new(format!("session-{session}")))
        .user(&format!("oidc:person-{session}").parse().unwrap())
        .jti(&Jti::new(format!("jti-{session}")))
        .audit_id(&AuditId::new(id))
        .detail("method", "GET")
        .detail("uri", URI)
        .detail("status", 200)
        .place(1, 0)
}

/// A call as the cluster tells of it.
fn event(session: u8, id: &str, at: i64) -> Event<'static> {
    let account = SessionAccount::derive(&request(session), 1_795_500_000);
    let mut event = Event {
        audit_id: id.to_owned().into(),
        verb: "list".into(),
        uri: URI.into(),
        user: User {
            name: format!("system:serviceaccount:sallyport-sessions:{account}").into(),
            ..User::default()
        },
        account: Some(account),
        credential: Some(format!("JTI=jti-{session}").into()),
        source_ips: vec!["10.0.0.1".into()],
        received_at: Some(NOW + at * SECOND),
        completed_at: Some(NOW + at * SECOND + 1000),
        stages: Stages::one(Stage::ResponseComplete),
        provenance: Provenance::default(),
        ..Event::default()
    };
    for field in [Field::Uri, Field::ReceivedAt, Field::AuditId] {
        event.provenance.note(field, Came::Raw);
    }
    event
}

fn all_day() -> Record {
    Record { from: NOW - 86_400 * SECOND, to: NOW + 86_400 * SECOND, ..Record::default() }
}

fn told<'p>() -> Told<'p> {
    Told { level: Some(&|_| Some(Level::Metadata)), omits: Stages::default(), is_every_server: true }
}

fn compare(events: &[Event<'_>], entries: &[Entry]) -> Reconciled {
    reconcile(events, &Known::of(entries), &all_day(), &all_day(), told())
}

#[test]
fn an_event_is_tied_by_the_strongest_key_and_never_by_an_id_alone() {
    let known = Known::of(&[entry(1, "a", 0, Action::Call), entry(2, "b", 0, Action::Call)]);
    let key = |event: &Event<'_>| join(event, &known).link.map(|link| (link.key, link.session, link.call));
    assert_eq!(key(&event(1, "a", 0)), Some((Key::AuditId, 0, Some(0))));
    // Without the token's id (GKE, old servers) the account stands for it.
    let gke = Event { credential: None, ..event(1, "a", 0) };
    assert_eq!(key(&gke), Some((Key::AuditId, 0, Some(0))));
    assert_eq!(key(&event(1, "x", 0)), Some((Key::Jti, 0, None)));
    assert_eq!(key(&Event { credential: None, ..event(2, "x", 0) }), Some((Key::Account, 1, None)));
    // Somebody else's id.
    let stolen = event(2, "a", 0);
    assert_eq!(key(&stolen), Some((Key::Jti, 1, None)));
    assert!(join(&stolen, &known).borrows_an_id);
    let stranger = Event { credential: None, account: None, user: User::default(), ..event(1, "a", 0) };
    assert_eq!(join(&stranger, &known), Joined { link: None, borrows_an_id: true });
    // The mint of a token.
    let mint = Event { issued_credential: Some("JTI=jti-2".into()), ..stranger.clone() };
    assert_eq!(key(&mint), Some((Key::Issued, 1, None)));
    // The person and the time, if nothing else.
    let name = |n: u8| User { name: format!("oidc:person-{n}").into(), ..User::default() };
    let direct = Event { user: name(1), ..stranger.clone() };
    assert_eq!(key(&direct), Some((Key::UserAndTime, 0, None)));
    assert!(Key::UserAndTime.is_inferred() && !Key::Account.is_inferred());
    let later = Event { received_at: Some(NOW + 31 * SECOND), ..direct.clone() };
    assert_eq!(key(&later), None);
    // Two sessions of one person at that time: neither.
    let mut other = entry(3, "c", 0, Action::Call);
    other.user = Some("oidc:person-1".parse().unwrap());
    let known = Known::of(&[entry(1, "a", 0, Action::Call), other]);
    assert_eq!(join(&direct, &known).link, None);
}

#[test]
fn a_call_around_the_gateway_is_found() {
    let entries: Vec<Entry> = (0..411).map(|n| entry(1, &format!("id-{n}"), n, Action::Call)).collect();
    let mut events: Vec<Event<'_>> = (0..411).map(|n| event(1, &format!("id-{n}"), n)).collect();
    events.push(event(1, "made-up", 200));
    let found = compare(&events, &entries);
    assert_eq!((found.cluster, found.gateway, found.both.len()), (412, 411, 411));
    assert_eq!(found.bypass, [Bypass { event: 411, session: 0, why: Away::UnknownId }]);
    assert!(found.unseen.is_empty() && found.unclear.is_empty());
    // By its account where the cluster does not say the token.
    events[411].credential = None;
    assert_eq!(compare(&events, &entries).bypass.len(), 1);
    // Somebody else's calls are nothing of ours.
    events[411].account = None;
    assert_eq!(compare(&events, &entries).bypass, []);
}

#[test]
fn an_id_used_again_is_found_unless_it_is_an_aggregated_server() {
    let entries = [entry(1, "a", 0, Action::Call)];
    let again = |change: &dyn Fn(&mut Event<'static>)| {
        let mut other = event(1, "a", 0);
        other.received_at = other.received_at.map(|at| at + 500);
        change(&mut other);
        compare(&[event(1, "a", 0), other], &entries)
    };
    assert_eq!(again(&|_| ()).bypass[0].why, Away::ReusedId);
    assert_eq!(again(&|event| event.uri = "/api/v1/secrets".into()).bypass[0].why, Away::ReusedId);
    // The first with another address is none of the gateway's, and the real one is.
    let mut other = event(1, "a", -1);
    other.uri = "/api/v1/secrets".into();
    let found = compare(&[other, event(1, "a", 0)], &entries);
    assert_eq!((found.both.len(), found.bypass[0].event), (1, 0));
    // Metrics are served by another server, which tells of the same call in its course.
    let metrics = |event: &mut Event<'static>| {
        event.uri = "/apis/metrics.k8s.io/v1beta1/pods".into();
        event.object = Some(Object { group: "metrics.k8s.io".into(), ..Object::default() });
    };
    let entries = [Draft::new(Action::Call)
        .at(NOW)
        .request(&request(1))
        .jti(&Jti::new("jti-1"))
        .audit_id(&AuditId::new("a"))
        .detail("method", "GET")
        .detail("uri", "/apis/metrics.k8s.io/v1beta1/pods")
        .place(1, 0)];
    let (mut first, mut second) = (event(1, "a", 0), event(1, "a", 0));
    metrics(&mut first);
    metrics(&mut second);
    second.received_at = second.received_at.map(|at| at + 300);
    second.source_ips.push("10.96.0.1".into());
    let found = compare(&[first.clone(), second.clone()], &entries);
    assert_eq!((found.aggregated.len(), found.bypass.len()), (1, 0));
    // A minute later it is another call.
    second.received_at = second.received_at.map(|at| at + 60 * SECOND);
    assert_eq!(compare(&[first, second], &entries).bypass.len(), 1);
}

#[test]
fn an_id_of_a_call_that_the_cluster_told_nothing_of_stands_for_no_other_call() {
    let entries = [entry(1, "a", 0, Action::Call)];
    // The gateway's own event is absent: a read that the policy leaves out, a server whose log is missing.
    let alone = |change: &dyn Fn(&mut Event<'static>)| {
        let mut event = event(1, "a", 1);
        change(&mut event);
        let found = compare(&[event], &entries);
        let why = found.bypass.first().map(|bypass| bypass.why);
        (found.both.len(), found.unclear.len(), why)
    };
    assert_eq!(alone(&|_| ()), (1, 0, None));
    let reused = (0, 0, Some(Away::ReusedId));
    assert_eq!(alone(&|event| event.verb = "deletecollection".into()), reused, "another verb");
    assert_eq!(alone(&|event| event.received_at = Some(NOW + 3600 * SECOND)), reused, "an hour later");
    assert_eq!(alone(&|event| event.received_at = Some(NOW - 3600 * SECOND)), reused);
    // A clock that is off by more than it may be: neither.
    assert_eq!(alone(&|event| event.received_at = Some(NOW + 100 * SECOND)), (0, 1, None));
    // What was asked behind it is as long as it likes, and some other field is.
    let long = format!("?x={}", "y".repeat(3000));
    for field_is_long in [true, false] {
        let clipped = |path: &str, event: &mut Event<'static>| {
            event.flaws.note(Flaw::Clipped);
            let whole = format!("{path}{}", if field_is_long { "" } else { &*long });
            event.uri = sallyport_audit::ends(&whole, 2048).unwrap_or(whole).into();
        };
        assert_eq!(alone(&|event| clipped("/api/v1/namespaces/pay/secrets/db", event)), reused);
        assert_eq!(alone(&|event| clipped(URI, event)), (1, 0, None));
    }
    // A path that was cut itself could be anything that begins and ends so, and nothing else.
    let cut = |whole: &str, event: &mut Event<'static>| {
        event.uri = sallyport_audit::ends(whole, 60).unwrap().into()
    };
    let deep = format!("/api/v1/{}/pods", "namespaces/pay/".repeat(20));
    assert_eq!(alone(&|event| cut(&deep, event)), reused);
    // What was put together from names (GKE) is compared by them.
    let named = |resource: &str, event: &mut Event<'static>| {
        event.provenance.note(Field::Uri, Came::Inferred);
        event.uri = format!("/api/v1/namespaces/pay/{resource}/x").into();
        event.object = Some(Object {
            resource: resource.to_owned().into(),
            namespace: "pay".into(),
            ..Object::default()
        });
    };
    assert_eq!(alone(&|event| named("pods", event)), (1, 0, None));
    assert_eq!(alone(&|event| named("secrets", event)), reused);
    let untold = |event: &mut Event<'static>| {
        event.provenance.note(Field::Uri, Came::Absent);
        event.uri = "".into();
    };
    assert_eq!(alone(&untold), (0, 1, None));
}

#[test]
fn a_method_fits_the_verbs_that_api_servers_make_of_it() {
    let fits = |method: &str, verb: &str, subresource: &str| {
        let mut entry = entry(1, "a", 0, Action::Call);
        entry.detail =
            Draft::new(Action::Call).detail("method", method).detail("uri", URI).place(1, 0).detail;
        let object = Object { subresource: subresource.to_owned().into(), ..Object::default() };
        let event = Event { verb: verb.to_owned().into(), object: Some(object), ..event(1, "a", 0) };
        compare(&[event], &[entry]).both.len() == 1
    };
    for (method, verb, below) in [
        ("POST", "create", ""),
        ("PUT", "update", "status"),
        ("PATCH", "patch", ""),
        ("DELETE", "delete", ""),
        ("DELETE", "deletecollection", ""),
        ("GET", "get", ""),
        ("GET", "watch", ""),
        ("HEAD", "get", ""),
        ("HEAD", "head", ""),
        ("GET", "create", "exec"),
        ("POST", "create", "exec"),
        ("POST", "post", ""),
        ("OPTIONS", "options", ""),
    ] {
        assert!(fits(method, verb, below), "{method} {verb} {below}");
    }
    for (method, verb, below) in [
        ("GET", "delete", ""),
        ("GET", "create", ""),
        ("GET", "delete", "exec"),
        ("POST", "update", ""),
        ("PATCH", "create", ""),
        ("PUT", "patch", ""),
        ("", "get", ""),
        ("GET", "", ""),
    ] {
        assert!(!fits(method, verb, below), "{method} {verb} {below}");
    }
}

#[test]
fn a_call_that_may_be_under_way_still_comes_from_nowhere_else_yet() {
    let entries = [entry(1, "a", 0, Action::Call)];
    let until = |to: i64, gaps: Vec<std::ops::Range<i64>>, event: Event<'static>| {
        let gateway = Record { to: NOW + to * SECOND, gaps, late: SECOND, ..all_day() };
        let found = reconcile(&[event], &Known::of(&entries), &all_day(), &gateway, told());
        (found.unclear.len(), found.bypass.len())
    };
    let about = |resource: &str, subresource: &str, verb: &str, stage: Stage, ends: Option<i64>| Event {
        verb: verb.to_owned().into(),
        object: Some(Object {
            resource: resource.to_owned().into(),
            subresource: subresource.to_owned().into(),
            ..Object::default()
        }),
        stages: Stages::one(stage),
        completed_at: ends.map(|at| NOW + at * SECOND),
        ..event(1, "x", 0)
    };
    // Told when it arrived, and the gateway writes it down when it is over.
    let begun = || about("pods", "", "list", Stage::RequestReceived, None);
    assert_eq!(until(3600, vec![], begun()), (1, 0));
    assert_eq!(until(13 * 3600, vec![], begun()), (0, 1), "no session is as long");
    // Over by the cluster's word: by then the entry comes.
    let slow = || about("pods", "", "list", Stage::ResponseComplete, Some(120));
    assert_eq!(until(140, vec![], slow()), (1, 0));
    assert_eq!(until(152, vec![], slow()), (0, 1));
    // What was under way when the app died is in the hole that this left.
    let died = NOW + 100 * SECOND..NOW + 400 * SECOND;
    assert_eq!(until(3600, vec![died.clone()], slow()), (1, 0));
    // Of streams the gateway tells when they begin.
    for (resource, below, verb) in
        [("pods", "exec", "create"), ("pods", "log", "get"), ("nodes", "proxy", "get"), ("pods", "", "watch")]
    {
        let stream = || about(resource, below, verb, Stage::ResponseStarted, None);
        assert_eq!(until(60, vec![died.clone()], stream()), (0, 1), "{resource}/{below} {verb}");
    }
    let cut = Event { stages: Stages::default(), ..begun() };
    assert_eq!(until(60, vec![], cut), (0, 1), "a line that breaks off hides nothing");
}

#[test]
fn what_sallyport_itself_does_with_a_token_gives_nothing_away() {
    let entries = [entry(1, "a", 0, Action::Call)];
    let about = |verb: &str, group: &str, resource: &str, name: &str| Event {
        verb: verb.to_owned().into(),
        object: Some(Object {
            group: group.to_owned().into(),
            resource: resource.to_owned().into(),
            name: name.to_owned().into(),
            ..Object::default()
        }),
        ..event(1, "own", 0)
    };
    let grant = SessionAccount::derive_grant_name(&request(1));
    let own = [
        about("create", "authorization.k8s.io", "selfsubjectaccessreviews", ""),
        about("delete", "access.sallyport.dev", "accessgrants", &grant),
    ];
    assert_eq!(compare(&own, &entries).own, [0, 1]);
    // What it asks to see that a right is there, or gone.
    let ours = |event: Event<'static>, agent: &str, uri: &str| Event {
        user_agent: Some(agent.to_owned().into()),
        uri: uri.to_owned().into(),
        ..event
    };
    let (us, one) = ("sallyport/0.1.0", "/api/v1/pods?limit=1");
    let probes = [
        ours(about("get", "", "configmaps", "sallyport-proof"), us, "/x"),
        ours(about("list", "", "pods", ""), us, one),
    ];
    assert_eq!(compare(&probes, &entries).own, [0, 1]);
    let copies = [
        ours(about("get", "", "configmaps", "sallyport-proof"), "curl/8", "/x"),
        ours(about("get", "", "configmaps", "other"), us, "/x"),
        ours(about("delete", "", "configmaps", "sallyport-proof"), us, "/x"),
        ours(about("get", "", "secrets", "sallyport-proof"), us, "/x"),
        ours(about("list", "", "secrets", ""), us, one),
        ours(about("list", "", "pods", ""), us, "/api/v1/pods?limit=1&continue=x"),
        ours(about("list", "", "pods", ""), us, "/api/v1/pods?limit=10"),
        ours(about("list", "", "pods", ""), us, "/api/v1/pods"),
    ];
    assert_eq!(compare(&copies, &entries).bypass.len(), copies.len());
    let others = [
        about("create", "authorization.k8s.io", "subjectaccessreviews", ""),
        about("delete", "access.sallyport.dev", "accessgrants", "g-other"),
        about("get", "access.sallyport.dev", "accessgrants", &grant),
    ];
    assert_eq!(compare(&others, &entries).bypass.len(), 3);
}

#[test]
fn where_the_gateways_record_has_a_hole_nothing_is_said() {
    let entries = [entry(1, "a", 0, Action::Call)];
    let made_up = [event(1, "x", 100)];
    let with = |gateway: Record| reconcile(&made_up, &Known::of(&entries), &all_day(), &gateway, told());
    assert_eq!(with(all_day()).bypass.len(), 1);
    let hole = NOW + 110 * SECOND..NOW + 120 * SECOND;
    assert_eq!(with(Record { gaps: vec![hole], ..all_day() }).unclear, [0]);
    assert_eq!(with(Record { to: NOW + 110 * SECOND, ..all_day() }).unclear, [0]);
    assert_eq!(with(Record { from: NOW + 90 * SECOND, ..all_day() }).unclear, [0]);
    assert_eq!(with(Record { to: NOW + 200 * SECOND, late: 100 * SECOND, ..all_day() }).unclear, [0]);
}

#[test]
fn what_the_cluster_did_not_tell_of_has_its_innocent_reasons() {
    let reasons = |entry: Entry, cluster: Record, told: Told<'_>| {
        let mut found = reconcile(&[], &Known::of(&[entry]), &cluster, &all_day(), told);
        found.unseen.remove(0).innocent
    };
    let call = || entry(1, "a", 0, Action::Call);
    assert_eq!(reasons(call(), all_day(), told()), []);
    assert_eq!(
        reasons(call(), all_day(), Told { level: Some(&|_| Some(Level::None)), ..told() }),
        [Innocent::NotTold]
    );
    assert_eq!(reasons(call(), all_day(), Told { level: None, ..told() }), [Innocent::PolicyUnknown]);
    let unsure = Told { level: Some(&|_| None), ..told() };
    assert_eq!(reasons(call(), all_day(), unsure), [Innocent::PolicyUnknown]);
    let others = Told { is_every_server: false, ..told() };
    assert_eq!(reasons(call(), all_day(), others), [Innocent::OtherServer]);
    let omits = Told { omits: Stages::one(Stage::ResponseStarted), ..told() };
    assert_eq!(reasons(entry(1, "a", 0, Action::StreamStart), all_day(), omits), [Innocent::StillOpen]);
    assert_eq!(reasons(entry(1, "a", 0, Action::StreamStart), all_day(), told()), []);
    assert_eq!(reasons(call(), Record { from: NOW + SECOND * 60, ..all_day() }, told()), [Innocent::Outside]);
    assert_eq!(
        reasons(call(), Record { to: NOW + SECOND * 60, late: 60 * SECOND, ..all_day() }, told()),
        [Innocent::Late]
    );
    let gap = NOW - SECOND..NOW + SECOND;
    assert_eq!(reasons(call(), Record { gaps: vec![gap], ..all_day() }, told()), [Innocent::Gap]);
    let mut failed = call();
    failed.outcome = Outcome::Failed;
    assert_eq!(reasons(failed, all_day(), told()), [Innocent::NeverArrived]);
}

#[test]
fn calls_of_one_command_stand_together() {
    let of = |id: &str, command: Option<&str>| {
        let draft =
            Draft::new(Action::Call).request(&request(1)).jti(&Jti::new("j")).audit_id(&AuditId::new(id));
        match command {
            Some(command) => draft.detail("kubectl_session", command),
            None => draft,
        }
        .place(1, 0)
    };
    let entries = [of("a", Some("k1")), of("b", None), of("c", Some("k1")), of("d", Some("k2"))];
    assert_eq!(Known::of(&entries).commands(), [vec![0, 2], vec![1], vec![3]]);
}

proptest! {
    /// Whatever was sent through the gateway, seen or not, and whatever was sent around it: what went around is found,
    /// all of it and nothing else, and both counts add up.
    #[test]
    fn the_counts_add_up_and_exactly_what_went_around_is_found(
        calls in proptest::collection::vec((1u8..4, any::<bool>()), 0..40),
        around in proptest::collection::vec((1u8..4, 0usize..40, any::<bool>()), 0..6),
    ) {
        let id = |n: usize| format!("id-{n}");
        let entries: Vec<Entry> = calls.iter().enumerate()
            .map(|(n, (session, _))| entry(*session, &id(n), n as i64, Action::Call)).collect();
        let mut events: Vec<Event<'_>> = calls.iter().enumerate().filter(|(_, (_, seen))| *seen)
            .map(|(n, (session, _))| event(*session, &id(n), n as i64)).collect();
        let seen = events.len();
        let known = Known::of(&entries);
        let mut want = 0;
        for (n, (session, of, reuses)) in around.into_iter().enumerate() {
            // With an id of its own making, or with one that the gateway minted for a call that was seen.
            let reused = calls.get(of).filter(|(_, seen)| reuses && *seen);
            let (session, audit_id) = match reused {
                Some((session, _)) => (*session, id(of)),
                None => (session, format!("made-up-{n}")),
            };
            let mut event = event(session, &audit_id, 100 + n as i64);
            if reused.is_some() {
                event.uri = "/api/v1/secrets".into();
            }
            want += usize::from(known.of_jti(&format!("jti-{session}")).is_some());
            events.push(event);
        }
        let found = compare(&fold(events), &entries);
        prop_assert_eq!(found.bypass.len(), want);
        prop_assert_eq!((found.gateway as usize, found.both.len()), (calls.len(), seen));
        prop_assert_eq!((found.both.len() + found.unseen.len()) as u64, found.gateway);
        prop_assert_eq!(found.cluster, (found.both.len() + found.bypass.len()) as u64);
        prop_assert!(found.unseen.iter().all(|unseen| unseen.innocent.is_empty()));
    }
}
