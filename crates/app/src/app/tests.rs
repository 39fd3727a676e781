use super::*;
use crate::desk::Nobody;
use crate::sessions::GatewayAndTargets;
use jiff::Timestamp;
use sallyport_ipc::{Notifications, PasteAsks};
use sallyport_model::SessionId;
use sallyport_vault::Keyring;

/// A window that keeps what it was told.
#[derive(Default)]
struct Listener(std::sync::Mutex<Vec<Event>>);

impl Host for Listener {
    fn open_browser(&self, _: &str) -> Result<(), AppError> {
        Err(AppError::failed("there is no browser here"))
    }
    fn tell(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
    fn exit(&self) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_decide_is_told_anew_when_the_inventory_has_learned_it() {
    let home = tempfile::tempdir().unwrap();
    let window = Arc::new(Listener::default());
    let options = Options { keyring: Keyring::Off, ..Options::default() };
    let app = App::start(Dirs::under(home.path()), options, window.clone()).await.unwrap();
    let told = || window.0.lock().unwrap().contains(&Event::RequestsChanged);
    // What runs as long as the app has begun by then.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!told(), "nothing has changed yet");
    let begun = std::time::Instant::now();
    while !told() {
        // Again: who listens may have begun late.
        app.0.inventory.changed();
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "the requests go on being shown by what was known before"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    app.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_keyring_nothing_is_sealed_and_no_key_is_replaced() {
    let home = tempfile::tempdir().unwrap();
    let app = started(home.path()).await;
    let view = app.audit_seal().await.unwrap();
    assert!(view.fingerprint.is_none() && view.since.is_none() && view.until == 0 && view.entries > 0);
    let error = app.audit_seal_renew(String::new()).await.unwrap_err();
    assert!(error.chain().contains("nothing is sealed here"), "{}", error.chain());
    let begun = std::time::Instant::now();
    loop {
        let page = app.audit_page(sallyport_ipc::AuditFilter::default(), None, 100).await.unwrap();
        if page.entries.iter().any(|e| e.action == "seal_renewed") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "that it was tried is on record");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.shut_down().await;
}

/// Waits until the app of before has let go of its directory.
pub(crate) async fn started(home: &std::path::Path) -> App {
    let begun = std::time::Instant::now();
    loop {
        let options = Options { keyring: Keyring::Off, ..Options::default() };
        match App::start(Dirs::under(home), options, Arc::new(Nobody)).await {
            Err(_) if begun.elapsed() < Duration::from_secs(60) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            app => return app.unwrap_or_else(|error| panic!("{}", error.chain())),
        }
    }
}

#[test]
fn fault_e6_every_start_is_one_entry_and_says_its_version() {
    let home = tempfile::tempdir().unwrap();
    for start in 1..=2 {
        // A runtime of its own for each: what an app still has running ends with it, as with its process.
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let app = started(home.path()).await;
            let page = app.audit_page(sallyport_ipc::AuditFilter::default(), None, 100).await.unwrap();
            let starts: Vec<String> =
                page.entries.iter().filter(|e| e.action == "app_started").map(|e| format!("{e:?}")).collect();
            assert_eq!(starts.len(), start, "{starts:?}");
            assert!(starts[0].contains(env!("CARGO_PKG_VERSION")), "{starts:?}");
            app.shut_down().await;
        });
    }
}

/// What a broker sealed for a session that is to be served, at an address where nobody answers.
fn sealed(session: &str) -> (sallyport_policy::SessionPermit, sallyport_gateway::Upstream) {
    let (now, endpoint) = (Timestamp::now().as_second(), "https://127.0.0.1:9/");
    let facts = sallyport_policy::SessionFacts {
        session: SessionId::new(session),
        signed_in: "oidc:ada".parse().unwrap(),
        user: "oidc:ada".parse().unwrap(),
        cluster: "c".parse().unwrap(),
        request: sallyport_model::RequestUid::new("r"),
        scope: sallyport_model::Scope::ClusterWide,
        duration: sallyport_model::Ttl::minutes(60),
        grant: sallyport_model::GrantUid::new("g"),
        recorded_end: now + 600,
        sealed_end: now + 600,
        endpoint: endpoint.to_owned(),
        now,
    };
    let upstream = sallyport_gateway::Upstream {
        cluster: facts.cluster.clone(),
        endpoint: endpoint.parse().unwrap(),
        ca_pem: include_str!("../../tests/data/ca.pem").to_owned(),
        tls_server_name: None,
        token: sallyport_model::Secret::new("t".to_owned()),
        jti: sallyport_model::Jti::new("j"),
        user: facts.user.clone(),
        allow_impersonation: false,
        now,
    };
    (sallyport_policy::admit_session(facts).unwrap(), upstream)
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_c1_nothing_is_served_on_a_port_that_may_be_another_clusters() {
    let home = tempfile::tempdir().unwrap();
    let app = started(home.path()).await;
    let (calls, _received) = mpsc::channel(8);
    let ground = GatewayAndTargets::new(app.0.desk.clone(), app.0.gateway.clone(), calls);
    let db = rusqlite::Connection::open(home.path().join("data/prefs.db")).unwrap();
    let refused = async |what: &str| {
        let (permit, upstream) = sealed(if what.ends_with("read") { "s1" } else { "s2" });
        let Err(error) = ground.serve(&permit, upstream, "https://hub").await else { panic!("{what}") };
        assert!(error.message().contains("was not opened") && error.message().contains(what), "{error}");
        let cut = app.0.gateway.cut(permit.session(), sallyport_gateway::CutReason::Quit).await;
        assert!(cut.is_none(), "{what}: nothing is served any more");
    };
    db.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON cluster_port BEGIN SELECT RAISE(FAIL, 'full'); END",
    )
    .unwrap();
    refused("can't be remembered").await;
    db.execute_batch("DROP TRIGGER full; ALTER TABLE cluster_port RENAME TO gone").unwrap();
    refused("can't be read").await;
    db.execute_batch("ALTER TABLE gone RENAME TO cluster_port").unwrap();
    let (permit, upstream) = sealed("s3");
    ground.serve(&permit, upstream, "https://hub").await.unwrap_or_else(|e| panic!("{}", e.chain()));
    app.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p23_the_window_chooses_among_this_machines_shells_and_names_no_other_program() {
    let home = tempfile::tempdir().unwrap();
    let app = started(home.path()).await;
    let shells = app.settings().await.unwrap().shells;
    let known = shells.first().expect("a machine has a shell").path.to_string();
    app.shell_set(Some(known.clone())).await.unwrap();
    for other in ["/usr/bin/env", "bash", "", "/bin/../bin/sh\n", "/nowhere/sh"] {
        let refused = app.shell_set(Some(other.into())).await.unwrap_err();
        assert_eq!(refused.code(), sallyport_model::ErrorCode::BadInput, "{other}");
    }
    assert_eq!(app.settings().await.unwrap().shell.as_deref(), Some(known.as_str()));
    assert_eq!(app.0.desk.shell().as_deref(), Some(std::path::Path::new(&known)));
    app.shell_set(None).await.unwrap();
    assert_eq!(app.0.desk.shell(), None);
    for (asked, given) in [(16, 16), (0, 9), (255, 24)] {
        app.font_size_set(asked).await.unwrap();
        assert_eq!(app.app_state().await.unwrap().font_size, given);
    }
    let kept = app.settings().await.unwrap().kept;
    assert!(kept.iter().any(|line| line.what == "Session tokens" && line.place.is_none()), "{kept:?}");
    app.shut_down().await;
}

#[test]
fn what_is_told_is_kept_by_the_next_start_and_is_an_entry_and_why_nothing_can_be_shown_is_said() {
    let home = tempfile::tempdir().unwrap();
    let chosen = Notifications { asks: true, requests: false, sessions: true, reasons: true };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let app = started(home.path()).await;
        let first = app.settings().await.unwrap();
        assert!(first.notifications.asks && !first.notifications.reasons, "{:?}", first.notifications);
        let trouble = first.notifications_trouble.expect("nobody's desktop shows any");
        assert!(trouble.contains("on this system"), "{trouble}");
        app.notifications_set(chosen).await.unwrap();
        app.shut_down().await;
    });
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let app = started(home.path()).await;
        assert_eq!(app.settings().await.unwrap().notifications, chosen);
        let page = app.audit_page(sallyport_ipc::AuditFilter::default(), None, 100).await.unwrap();
        let entry = page.entries.iter().find(|e| e.action == "settings_changed").expect("it is an entry");
        assert!(entry.sentence.contains("notifications"), "{}", entry.sentence);
        app.shut_down().await;
    });
}

#[test]
fn how_one_asks_and_pastes_is_kept_by_the_next_start_and_is_an_entry() {
    let home = tempfile::tempdir().unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let app = started(home.path()).await;
        let first = app.app_state().await.unwrap();
        assert_eq!((first.default_seconds, first.paste), (None, PasteAsks::SeveralLines));
        app.default_duration_set(Some(7200)).await.unwrap();
        app.paste_set(PasteAsks::Never).await.unwrap();
        for no_length in [0, 899, 901, 43_260, u32::MAX] {
            let refused = app.default_duration_set(Some(no_length)).await.unwrap_err();
            assert_eq!(refused.code(), sallyport_model::ErrorCode::BadInput, "{no_length}");
        }
        app.shut_down().await;
    });
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let app = started(home.path()).await;
        let kept = app.app_state().await.unwrap();
        assert_eq!((kept.default_seconds, kept.paste), (Some(7200), PasteAsks::Never));
        let page = app.audit_page(sallyport_ipc::AuditFilter::default(), None, 100).await.unwrap();
        let done = |e: &&sallyport_ipc::AuditEntryView| e.outcome == sallyport_ipc::Outcome::Done;
        let said: Vec<_> =
            page.entries.iter().filter(|e| e.action == "settings_changed").filter(done).collect();
        assert!(said.iter().any(|e| e.sentence.contains("default duration")), "{said:?}");
        app.default_duration_set(None).await.unwrap();
        assert_eq!(app.app_state().await.unwrap().default_seconds, None);
        app.shut_down().await;
    });
}
