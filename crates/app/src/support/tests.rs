use crate::app::App;
use crate::desk::{Dirs, LogTail, Nobody, Options};
use flate2::read::GzDecoder;
use sallyport_ipc::{AuditFilter, BundleView};
use sallyport_model::ErrorCode;
use sallyport_store::Reason;
use sallyport_vault::Keyring;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJkYW5hIn0.c2lnbmF0dXJlLW9mLWl0LWFsbA";

async fn with_log(home: &Path, lines: &[&str]) -> App {
    let mut log = LogTail::default();
    for line in lines {
        writeln!(log, "{line}").unwrap();
    }
    let options = Options { keyring: Keyring::Off, log, ..Options::default() };
    App::start(Dirs::under(home), options, Arc::new(Nobody)).await.unwrap()
}

fn text(view: &BundleView) -> String {
    let lines = view.files.iter().flat_map(|file| &file.lines).map(|line| line.as_str());
    lines.collect::<Vec<_>>().join("\n")
}

fn written(path: &Path) -> Vec<(String, String)> {
    let mut archive = tar::Archive::new(GzDecoder::new(std::fs::File::open(path).unwrap()));
    let mut out = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        out.push((name, text));
    }
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_what_was_shown_is_what_is_written_and_holds_no_secret() {
    let home = tempfile::tempdir().unwrap();
    let token = format!("GET /x?token={JWT}");
    let lines =
        [token.as_str(), "WARN asked because of the merger with lee@example.test\u{202e}", "a plain line"];
    let app = with_log(home.path(), &lines).await;
    let reason = Reason { text: "the merger".into(), at: jiff::Timestamp::now().as_second() };
    app.0.desk.prefs.remember_reason(reason).await.unwrap();
    // A command that fails leaves its code, and nothing of its words.
    app.cluster_detail("no-such-cluster".into()).await.unwrap_err();

    let view = app.support_preview(false).await.unwrap();
    let all = text(&view);
    assert!(!all.contains("eyJ") && !all.contains("merger") && !all.contains("lee@"), "{all}");
    assert!(all.contains("because of [words] with person-") && all.contains("⟨U+202E⟩"), "{all}");
    assert!(all.contains("a plain line") && all.contains("cluster_detail: BadInput"), "{all}");
    assert!(all.contains("history: Unanchored"), "the history was checked: {all}");
    assert_eq!(view.redactions, 1);

    let place = home.path().join("bundle.tar.gz");
    let place_text = place.display().to_string();
    assert_eq!(app.support_write(view.id.clone(), place_text.clone()).await.unwrap(), place_text.as_str());
    let shown: Vec<_> = view
        .files
        .iter()
        .map(|f| (f.name.clone(), f.lines.iter().map(|l| format!("{l}\n")).collect::<String>()))
        .collect();
    assert_eq!(written(&place), shown);
    // Entries are on disk within 100 ms; a busy machine takes longer.
    let mut tries = 0;
    let entry = loop {
        let page = app.audit_page(AuditFilter::default(), None, 20).await.unwrap();
        if let Some(entry) = page.entries.into_iter().find(|e| e.action == "support_bundle") {
            break entry;
        }
        tries += 1;
        assert!(tries < 1200, "there is no entry");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(entry.sentence, "Support bundle written, 9 files");

    // Nothing is written over, and nothing that was not shown last is written.
    let again = app.support_write(view.id.clone(), place_text.clone()).await.unwrap_err();
    assert!(
        again.code() == ErrorCode::BadInput && again.message().contains("already"),
        "{}",
        again.message()
    );
    let with_names = app.support_preview(true).await.unwrap();
    assert!(text(&with_names).contains("lee@example.test"), "as it was wanted");
    assert!(!text(&with_names).contains("merger"), "reasons never are");
    let other = home.path().join("other.tar.gz");
    let stale = app.support_write(view.id, other.display().to_string()).await.unwrap_err();
    assert!(stale.message().contains("shown last") && !other.exists(), "{}", stale.message());
    let nowhere = app.support_write(with_names.id, "/no/such/folder/a.tar.gz".into()).await.unwrap_err();
    assert!(nowhere.message().contains("could not be written to /no/such/folder"), "{}", nowhere.message());
    app.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_bundles_of_one_desktop_speak_of_the_same_person_and_those_of_two_do_not() {
    let homes = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut said = Vec::new();
    for home in &homes {
        let app = with_log(home.path(), &["by lee@example.test"]).await;
        for _ in 0..2 {
            let all = text(&app.support_preview(false).await.unwrap());
            let line = all.lines().find(|line| line.starts_with("by person-")).unwrap();
            said.push(line.to_owned());
        }
        app.shut_down().await;
    }
    assert_eq!((&said[0], &said[2]), (&said[1], &said[3]));
    assert_ne!(said[0], said[2]);
}
