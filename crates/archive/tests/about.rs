//! Questions about an object, and what counts as a call: ways to be deleted, stages, lines that break off.

mod common;

use common::{BEGIN, bounds, count, page, source};
use sallyport_archive::{Archive, Batch, Bounds, Column, Filter, How, ObjectRef, Options};
use sallyport_events::{Event, Flaw, Found, Object, Position, Stage, Stages, User, What};
use std::time::Duration;

#[test]
fn who_deleted_this_is_answered_with_every_way_it_may_have_gone() {
    let dir = tempfile::tempdir().unwrap();
    let archive = Archive::open(dir.path(), Options::default()).unwrap();
    let about = |verb: &str, resource: &str, namespace: &str, name: &str, code: u16, who: &str| Event {
        audit_id: "a".into(),
        verb: verb.to_owned().into(),
        user: User { name: who.to_owned().into(), ..User::default() },
        object: Some(Object {
            resource: resource.to_owned().into(),
            namespace: namespace.to_owned().into(),
            name: name.to_owned().into(),
            ..Object::default()
        }),
        code: Some(code),
        ..Event::default()
    };
    let mut batch = Batch::new(&source("api-1", "eu-1"), "a.log", 0);
    for (at, event) in [
        about("create", "pods", "pay", "web", 201, "ada"),
        about("delete", "pods", "pay", "web", 403, "mallory"),
        about("delete", "pods", "pay", "other", 200, "eve"),
        about("delete", "pods", "shop", "web", 200, "eve"),
        about("deletecollection", "pods", "pay", "", 200, "grace"),
        about("deletecollection", "pods", "shop", "", 200, "eve"),
        about("delete", "pods", "pay", "web", 200, "ines"),
        about("delete", "namespaces", "pay", "pay", 200, "joan"),
    ]
    .into_iter()
    .enumerate()
    {
        let event = Event { received_at: Some(BEGIN + at as i64), ..event };
        let position = Position { offset: at as u64 * 10, line: at as u64 + 1, item: 0 };
        batch.push(&Found { position, what: What::Event(Box::new(event)) });
    }
    batch.read_to(80);
    archive.append(batch).unwrap().wait().unwrap();
    let object = ObjectRef {
        cluster: Some("eu-1".into()),
        resource: "pods".into(),
        namespace: "pay".into(),
        name: "web".into(),
    };
    let deletions = archive.deletions(&object, 10, &bounds()).unwrap().value;
    assert!(!deletions.has_more && deletions.untold == 0);
    let said: Vec<_> = deletions.found.iter().map(|one| (one.call.text(Column::User), one.how)).collect();
    assert_eq!(said, [("joan", How::Namespace), ("ines", How::Named), ("grace", How::Collection)]);
    assert_eq!(count(&archive, &object.filter()), 3);
}

/// A call about something that is over.
fn about(verb: &str, what: (&str, &str, &str, &str), code: Option<u16>, who: &str) -> Event<'static> {
    let (resource, subresource, namespace, name) = what;
    let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
    Event {
        audit_id: "a".into(),
        stages: Stages::one(Stage::ResponseComplete),
        verb: verb.to_owned().into(),
        user: User { name: who.to_owned().into(), ..User::default() },
        object: Some(Object {
            resource: resource.to_owned().into(),
            group: group.to_owned().into(),
            subresource: subresource.to_owned().into(),
            namespace: namespace.to_owned().into(),
            name: name.to_owned().into(),
            ..Object::default()
        }),
        code,
        ..Event::default()
    }
}

fn archive_of(dir: &std::path::Path, events: Vec<Event<'static>>) -> Archive {
    let archive = Archive::open(dir, Options::default()).unwrap();
    let mut batch = Batch::new(&source("api-1", "eu-1"), "a.log", 0);
    for (at, event) in events.into_iter().enumerate() {
        let event = Event { received_at: Some(BEGIN + at as i64), ..event };
        let position = Position { offset: at as u64 * 10, line: at as u64 + 1, item: 0 };
        batch.push(&Found { position, what: What::Event(Box::new(event)) });
    }
    batch.read_to(1_000_000);
    archive.append(batch).unwrap().wait().unwrap();
    archive
}

fn partial(event: Event<'static>) -> Event<'static> {
    let mut event = event;
    event.flaws.note(Flaw::Partial);
    event
}

fn begun(event: Event<'static>, stage: Stage) -> Event<'static> {
    Event { stages: Stages::one(stage), ..event }
}

fn who_deleted(archive: &Archive, resource: &str, namespace: &str, name: &str) -> Vec<(String, How)> {
    let object = ObjectRef {
        cluster: None,
        resource: resource.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let found = archive.deletions(&object, 10, &bounds()).unwrap().value.found;
    found.iter().map(|one| (one.call.text(Column::User).to_owned(), one.how)).collect()
}

#[test]
fn a_deletion_whose_line_breaks_off_before_its_status_is_a_deletion() {
    let dir = tempfile::tempdir().unwrap();
    let web = ("pods", "", "pay", "web");
    let untold = Event { object: None, ..partial(about("delete", web, None, "zoe")) };
    let archive = archive_of(
        dir.path(),
        vec![
            partial(about("delete", web, None, "cut")),
            partial(Event { stages: Stages::default(), ..about("delete", web, None, "cut early") }),
            about("delete", web, Some(404), "late"),
            about("delete", web, Some(500), "broke"),
            // Every call has one of these, also one that is refused later.
            begun(about("delete", web, None, "mallory"), Stage::RequestReceived),
            about("delete", web, Some(403), "mallory"),
            untold,
        ],
    );
    let said = who_deleted(&archive, "pods", "pay", "web");
    assert_eq!(said, [("cut early".to_owned(), How::Named), ("cut".to_owned(), How::Named)]);
    let object = ObjectRef { resource: "pods".into(), ..ObjectRef::default() };
    assert_eq!(archive.deletions(&object, 10, &bounds()).unwrap().value.untold, 1);
    let object = ObjectRef { namespace: "pay".into(), name: "web".into(), ..object };
    assert_eq!(archive.deletions(&object, 10, &bounds()).unwrap().value.begun, 1);
}

#[test]
fn a_namespace_a_pod_that_was_evicted_and_a_kind_that_is_gone_have_their_deleters() {
    let dir = tempfile::tempdir().unwrap();
    const CRDS: &str = "customresourcedefinitions.apiextensions.k8s.io";
    let archive = archive_of(
        dir.path(),
        vec![
            about("delete", ("namespaces", "", "pay", "pay"), Some(200), "joan"),
            about("delete", ("namespaces", "", "shop", "shop"), Some(200), "eve"),
            about("delete", ("pods", "", "pay", "namespaces"), Some(200), "eve"),
            about("create", ("pods", "eviction", "old", "web"), Some(201), "drain"),
            about("create", ("pods", "eviction", "old", "web"), Some(429), "budget"),
            about("create", ("pods", "eviction", "old", "other"), Some(201), "eve"),
            about("delete", (CRDS, "", "", "widgets.example.com"), Some(200), "kim"),
            about("delete", (CRDS, "", "", "gadgets.example.com"), Some(200), "eve"),
            about("deletecollection", (CRDS, "", "", ""), Some(200), "all"),
        ],
    );
    let named = |who: &str, how| (who.to_owned(), how);
    for namespace in ["", "pay", "elsewhere"] {
        let said = who_deleted(&archive, "namespaces", namespace, "pay");
        assert_eq!(said, [named("joan", How::Named)], "{namespace}");
    }
    assert_eq!(who_deleted(&archive, "pods", "old", "web"), [named("drain", How::Evicted)]);
    assert_eq!(
        who_deleted(&archive, "widgets.example.com", "old", "w"),
        [named("all", How::Kind), named("kim", How::Kind)]
    );
}

#[test]
fn more_deletions_than_are_wanted_are_said_to_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let web = ("pods", "", "pay", "web");
    let archive = archive_of(dir.path(), (0..7).map(|_| about("delete", web, Some(200), "ada")).collect());
    let object = ObjectRef {
        resource: "pods".into(),
        namespace: "pay".into(),
        name: "web".into(),
        ..ObjectRef::default()
    };
    for (limit, found, has_more) in [(6, 6, true), (7, 7, false)] {
        let answer = archive.deletions(&object, limit, &bounds()).unwrap();
        assert_eq!((answer.value.found.len(), answer.value.has_more), (found, has_more), "{limit}");
    }
    let none = Bounds { within: Duration::ZERO, ..Bounds::default() };
    assert!(!archive.deletions(&object, 10, &none).unwrap().lacks_nothing());
}

#[test]
fn of_several_resources_each_has_its_own_subresource() {
    let dir = tempfile::tempdir().unwrap();
    let archive = archive_of(
        dir.path(),
        vec![
            about("get", ("secrets", "", "pay", "card"), Some(200), "ada"),
            about("get", ("pods", "", "pay", "web"), Some(200), "ada"),
            about("create", ("pods", "exec", "pay", "web"), Some(101), "ada"),
            about("create", ("secrets", "exec", "pay", "odd"), Some(404), "ada"),
            about("get", ("services", "proxy", "pay", "web"), Some(200), "ada"),
        ],
    );
    let wanted = |pairs: &[(&str, Option<&str>)]| {
        let pairs = pairs.iter().map(|(resource, sub)| ((*resource).to_owned(), sub.map(str::to_owned)));
        let filter = Filter::default().resources(pairs.collect());
        let page = page(&archive, &filter, 10);
        assert_eq!(count(&archive, &filter), page.calls.len() as u64);
        page.calls.iter().map(|call| call.offset / 10).rev().collect::<Vec<_>>()
    };
    assert_eq!(wanted(&[]), [0, 1, 2, 3, 4]);
    assert_eq!(wanted(&[("secrets", None), ("pods", Some("exec"))]), [0, 2, 3]);
    assert_eq!(wanted(&[("pods", Some("exec")), ("services", Some("proxy"))]), [2, 4]);
    assert_eq!(wanted(&[("pods", Some(""))]), [1]);
    assert_eq!(wanted(&[("pods", None), ("none", Some("exec")), ("services", Some("none"))]), [1, 2]);
    assert!(wanted(&[("none", None)]).is_empty());
    assert!(wanted(&[("pods", Some("none"))]).is_empty());
}

#[test]
fn a_call_is_found_once_however_many_of_its_stages_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let exec = || about("create", ("pods", "exec", "pay", "web"), Some(101), "ada");
    let get = || about("get", ("pods", "", "pay", "web"), Some(200), "ada");
    let archive = archive_of(
        dir.path(),
        vec![
            begun(get(), Stage::RequestReceived),
            get(),
            begun(exec(), Stage::RequestReceived),
            begun(exec(), Stage::ResponseStarted),
            exec(),
            Event { stages: Stages::one(Stage::Panic), ..get() },
            // That it began is all that is told.
            begun(exec(), Stage::ResponseStarted),
            // A line that does not say.
            partial(Event { stages: Stages::default(), ..get() }),
        ],
    );
    let all = Filter::default;
    assert_eq!(count(&archive, &all()), 8);
    assert_eq!(count(&archive, &all().ended()), 4);
    assert_eq!(count(&archive, &all().begun()), 4);
    assert_eq!(count(&archive, &all().stage(Stage::ResponseStarted)), 2);
    assert_eq!(count(&archive, &all().stage(Stage::ResponseStarted).stage(Stage::Panic)), 3);
    assert_eq!(count(&archive, &all().ended().only(Column::Subresource, "exec")), 1);
    assert_eq!(count(&archive, &all().partial()), 1);
    let heat = archive.heat(BEGIN, 1, 1, &bounds()).unwrap().value;
    assert_eq!(heat.clusters["eu-1"][0].calls, 4);
}

#[test]
fn a_long_command_is_found_by_what_stands_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = vec!["x".repeat(500); 47];
    command.push("curl evil.example".to_owned());
    let exec = about("create", ("pods", "exec", "pay", "web"), Some(101), "ada");
    let archive = archive_of(dir.path(), vec![Event { command: command.clone(), ..exec }]);
    let found = page(&archive, &Filter::default().text("EVIL.example"), 10);
    assert_eq!(found.calls[0].text(Column::Command), command.join(" "));
}
