use crate::app::tests::started;
use sallyport_audit::{Action, Entry};
use sallyport_ipc::{AuditFilter, SegmentState};
use sallyport_recording::{About, Bounds, Recordings, Screen};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// What a run that was killed leaves: a recording whose index says nothing of its end.
async fn left_by_a_run(data: &Path) {
    let elsewhere = tempfile::tempdir().unwrap();
    let about = About {
        session: "s-1".to_owned(),
        terminal: "t-1".to_owned(),
        cluster: "prod-eu-1".to_owned(),
        user: "oidc:ada@example.test".to_owned(),
        shell: "bash".to_owned(),
        input: false,
    };
    let recordings = Recordings::new(elsewhere.path().join("r"), None, Bounds::default());
    let (recorder, _told) = recordings.begin(about, Screen::new(80, 24)).unwrap();
    recorder.output(b"nobody deleted anything").await;
    let part = elsewhere.path().join("r/s-1/t-1/00001.cast");
    while !fs::read_to_string(&part).is_ok_and(|text| text.contains("nobody deleted")) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let to = data.join("recordings/s-1/t-1");
    fs::create_dir_all(&to).unwrap();
    for name in ["index.json", "00001.cast"] {
        fs::copy(part.with_file_name(name), to.join(name)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p18_what_is_watched_is_noted_and_is_what_the_history_says_it_was() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    left_by_a_run(&data).await;
    let app = started(home.path()).await;
    let named = || ("s-1".to_owned(), "t-1".to_owned());
    let page = async |app: &crate::App| {
        let (session, terminal) = named();
        app.recording_page(session, terminal, 1, 0).await
    };
    // An entry is on the disk a moment later.
    let newest = async |app: &crate::App, wanted: &[&str]| {
        let filter = || AuditFilter { session: Some("s-1".to_owned()), ..AuditFilter::default() };
        let mut actions = Vec::new();
        for _ in 0..6000 {
            let page = app.audit_page(filter(), None, 50).await.unwrap();
            actions =
                page.entries.into_iter().map(|entry| entry.action).take(wanted.len()).collect::<Vec<_>>();
            if actions == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{actions:?}, and not {wanted:?}");
    };
    // It was closed, and that it was cut off is a gap.
    newest(&app, &["gap", "recorded"]).await;
    let listed = app.recordings_list("s-1".to_owned()).await.unwrap();
    assert!(listed.len() == 1 && listed[0].cut_off && !listed[0].sealed, "{listed:?}");
    assert!(page(&app).await.is_err(), "it was not opened");
    app.recording_open("s-1".to_owned(), "t-1".to_owned()).await.unwrap();
    newest(&app, &["recording_watched"]).await;
    let read = page(&app).await.unwrap();
    assert_eq!((read.state, read.moments.len(), read.next), (SegmentState::Whole, 1, None));
    for (session, terminal) in [("..", ".."), ("s-1", "../t-1"), ("", ""), ("s-2", "t-1")] {
        assert!(
            app.recording_open(session.to_owned(), terminal.to_owned()).await.is_err(),
            "{session}/{terminal}"
        );
        assert!(app.recording_delete(session.to_owned(), terminal.to_owned()).await.is_err());
    }
    // Somebody changes the part, and its index to fit.
    let dir = data.join("recordings/s-1/t-1");
    let text =
        fs::read_to_string(dir.join("00001.cast")).unwrap().replace("nobody deleted", "somebody deletd");
    let index = fs::read_to_string(dir.join("index.json")).unwrap();
    let before: serde_json::Value = serde_json::from_str(&index).unwrap();
    let hash = sallyport_model::Digest::of(text.as_bytes()).to_string();
    let index = index.replace(before["parts"][0]["sha256"].as_str().unwrap(), &hash);
    fs::write(dir.join("00001.cast"), &text).unwrap();
    fs::write(dir.join("index.json"), index).unwrap();
    let read = page(&app).await.unwrap();
    assert_eq!((read.state, read.moments.len()), (SegmentState::Damaged, 0), "the history says another hash");
    app.recording_delete("s-1".to_owned(), "t-1".to_owned()).await.unwrap();
    assert!(!dir.exists());
    newest(&app, &["recording_deleted"]).await;
    assert!(app.recording_open("s-1".to_owned(), "t-1".to_owned()).await.is_err());
    app.shut_down().await;
}

#[test]
fn every_entry_of_recordings_has_a_sentence_that_names_what_happened() {
    for (action, words) in [
        (Action::Recorded, "Recorded"),
        (Action::RecordingWatched, "Watched the recording"),
        (Action::RecordingDeleted, "was deleted"),
    ] {
        let entry: Entry = sallyport_audit::Draft::new(action).place(1, 1);
        let said = crate::history::sentence::sentence(&entry);
        assert!(said.contains(words), "{said}");
    }
}
