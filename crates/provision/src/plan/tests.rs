use super::*;

const CREATED: i64 = 1_795_500_000;

fn goal(roles: &[&str], namespaces: &[&str]) -> Goal {
    let rule = |role: &&str| {
        Rule::on(&role.parse().expect("a role"), ["get"], [""], [format!("{role}-things").as_str()])
    };
    Goal {
        request: RequestReference {
            namespace: "team-payments".into(),
            name: "r-1".into(),
            uid: "0c1f7b7e-4f52-4b2e-8c57-2f6a7d4b9a11".into(),
        },
        user: "oidc:ann@example.org".parse().expect("a user"),
        duration: Ttl::minutes(45),
        profile: "debug".parse().expect("a profile"),
        revision: "6f1c2d7e-0000-4000-8000-000000000000/3".parse().expect("a revision"),
        roles: roles.iter().map(|r| r.parse().expect("a role")).collect(),
        scope: Scope::from_list(namespaces.iter().map(|n| n.parse().expect("a namespace"))),
        offer: Digest::of(b"offer"),
        rules: roles.iter().map(rule).collect(),
    }
}

/// The grant as the API server would show it.
fn granted(goal: &Goal) -> Observed {
    let mut grant = goal.grant();
    grant.metadata.uid = Some("11111111-2222-4333-8444-555555555555".into());
    grant.metadata.creation_timestamp =
        Some(k8s_time(jiff::Timestamp::from_second(CREATED).expect("a time")));
    Observed { grant: Some(grant), ..Observed::default() }
}

fn session_of(plan: Plan) -> SessionPlan {
    match plan {
        Plan::Session(session) => session,
        other => panic!("not a session: {other:?}"),
    }
}

/// What `session` would leave behind once carried out.
fn made(goal: &Goal, session: SessionPlan) -> Observed {
    Observed {
        accounts: session.create_account.into_iter().collect(),
        bindings: session.bind,
        cluster_bindings: session.bind_cluster,
        ..granted(goal)
    }
}

fn unfit(plan: Plan) -> Unfit {
    match plan {
        Plan::Unfit(unfit) => unfit,
        other => panic!("it fits: {other:?}"),
    }
}

#[test]
fn p9_nothing_is_planned_before_the_grant_exists() {
    insta::assert_yaml_snapshot!(plan_goal(&goal(&["view"], &["payments"]), &Observed::default(), CREATED));
}

#[test]
fn p9_a_session_in_two_namespaces_with_two_roles() {
    let goal = goal(&["view", "debug"], &["payments", "checkout"]);
    insta::assert_yaml_snapshot!(plan_goal(&goal, &granted(&goal), CREATED));
}

#[test]
fn p9_a_session_that_is_cluster_wide() {
    let goal = goal(&["view"], &[]);
    insta::assert_yaml_snapshot!(plan_goal(&goal, &granted(&goal), CREATED));
}

#[test]
fn p14_after_a_crash_only_what_is_missing_is_made_and_the_name_stays() {
    let goal = goal(&["view", "debug"], &["payments", "checkout"]);
    let first = session_of(plan_goal(&goal, &granted(&goal), CREATED));
    let (account, bindings) = (first.account.clone(), first.bind.clone());
    let mut half = made(&goal, first);
    half.bindings.remove(1);
    let again = session_of(plan_goal(&goal, &half, CREATED + 60));
    assert_eq!(again.account, account);
    assert!(again.create_account.is_none());
    assert_eq!(again.bind, [bindings[1].clone()]);
}

#[test]
fn p9_the_end_is_the_targets_creation_time_plus_the_duration() {
    let goal = goal(&["view"], &["payments"]);
    for now in [CREATED - 30, CREATED, CREATED + 900] {
        let session = session_of(plan_goal(&goal, &granted(&goal), now));
        assert_eq!(session.account.end(), CREATED + 45 * 60);
    }
    let end = CREATED + 45 * 60;
    assert_eq!(unfit(plan_goal(&goal, &granted(&goal), end - 600)), Unfit::TooLate { seconds: 600 });
    assert_eq!(unfit(plan_goal(&goal, &granted(&goal), end)), Unfit::Over { end });
}

#[test]
fn attack_7_and_8_what_was_changed_or_is_going_is_not_built_upon() {
    let goal = goal(&["view"], &["payments"]);
    let whole = || made(&goal, session_of(plan_goal(&goal, &granted(&goal), CREATED)));
    assert!(session_of(plan_goal(&goal, &whole(), CREATED)).bind.is_empty());

    let mut other_request = whole();
    other_request.grant.as_mut().expect("granted").spec.request.uid = "another".into();
    let mut longer = whole();
    longer.grant.as_mut().expect("granted").spec.duration = "12h".into();
    let mut going = whole();
    going.grant.as_mut().expect("granted").metadata.deletion_timestamp =
        Some(k8s_time(jiff::Timestamp::from_second(CREATED).expect("a time")));
    let mut second_owner = whole();
    let owners = second_owner.bindings[0].metadata.owner_references.as_mut().expect("owned");
    owners.push(OwnerReference { uid: "another".into(), ..owners[0].clone() });
    let mut finalizer = whole();
    finalizer.accounts[0].metadata.finalizers = Some(vec!["example.org/hold".into()]);
    let mut stronger = whole();
    stronger.bindings[0].role_ref.name = "cluster-admin".into();
    let mut someone_else = whole();
    someone_else.bindings[0].subjects.as_mut().expect("subjects")[0].name = "default".into();
    let mut second_account = whole();
    let mut copy = second_account.accounts[0].clone();
    copy.metadata.name = Some("s-abcdefghijklmnop-1795599999".into());
    second_account.accounts.push(copy);
    let mut elsewhere = whole();
    let mut copy = elsewhere.bindings[0].clone();
    copy.metadata.namespace = Some("kube-system".into());
    elsewhere.bindings.push(copy);

    for (what, observed) in [
        ("another request's grant", other_request),
        ("a longer grant", longer),
        ("a second owner", second_owner),
        ("a finalizer", finalizer),
        ("a stronger role", stronger),
        ("another subject", someone_else),
        ("a second account", second_account),
        ("a binding elsewhere", elsewhere),
    ] {
        assert!(matches!(unfit(plan_goal(&goal, &observed, CREATED)), Unfit::Foreign { .. }), "{what}");
    }
    assert!(matches!(unfit(plan_goal(&goal, &going, CREATED)), Unfit::Going { .. }));
}
