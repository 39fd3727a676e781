//! The preferences across starts, and with a damaged file.

use sallyport_model::{ClusterName, RequestUid, Scope, Ttl};
use sallyport_store::{
    AuditSource, AuditStore, Look, Notifications, OpenSession, Opening, PasteAsks, Prefs, Reason, Theme,
};
use std::path::{Path, PathBuf};

fn cluster(name: &str) -> ClusterName {
    name.parse().unwrap()
}

async fn open(dir: &Path) -> Prefs {
    Prefs::open(dir).await.unwrap()
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let opening = Opening {
        profile: "debug-payments".parse().unwrap(),
        scope: Scope::from_list(["payments".parse().unwrap(), "checkout".parse().unwrap()]),
        duration: Ttl::minutes(60),
        at: 7,
    };
    {
        let prefs = open(dir.path()).await;
        assert_eq!(prefs.theme().await.unwrap(), Theme::System);
        for name in ["b", "a", "c", "a"] {
            prefs.pin(cluster(name)).await.unwrap();
        }
        prefs.unpin(cluster("c")).await.unwrap();
        for (at, name) in (1..).zip(["x", "y", "x"]) {
            prefs.visited(cluster(name), at).await.unwrap();
        }
        prefs.remember_opening(cluster("a"), opening.clone()).await.unwrap();
        prefs.remember_reason(Reason { text: "INC-7: a 'quoted' one".into(), at: 1000 }).await.unwrap();
        prefs.set_theme(Theme::Dark).await.unwrap();
        assert_eq!((prefs.font_size().await.unwrap(), prefs.shell().await.unwrap()), (None, None));
        prefs.set_font_size(16).await.unwrap();
        let usual = Notifications { asks: true, requests: true, sessions: true, reasons: false };
        assert_eq!(prefs.notifications().await.unwrap(), usual, "no reason is told unless somebody wants it");
        prefs.set_notifications(Notifications { requests: false, reasons: true, ..usual }).await.unwrap();
        prefs.set_shell(Some("/bin/it's a shell".into())).await.unwrap();
        assert_eq!(
            (prefs.default_duration().await.unwrap(), prefs.paste_asks().await.unwrap()),
            (None, PasteAsks::SeveralLines)
        );
        prefs.set_default_duration(Some(Ttl::minutes(120))).await.unwrap();
        prefs.set_paste_asks(PasteAsks::Never).await.unwrap();
        assert_eq!(prefs.pseudonym_key([1; 32]).await.unwrap(), [1; 32]);
        prefs.keep_cluster_port("https://hub", cluster("a"), "https://a", 40_123, 1).await.unwrap();
        assert!(prefs.sign_in_acr().await.unwrap().is_empty());
        prefs.set_sign_in_acr(&["urn:a".into(), "urn:b".into()]).await.unwrap();
    }
    let prefs = open(dir.path()).await;
    assert_eq!(prefs.sign_in_acr().await.unwrap(), ["urn:a", "urn:b"]);
    prefs.set_sign_in_acr(&[]).await.unwrap();
    assert!(prefs.sign_in_acr().await.unwrap().is_empty());
    assert_eq!(prefs.pins().await.unwrap(), [cluster("b"), cluster("a")]);
    assert_eq!(prefs.recents(9).await.unwrap(), [cluster("x"), cluster("y")]);
    assert_eq!(prefs.last_opening(cluster("a")).await.unwrap(), Some(opening));
    assert_eq!(prefs.last_opening(cluster("b")).await.unwrap(), None);
    assert_eq!(prefs.theme().await.unwrap(), Theme::Dark);
    assert_eq!(prefs.font_size().await.unwrap(), Some(16));
    let chosen = Notifications { asks: true, requests: false, sessions: true, reasons: true };
    assert_eq!(prefs.notifications().await.unwrap(), chosen);
    assert_eq!(prefs.shell().await.unwrap(), Some("/bin/it's a shell".into()));
    assert_eq!(prefs.default_duration().await.unwrap(), Some(Ttl::minutes(120)));
    prefs.set_default_duration(Some(Ttl::minutes(1))).await.unwrap();
    assert_eq!(prefs.default_duration().await.unwrap(), None, "no length of a session");
    assert_eq!(prefs.paste_asks().await.unwrap(), PasteAsks::Never);
    assert_eq!(prefs.pseudonym_key([2; 32]).await.unwrap(), [1; 32], "made once");
    prefs.set_shell(None).await.unwrap();
    assert_eq!(prefs.shell().await.unwrap(), None);
    assert_eq!(prefs.cluster_ports("https://hub", cluster("a"), "https://a").await.unwrap().own, [40_123]);
}

#[tokio::test]
async fn a_reason_is_carried_for_eight_hours() {
    let dir = tempfile::tempdir().unwrap();
    let prefs = open(dir.path()).await;
    assert_eq!(prefs.last_reason(0).await.unwrap(), None);
    prefs.remember_reason(Reason { text: "INC-7".into(), at: 1000 }).await.unwrap();
    assert!(prefs.last_reason(1000).await.unwrap().is_some());
    assert!(prefs.last_reason(1000 + 8 * 3600 - 1).await.unwrap().is_some());
    assert_eq!(prefs.last_reason(1000 + 8 * 3600).await.unwrap(), None);
    assert_eq!(prefs.last_reason(999).await.unwrap(), None);
    prefs.forget_reason().await.unwrap();
    assert_eq!(prefs.last_reason(1000).await.unwrap(), None);
}

#[tokio::test]
async fn p14_a_session_that_was_not_proven_closed_is_found_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let session = |uid: &str, opened_at| OpenSession {
        hub: "https://hub.example/".into(),
        request: RequestUid::new(uid),
        namespace: "team-payments".parse().unwrap(),
        name: "ask-1".into(),
        cluster: cluster("eu-1"),
        kubeconfig: PathBuf::from("/run/user/0/k/config"),
        solo: false,
        end: None,
        opened_at,
    };
    let prefs = open(dir.path()).await;
    prefs.note_session(session("u1", 2)).await.unwrap();
    prefs.note_session(session("u2", 1)).await.unwrap();
    let with_end = OpenSession { end: Some(1_795_500_000), ..session("u1", 2) };
    prefs.note_session(with_end.clone()).await.unwrap();
    drop(prefs);
    let prefs = open(dir.path()).await;
    assert_eq!(prefs.open_sessions().await.unwrap(), [session("u2", 1), with_end.clone()]);
    prefs.forget_session(RequestUid::new("u2")).await.unwrap();
    assert_eq!(prefs.open_sessions().await.unwrap(), [with_end]);
}

#[tokio::test]
async fn rows_that_no_longer_parse_are_not_taken_for_something_wider() {
    let dir = tempfile::tempdir().unwrap();
    let prefs = open(dir.path()).await;
    let opening = Opening {
        profile: "p".parse().unwrap(),
        scope: Scope::from_list(["a".parse().unwrap()]),
        duration: Ttl::minutes(60),
        at: 7,
    };
    prefs.remember_opening(cluster("a"), opening).await.unwrap();
    prefs.pin(cluster("a")).await.unwrap();
    let db = rusqlite::Connection::open(dir.path().join("prefs.db")).unwrap();
    db.execute("INSERT INTO pin VALUES ('Not A Name', 0)", []).unwrap();
    assert_eq!(prefs.pins().await.unwrap(), [cluster("a")]);
    for namespaces in ["[\"../x\"]", "{}", "noise", "[1]"] {
        db.execute("UPDATE opening SET namespaces = ?", [namespaces]).unwrap();
        assert_eq!(prefs.last_opening(cluster("a")).await.unwrap(), None, "{namespaces}");
    }
}

#[tokio::test]
async fn damaged_preferences_are_set_aside_and_told() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("prefs.db"), [7u8; 9000]).unwrap();
    let prefs = open(dir.path()).await;
    let aside = prefs.set_aside().expect("told").to_owned();
    assert_eq!(std::fs::read(dir.path().join(aside)).unwrap(), [7u8; 9000]);
    prefs.pin(cluster("a")).await.unwrap();
    assert_eq!(prefs.pins().await.unwrap(), [cluster("a")]);
}

#[tokio::test]
async fn p2_the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let prefs = open(&data).await;
    prefs.pin(cluster("a")).await.unwrap();
    let history = sallyport_store::History::open(&data, None).await.unwrap();
    for found in std::fs::read_dir(&data).unwrap() {
        let found = found.unwrap();
        assert_eq!(found.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", found.path());
    }
    assert_eq!(data.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    history.close().await.unwrap();
}

#[tokio::test]
async fn fault_c1_a_port_is_one_clusters_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let prefs = open(dir.path()).await;
    let keep = async |hub: &str, name: &str, port, at| {
        prefs.keep_cluster_port(hub, cluster(name), "https://api", port, at).await
    };
    let of = async |hub: &str, name: &str| {
        let ports = prefs.cluster_ports(hub, cluster(name), "https://api").await.unwrap();
        (ports.own, ports.others)
    };
    keep("https://hub", "a", 4001, 1).await.unwrap();
    keep("https://hub", "b", 4002, 2).await.unwrap();
    keep("https://other", "a", 4003, 3).await.unwrap();
    keep("https://hub", "a", 4004, 4).await.unwrap();
    assert_eq!(of("https://hub", "a").await, (vec![4004, 4001], vec![4003, 4002]));
    keep("https://hub", "a", 4001, 5).await.unwrap();
    assert_eq!(of("https://hub", "a").await.0, [4001, 4004], "the one that was used last comes first");
    // Another cluster's port stays its own, whoever says otherwise.
    keep("https://hub", "b", 4001, 6).await.unwrap_err();
    assert_eq!(of("https://hub", "b").await, (vec![4002], vec![4001, 4004, 4003]));
    // Nothing forgets a port, also when the cluster is.
    prefs.unpin(cluster("a")).await.unwrap();
    assert_eq!(of("https://hub", "new").await.1.len(), 4);
    assert!(prefs.keep_cluster_port("https://hub", cluster("a"), "https://api", 0, 7).await.is_err());
}

#[tokio::test]
async fn fault_c1_a_cluster_of_the_same_name_elsewhere_gets_other_ports() {
    let dir = tempfile::tempdir().unwrap();
    let prefs = open(dir.path()).await;
    prefs.keep_cluster_port("https://hub", cluster("a"), "https://old", 4001, 1).await.unwrap();
    // The file is read anew, as after a restart.
    drop(prefs);
    let prefs = open(dir.path()).await;
    let ports = prefs.cluster_ports("https://hub", cluster("a"), "https://new").await.unwrap();
    assert_eq!((ports.own, ports.others), (vec![], vec![4001]));
    prefs.keep_cluster_port("https://hub", cluster("a"), "https://new", 4001, 2).await.unwrap_err();
    let ports = prefs.cluster_ports("https://hub", cluster("a"), "https://old").await.unwrap();
    assert_eq!(ports.own, [4001], "it stays the other's");
}

#[tokio::test]
async fn fault_c1_the_port_all_clusters_shared_is_nobodys() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).await);
    let db = rusqlite::Connection::open(dir.path().join("prefs.db")).unwrap();
    db.execute_batch(
        "DROP TABLE cluster_port; DROP TABLE look; DROP TABLE audit_source; DROP TABLE audit_filter; DROP TABLE audit_store;
         ALTER TABLE setting DROP COLUMN font_size; ALTER TABLE setting DROP COLUMN shell;
         ALTER TABLE setting DROP COLUMN notify_asks; ALTER TABLE setting DROP COLUMN notify_requests;
         ALTER TABLE setting DROP COLUMN notify_sessions; ALTER TABLE setting DROP COLUMN notify_reasons;
         ALTER TABLE setting DROP COLUMN default_seconds; ALTER TABLE setting DROP COLUMN paste;
         ALTER TABLE setting DROP COLUMN pseudonym_key;
         ALTER TABLE setting DROP COLUMN audit_keep_days; ALTER TABLE setting DROP COLUMN audit_keep_bytes;
         UPDATE setting SET gateway_port = 40123; PRAGMA user_version = 2",
    )
    .unwrap();
    drop(db);
    let ports = open(dir.path()).await.cluster_ports("https://hub", cluster("a"), "https://a").await.unwrap();
    assert_eq!((ports.own, ports.others), (vec![], vec![40123]));
}

#[tokio::test]
async fn the_last_look_is_one_persons_at_one_hub_and_replaces_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let look = |digest: &str, at| Look { digest: digest.into(), snapshot: format!("{{\"{digest}\"}}"), at };
    {
        let prefs = open(dir.path()).await;
        assert_eq!(prefs.last_look("https://hub", "oidc:ines").await.unwrap(), None);
        prefs.remember_look("https://hub", "oidc:ines", look("a", 1)).await.unwrap();
        prefs.remember_look("https://hub", "oidc:ines", look("b", 2)).await.unwrap();
        prefs.remember_look("https://hub", "oidc:lee", look("c", 3)).await.unwrap();
    }
    let prefs = open(dir.path()).await;
    assert_eq!(prefs.last_look("https://hub", "oidc:ines").await.unwrap(), Some(look("b", 2)));
    assert_eq!(prefs.last_look("https://hub", "oidc:lee").await.unwrap(), Some(look("c", 3)));
    assert_eq!(prefs.last_look("https://other", "oidc:ines").await.unwrap(), None);
}

#[tokio::test]
async fn sources_and_filters_of_the_audit_view_are_kept_once_each_and_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let source = |id: &str, name: &str, path: &str| AuditSource {
        id: id.to_owned(),
        cluster: cluster(name),
        path: path.into(),
    };
    {
        let prefs = open(dir.path()).await;
        assert!(prefs.add_audit_source(source("b-1", "b", "/logs")).await.unwrap());
        assert!(prefs.add_audit_source(source("a-1", "a", "/logs")).await.unwrap());
        assert!(!prefs.add_audit_source(source("a-2", "a", "/logs")).await.unwrap(), "the same place twice");
        for name in ["z", "a\u{e9}"] {
            assert!(prefs.keep_audit_filter(name.into(), "{}".into(), 2).await.unwrap());
        }
        assert!(!prefs.keep_audit_filter("more".into(), "{}".into(), 2).await.unwrap());
        assert!(prefs.keep_audit_filter("z".into(), "{\"verb\":\"get\"}".into(), 2).await.unwrap());
    }
    let prefs = open(dir.path()).await;
    assert_eq!(
        prefs.audit_sources().await.unwrap(),
        [source("a-1", "a", "/logs"), source("b-1", "b", "/logs")]
    );
    assert!(prefs.remove_audit_source("a-1".into()).await.unwrap());
    assert!(!prefs.remove_audit_source("a-1".into()).await.unwrap());
    let filters = prefs.audit_filters().await.unwrap();
    assert_eq!(filters[1], ("z".to_owned(), "{\"verb\":\"get\"}".to_owned()));
    prefs.forget_audit_filter("z".into()).await.unwrap();
    assert_eq!(prefs.audit_filters().await.unwrap().len(), 1);
}

#[tokio::test]
async fn log_stores_are_kept_once_for_each_cluster_and_hold_no_credential() {
    let dir = tempfile::tempdir().unwrap();
    let prefs = open(dir.path()).await;
    let store = |id: &str, cluster: Option<&str>| AuditStore {
        id: id.to_owned(),
        cluster: cluster.map(|cluster| cluster.parse().unwrap()),
        address: "victorialogs:https://logs.example:9428/".to_owned(),
        tenant: String::new(),
        filter: String::new(),
        credential: Some("/home/dana/token".into()),
        ca: None,
    };
    assert!(prefs.add_audit_store(store("a", None)).await.unwrap());
    assert!(!prefs.add_audit_store(store("b", None)).await.unwrap());
    assert!(prefs.add_audit_store(store("c", Some("payments-eu-1"))).await.unwrap());
    drop(prefs);
    let prefs = open(dir.path()).await;
    assert_eq!(prefs.audit_stores().await.unwrap(), [store("a", None), store("c", Some("payments-eu-1"))]);
    assert!(prefs.remove_audit_store("a".into()).await.unwrap());
    assert!(!prefs.remove_audit_store("a".into()).await.unwrap());
}
