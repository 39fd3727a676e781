//! With a real history and a real archive.

use super::super::tests::{Bench, bench};
use super::*;
use sallyport_audit::Draft;
use sallyport_ipc::TimelineSide;
use sallyport_model::ErrorCode;
use sallyport_report::handed;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

fn none() -> Beside {
    let tapes = Arc::new(|_: &Segment| Ok(Tape::Missing("there is none".to_owned())));
    Beside { tapes, readings: Vec::new() }
}

fn input(bench: &Bench, form: ExportForm, name: &str) -> ExportInput {
    let place = bench.home().join(name).display().to_string();
    ExportInput { form, place, ..ExportInput::default() }
}

async fn write(bench: &Bench, input: ExportInput) -> Result<ExportView, AppError> {
    bench.evidence.export(Some(&"oidc:ines".parse().unwrap()), input, none()).await
}

/// Three entries and three events, one after the other.
async fn filled() -> Bench {
    fill(bench().await).await
}

async fn fill(bench: Bench) -> Bench {
    let at = jiff::Timestamp::now().as_microsecond() - 3_600_000_000;
    for n in 0..3i64 {
        let draft = Draft::new(Action::Verify).at(at + n * 20_000_000).cluster(&"eu-1".parse().unwrap());
        bench.note(draft.detail("n", n)).await;
    }
    let event = |n: i64, verb: &str| {
        let time = jiff::Timestamp::from_microsecond(at + 10_000_000 + n * 20_000_000).unwrap();
        let time = time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
        json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": format!("seen-{n}"),
            "stage": "ResponseComplete", "verb": verb, "requestURI": "/api/v1/namespaces/pay/pods/\u{202e}p",
            "user": { "username": "oidc:lee" }, "sourceIPs": ["192.0.2.7"],
            "objectRef": { "resource": "pods", "namespace": "pay", "name": "p", "apiVersion": "v1" },
            "responseStatus": { "code": 200 }, "requestReceivedTimestamp": time, "stageTimestamp": time,
        })
    };
    bench.log(&[event(0, "get"), event(1, "delete"), event(2, "get")]).await;
    bench.settled().await;
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_on_is_what_the_filter_selects_of_both_sides_newest_first() {
    let bench = filled().await;
    let look = bench.evidence.export_look(&TimelineFilter::default()).await.unwrap();
    let done = write(&bench, input(&bench, ExportForm::Jsonl, "all.jsonl")).await.unwrap();
    assert_eq!((done.own, done.calls), (look.own, 3));
    assert!(done.own >= 3 && done.lacks.is_empty(), "{:?}", done.lacks);
    let bytes = fs::read(bench.home().join("all.jsonl")).unwrap();
    assert_eq!(done.bytes, bytes.len() as i64);
    assert_eq!(done.sha256.as_str(), sallyport_model::Digest::of(&bytes).to_string());
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<String> = lines
        .iter()
        .filter_map(|line| match (line["event"]["auditID"].as_str(), line["entry"]["detail"]["n"].as_i64()) {
            (Some(id), _) => Some(id.to_owned()),
            (_, Some(n)) => Some(format!("n{n}")),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["seen-2", "n2", "seen-1", "n1", "seen-0", "n0"]);
    assert!(lines.iter().all(|line| line.get("entry").is_some() || line["cluster"] == "payments-eu-1"));

    // A filter is a filter here as it is on screen.
    let only = TimelineFilter { verb: Some("delete".into()), ..TimelineFilter::default() };
    let csv = ExportInput { filter: only, ..input(&bench, ExportForm::Csv, "some.csv") };
    let done = write(&bench, csv).await.unwrap();
    assert_eq!((done.own, done.calls), (0, 1));
    let text = fs::read_to_string(bench.home().join("some.csv")).unwrap();
    assert!(text.lines().count() == 2 && text.contains("seen-1") && !text.contains('\u{202e}'), "{text}");
    let side = TimelineFilter { side: Some(TimelineSide::Cluster), ..TimelineFilter::default() };
    let ocsf = ExportInput { filter: side, ..input(&bench, ExportForm::Ocsf, "a.ocsf.jsonl") };
    assert_eq!(write(&bench, ocsf).await.unwrap().calls, 3);
    let text = fs::read_to_string(bench.home().join("a.ocsf.jsonl")).unwrap();
    assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).unwrap()["class_uid"] == 6003));
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_it_was_handed_on_is_an_entry_and_the_file_is_its_owners_alone() {
    let bench = filled().await;
    let filter = TimelineFilter { cluster: Some("eu-1".into()), ..TimelineFilter::default() };
    let asked = ExportInput { filter, ..input(&bench, ExportForm::Csv, "a.csv") };
    let done = write(&bench, asked.clone()).await.unwrap();
    let mode = fs::metadata(bench.home().join("a.csv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    bench.settled().await;
    let wanted = Entries { actions: vec![Action::Exported], ..Entries::default() };
    let page = bench.evidence.history.entries(wanted.clone(), None, 10).await.unwrap();
    let [entry] = page.entries.as_slice() else { panic!("{page:?}") };
    assert_eq!(entry.user.as_ref().unwrap().as_str(), "oidc:ines");
    assert_eq!(entry.cluster.as_ref().unwrap().as_str(), "eu-1");
    assert_eq!(entry.detail.text("sha256"), Some(done.sha256.as_str()));
    assert_eq!(
        (entry.detail.text("format"), entry.detail.text("filter")),
        (Some("CSV"), Some("cluster eu-1"))
    );
    assert_eq!(entry.detail.number("entries"), Some(3));
    // Nothing is written over, and what is refused says so.
    let error = write(&bench, asked).await.unwrap_err();
    assert!(
        error.code() == ErrorCode::BadInput && error.message().contains("already"),
        "{}",
        error.message()
    );
    for (form, place) in [
        (ExportForm::Pack, "a.csv"),
        (ExportForm::Csv, "b.tar"),
        (ExportForm::Csv, ".csv"),
        (ExportForm::Csv, "no/such/folder/b.csv"),
    ] {
        assert!(write(&bench, input(&bench, form, place)).await.is_err(), "{place}");
    }
    let nothing = TimelineFilter { cluster: Some("nowhere".into()), ..TimelineFilter::default() };
    let error =
        write(&bench, ExportInput { filter: nothing, ..input(&bench, ExportForm::Jsonl, "n.jsonl") }).await;
    assert!(error.unwrap_err().message().contains("nothing fits"));
    let names =
        fs::read_dir(bench.home()).unwrap().map(|one| one.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> =
        names.filter(|name| name.starts_with(".sallyport-") || name == "n.jsonl").collect();
    assert_eq!(left, Vec::<String>::new());
    assert_eq!(bench.evidence.history.entries(wanted, None, 10).await.unwrap().entries.len(), 1);
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_without_a_seal_makes_no_pack_and_says_why() {
    let bench = filled().await;
    let error = write(&bench, input(&bench, ExportForm::Pack, "a.tar")).await.unwrap_err();
    assert!(error.message().contains("not sealed"), "{}", error.message());
    assert!(!bench.home().join("a.tar").exists());
    assert!(!bench.evidence.export_look(&TimelineFilter::default()).await.unwrap().is_sealed);
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_leaves_nothing_and_the_next_one_has_its_turn() {
    let bench = filled().await;
    let running = bench.evidence.begin_export().unwrap();
    let error = write(&bench, input(&bench, ExportForm::Csv, "a.csv")).await.unwrap_err();
    assert!(error.message().contains("another selection"), "one at a time");
    bench.evidence.stop_export().await.unwrap();
    let wanted = filter::parse(&TimelineFilter::default(), &[]).unwrap();
    let job = Job {
        evidence: bench.evidence.clone(),
        running,
        wanted,
        has_calls: true,
        about: Arc::new(About {
            who: None,
            filter: TimelineFilter::default(),
            said: "everything".to_owned(),
        }),
        input: input(&bench, ExportForm::Csv, "a.csv"),
        path: bench.home().join("a.csv"),
        sessions: BTreeSet::new(),
        beside: none(),
    };
    let stopped = tokio::task::spawn_blocking(move || job.write().is_err()).await.unwrap();
    assert!(stopped && !bench.home().join("a.csv").exists());
    drop(Turn(&bench.evidence));
    assert!(write(&bench, input(&bench, ExportForm::Csv, "a.csv")).await.is_ok());
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_access_report_is_made_of_the_history_and_of_what_clusters_tell() {
    let bench = filled().await;
    bench.a_session().await;
    let done = write(&bench, input(&bench, ExportForm::Report, "access.html")).await.unwrap();
    assert!(done.own > 3 && done.lacks.iter().any(|one| one.contains("posture")), "{done:?}");
    let page = fs::read_to_string(bench.home().join("access.html")).unwrap();
    assert!(page.contains("Access report") && page.contains("oidc:dana"), "the session is in it");
    assert!(page.contains("<svg role=\"img\""), "with its charts");
    assert!(!page.contains("No archive of API servers' logs was looked at"));
    bench.evidence.close().await;
}

#[test]
fn why_a_disk_does_not_take_it_is_said_with_what_to_do() {
    let path = Path::new("/media/\u{202e}stick/a.csv");
    for (kind, word) in [
        (io::ErrorKind::StorageFull, "full"),
        (io::ErrorKind::QuotaExceeded, "full"),
        (io::ErrorKind::ReadOnlyFilesystem, "only be read"),
        (io::ErrorKind::PermissionDenied, "not yours"),
        (io::ErrorKind::NotFound, "not there"),
    ] {
        let view = unwritten(path, io::Error::from(kind)).view();
        let text = format!("{view:?}");
        assert!(text.contains(word) && !text.contains('\u{202e}'), "{text}");
    }
}

#[test]
fn sessions_are_named_by_ids_and_by_nothing_else() {
    let of = |ids: &[&str]| {
        let recordings = ids.iter().map(|&id| id.to_owned()).collect();
        sessions(&ExportInput { recordings, ..ExportInput::default() })
    };
    assert_eq!(of(&["b-2", "a", "a"]).unwrap().into_iter().collect::<Vec<_>>(), ["a", "b-2"]);
    let long = "x".repeat(65);
    for bad in ["", "..", "a/b", "a b", "ä", "a\0", long.as_str()] {
        assert!(of(&[bad]).is_err(), "{bad:?}");
    }
    assert!(of(&vec!["a"; 1001]).is_err());
}

/// A pack of a sealed history with what a terminal showed, as a machine that has nothing of ours checks it.
#[tokio::test(flavor = "multi_thread")]
async fn a_pack_holds_the_recordings_that_a_sealed_entry_tells_of() {
    let bench = Bench::sealed().await;
    let text = b"{\"version\":2,\"width\":80,\"height\":24}\n[0.1,\"o\",\"hi\"]\n".to_vec();
    let recorded = |session: &str| {
        let draft = Draft::new(Action::Recorded).session(&SessionId::new(session)).detail("terminal", "t-1");
        draft.detail("segment", 1).detail("sha256", sallyport_model::Digest::of(&text).to_string())
    };
    bench.note(recorded("s-1")).await;
    bench.note(recorded("s-2")).await;
    bench.note(Draft::new(Action::SignIn).cluster(&"eu-1".parse().unwrap())).await;
    bench.settled().await;
    let tapes: ReadTape = {
        let text = text.clone();
        Arc::new(move |_: &Segment| Ok(Tape::Here(text.clone())))
    };
    let filter = TimelineFilter { cluster: Some("eu-1".into()), ..TimelineFilter::default() };
    let asked =
        ExportInput { filter, recordings: vec!["s-1".into()], ..input(&bench, ExportForm::Pack, "a.tar") };
    let done = bench.evidence.export(None, asked, Beside { tapes, readings: Vec::new() }).await.unwrap();
    assert_eq!((done.recordings, done.lacks.len()), (1, 0), "{:?}", done.lacks);
    let key = done.fingerprint.clone().unwrap().parse().unwrap();
    let file = fs::File::open(bench.home().join("a.tar")).unwrap();
    let found = handed::read(file, &[key], &[]).unwrap();
    let sallyport_audit::PackVerdict::Sealed(told) = &found.verdict else { panic!("{found:?}") };
    assert!(told.sealed.is_trusted && found.recordings == Some(1));
    assert!(told.end.left_out > 0, "what the filter does not select is left out, and shown as left out");
    assert!(!found.beside.iter().any(|one| matches!(one, handed::Stated::Wrong(..))), "{:?}", found.beside);
    bench.evidence.close().await;
}

fn left(bench: &Bench, name: &str) -> Vec<String> {
    let names =
        fs::read_dir(bench.home()).unwrap().map(|one| one.unwrap().file_name().into_string().unwrap());
    names.filter(|left| left.starts_with(".sallyport-") || left == name).collect()
}

/// A pack with what clusters tell, as a machine that has nothing of ours checks it.
#[tokio::test(flavor = "multi_thread")]
async fn clusters_events_go_with_a_pack_and_a_sealed_entry_says_which() {
    let bench = fill(Bench::sealed().await).await;
    let check = |name: &str, done: &ExportView| {
        let key = done.fingerprint.clone().unwrap().parse().unwrap();
        let found = handed::read(fs::File::open(bench.home().join(name)).unwrap(), &[key], &[]).unwrap();
        let sallyport_audit::PackVerdict::Sealed(told) = &found.verdict else { panic!("{found:?}") };
        assert!(told.sealed.is_trusted, "{told:?}");
        assert!(
            !found.beside.iter().any(|one| matches!(one, handed::Stated::Wrong(..))),
            "{:?}",
            found.beside
        );
        found.events
    };
    let only = TimelineFilter { verb: Some("delete".into()), ..TimelineFilter::default() };
    let asked = |name: &str, events| ExportInput {
        filter: only.clone(),
        events,
        ..input(&bench, ExportForm::Pack, name)
    };
    // Of the desktop's own nothing fits, and nothing else is wanted.
    let error = write(&bench, asked("none.tar", false)).await.unwrap_err();
    assert!(error.message().contains("nothing else was wanted"), "{}", error.message());
    let done = write(&bench, asked("a.tar", true)).await.unwrap();
    assert_eq!((done.calls, done.lacks.len()), (1, 0), "{:?}", done.lacks);
    let events = check("a.tar", &done).expect("they go with it");
    assert_eq!((events.said.events, events.said.by_cluster().as_str()), (1, "payments-eu-1 1"));
    bench.settled().await;
    let wanted = Entries { actions: vec![Action::Exported], ..Entries::default() };
    let entries = bench.evidence.history.entries(wanted, None, 10).await.unwrap().entries;
    let [after, before] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!(events.entry, Some(before.sequence), "sealed before the pack was made");
    assert_eq!(before.outcome, sallyport_audit::Outcome::Unknown, "what came of it the next one says");
    for entry in [before, after] {
        assert_eq!(entry.detail.text("events_sha256"), Some(events.said.sha256.as_str()));
        assert_eq!(
            (entry.detail.number("calls"), entry.user.as_ref().unwrap().as_str()),
            (Some(1), "oidc:ines")
        );
    }
    assert_eq!(after.detail.text("sha256"), Some(done.sha256.as_str()));

    // Only where they are wanted, and only where the filter has a cluster's side.
    let all = |name: &str, events| ExportInput { events, ..input(&bench, ExportForm::Pack, name) };
    let done = write(&bench, all("b.tar", false)).await.unwrap();
    assert_eq!((done.calls, check("b.tar", &done)), (0, None));
    let own = TimelineFilter { side: Some(TimelineSide::Own), ..TimelineFilter::default() };
    let done = write(&bench, ExportInput { filter: own, ..all("c.tar", true) }).await.unwrap();
    assert_eq!((done.calls, check("c.tar", &done)), (0, None));
    let done = write(&bench, all("d.tar", true)).await.unwrap();
    assert_eq!(check("d.tar", &done).unwrap().said.events, 3);
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_archive_can_not_give_is_counted_in_the_pack_and_said() {
    let bench = Bench::sealed().await;
    let folder = bench.evidence.folder();
    fs::create_dir_all(&folder).unwrap();
    // A segment that a bad disk left.
    fs::write(folder.join("segment-00000001.db"), "garbage ".repeat(4096)).unwrap();
    let bench = fill(bench).await;
    let done = write(&bench, ExportInput { events: true, ..input(&bench, ExportForm::Pack, "a.tar") })
        .await
        .unwrap();
    let lacks = format!("{:?}", done.lacks);
    assert!(lacks.contains("1 files of the archive could not be opened"), "{lacks}");
    let found = handed::read(fs::File::open(bench.home().join("a.tar")).unwrap(), &[], &[]).unwrap();
    let said = found.events.unwrap().said;
    assert_eq!((said.events, said.unread_files), (3, 1));
    // Where nothing could be counted something may be there.
    let nowhere = TimelineFilter { cluster: Some("nowhere".into()), ..TimelineFilter::default() };
    assert!(bench.evidence.export_look(&nowhere).await.unwrap().is_cut);
    bench.evidence.close().await;
}

/// Who signs out or quits is not answered before nothing is left of what they had begun.
#[tokio::test(flavor = "multi_thread")]
async fn signing_out_and_quitting_end_what_is_being_written_with_a_word_and_leave_no_half_file() {
    for (why, word) in [(GivenUp::SignedOut, "by the sign-out"), (GivenUp::Quit, "as Sallyport was quit")] {
        let bench = Arc::new(Bench::sealed().await);
        let draft = Draft::new(Action::Recorded).session(&SessionId::new("s-1")).detail("terminal", "t-1");
        let draft =
            draft.detail("segment", 1).detail("sha256", sallyport_model::Digest::of(b"x").to_string());
        bench.note(draft).await;
        bench.settled().await;
        // What is read of a recording waits until the test says so: the pack is half written.
        let (begun, is_begun) = tokio::sync::oneshot::channel();
        let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
        let held = std::sync::Mutex::new((Some(begun), may_go_on));
        let tapes: ReadTape = Arc::new(move |_: &Segment| {
            let mut held = held.lock().unwrap();
            if let Some(begun) = held.0.take() {
                begun.send(()).unwrap();
            }
            held.1.recv().unwrap();
            Ok(Tape::Here(b"x".to_vec()))
        });
        let asked =
            ExportInput { recordings: vec!["s-1".into()], ..input(&bench, ExportForm::Pack, "a.tar") };
        let evidence = bench.evidence.clone();
        let writing = tokio::spawn(async move {
            evidence.export(None, asked, Beside { tapes, readings: Vec::new() }).await
        });
        is_begun.await.unwrap();
        assert_eq!(left(&bench, "a.tar").len(), 1, "a file without its name");
        bench.evidence.give_up_export(why);
        let evidence = bench.evidence.clone();
        let ending = tokio::spawn(async move { evidence.end_export(why).await });
        // The next one has to wait, whatever became of the first.
        assert!(write(&bench, input(&bench, ExportForm::Csv, "b.csv")).await.is_err());
        assert!(!ending.is_finished());
        go_on.send(()).unwrap();
        ending.await.unwrap();
        assert_eq!(left(&bench, "a.tar"), Vec::<String>::new(), "nothing is left when it is answered");
        let error = writing.await.unwrap().unwrap_err();
        assert!(error.message().contains(word) && error.code() == ErrorCode::Failed, "{}", error.message());
        // Nothing is written, and nothing is in the way of the next.
        bench.evidence.end_export(why).await;
        assert!(write(&bench, input(&bench, ExportForm::Csv, "b.csv")).await.is_ok());
        bench.evidence.close().await;
    }
}
