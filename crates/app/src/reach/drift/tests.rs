use super::*;

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn seen() -> Snapshot {
    let terms =
        Terms { approvals: 2, longest: 3600, mfa: vec!["acr mfa".into()], reason: true, ..Terms::default() };
    let allows = |set: &str| [("operate".to_owned(), set.to_owned())].into();
    Snapshot {
        profiles: [("operate".to_owned(), terms)].into(),
        who: [("group dev".to_owned(), Holding { ask: names(&["operate"]), ..Holding::default() })].into(),
        clusters: [("pay-eu".to_owned(), allows("a")), ("pay-us".to_owned(), allows("a"))].into(),
        allowed: [("a".to_owned(), names(&["Read logs: get pods/log"]))].into(),
    }
}

fn told(before: &Snapshot, after: &Snapshot) -> Vec<(DriftWay, String)> {
    let drift = between(before, after, 7);
    assert_eq!((drift.since, drift.more), (7, 0));
    drift.lines.iter().map(|line| (line.way, format!("{}: {}", line.about, line.text))).collect()
}

#[test]
fn nothing_changed_is_no_line() {
    assert_eq!(told(&seen(), &seen()), []);
}

#[test]
fn a_binding_that_came_or_went_is_told_with_whom_it_names() {
    let mut after = seen();
    let lead = Holding {
        approve: names(&["a", "b", "c", "d", "e", "f"]),
        decides_in: names(&["team"]),
        ..Holding::default()
    };
    after.who = [("group leads".to_owned(), lead)].into();
    assert_eq!(
        told(&seen(), &after),
        [
            (DriftWay::Wider, "group leads: may now approve a, b, c, d and 2 more".to_owned()),
            (DriftWay::Wider, "group leads: may now write to the requests of team".to_owned()),
            (DriftWay::Narrower, "group dev: may no longer ask for operate".to_owned()),
        ]
    );
}

#[test]
fn what_a_profile_wants_is_told_by_what_it_means() {
    let mut after = seen();
    let terms = after.profiles.get_mut("operate").unwrap();
    *terms = Terms { approvals: 1, longest: 1800, ..Terms::default() };
    after.profiles.insert("view".into(), Terms::default());
    let lines = told(&seen(), &after);
    for wanted in [
        (DriftWay::Wider, "profile operate: wants 1 approval instead of 2"),
        (DriftWay::Wider, "profile operate: wants of a sign-in: nothing; before: acr mfa"),
        (DriftWay::Wider, "profile operate: wants no reason any more"),
        (DriftWay::Wider, "profile view: is new"),
        (DriftWay::Narrower, "profile operate: lasts up to 30 min instead of 60 min"),
    ] {
        assert!(lines.contains(&(wanted.0, wanted.1.to_owned())), "{wanted:?} in {lines:?}");
    }
    assert_eq!(lines.len(), 5);
    assert_eq!(told(&after, &seen()).len(), 5, "and the other way round");
}

#[test]
fn what_opens_without_people_and_a_day_are_told_as_wider_and_narrower() {
    let mut after = seen();
    let terms = after.profiles.get_mut("operate").unwrap();
    (terms.autos, terms.per_day) = (names(&["office: 09:00-18:00 in UTC"]), Some(7200));
    assert_eq!(
        told(&seen(), &after),
        [
            (DriftWay::Wider, "profile operate: opens at once by office: 09:00-18:00 in UTC".to_owned()),
            (
                DriftWay::Narrower,
                "profile operate: gives one person 120 min a day instead of any time".to_owned()
            ),
        ]
    );
    let back = told(&after, &seen());
    assert_eq!(back[0].0, DriftWay::Wider, "a day that is not counted any more");
    assert_eq!(back[1].1, "profile operate: no longer opens at once by office: 09:00-18:00 in UTC");
}

#[test]
fn the_same_change_of_rights_on_many_clusters_is_one_line() {
    let mut after = seen();
    for profiles in after.clusters.values_mut() {
        profiles.insert("operate".into(), "b".into());
    }
    after.allowed =
        [("b".to_owned(), names(&["Read logs: get pods/log", "Run commands in pods: create pods/exec"]))]
            .into();
    let more = "operate on pay-eu, pay-us: allows more: Run commands in pods: create pods/exec".to_owned();
    assert_eq!(told(&seen(), &after), [(DriftWay::Wider, more)]);
    let less = "operate on pay-eu, pay-us: allows less: Run commands in pods: create pods/exec".to_owned();
    assert_eq!(told(&after, &seen()), [(DriftWay::Narrower, less)]);
}

#[test]
fn a_broker_that_says_nothing_changes_nothing() {
    let mut silent = seen();
    silent.allowed.clear();
    for profiles in silent.clusters.values_mut() {
        profiles.insert("operate".into(), String::new());
    }
    let carried = silent.clone().with_what_is_unknown_from(&seen());
    assert_eq!(carried, seen());
    // What was never known, is known now, and is told.
    assert_eq!(
        told(&silent, &seen()),
        [(DriftWay::Other, "operate on pay-eu, pay-us: what it allows is known now".to_owned())]
    );
    // A cluster or a profile that is gone is not brought back.
    let mut gone = silent;
    gone.clusters.remove("pay-us");
    let carried = gone.with_what_is_unknown_from(&seen());
    assert_eq!(told(&seen(), &carried), [(DriftWay::Narrower, "cluster pay-us: is gone".to_owned())]);
}

#[test]
fn what_covers_a_cluster_is_told_unless_the_profile_itself_is_new() {
    let mut before = seen();
    before.clusters.get_mut("pay-us").unwrap().clear();
    assert_eq!(
        told(&before, &seen()),
        [(DriftWay::Wider, "cluster pay-us: can now be asked for as operate".to_owned())]
    );
    let mut new = seen();
    new.profiles.insert("view".into(), Terms::default());
    new.clusters.get_mut("pay-us").unwrap().insert("view".into(), String::new());
    assert_eq!(told(&seen(), &new), [(DriftWay::Wider, "profile view: is new".to_owned())]);
}

#[test]
fn p24_thousands_of_lines_are_counted_and_hidden_characters_shown() {
    let mut after = seen();
    for i in 0..1000 {
        let ask = names(&["oper\u{202e}ate"]);
        after.who.insert(format!("group g-{i}"), Holding { ask, ..Holding::default() });
    }
    let drift = between(&seen(), &after, 0);
    assert_eq!((drift.lines.len(), drift.more), (LINES, 700));
    assert!(drift.lines.iter().all(|line| !line.text.contains('\u{202e}')));
}

#[test]
fn a_snapshot_of_another_version_is_read_as_far_as_it_goes() {
    let read: Snapshot =
        serde_json::from_str(r#"{"who": {"group x": {"ask": ["a"], "later": 1}}, "more": []}"#).unwrap();
    assert_eq!(read.who["group x"].ask, names(&["a"]));
    let text = serde_json::to_string(&seen()).unwrap();
    assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), seen());
}
