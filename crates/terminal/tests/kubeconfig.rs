//! The private kubeconfig: private, whole at any moment, and gone in the end.

mod common;

use common::spec;
use sallyport_model::Secret;
use sallyport_terminal::{KubeconfigError, KubeconfigSpec, PrivateKubeconfig, Swept, sweep};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn p2_it_is_its_owners_alone_names_one_cluster_and_goes_with_its_session() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = dir.path().join("run/sallyport");
    let kubeconfig = PrivateKubeconfig::write(&runtime, &spec()).unwrap();
    let path = kubeconfig.path();
    assert_eq!((mode(&path), mode(path.parent().unwrap()), mode(&runtime)), (0o600, 0o700, 0o700));
    let said = json(&path);
    for list in ["clusters", "users", "contexts"] {
        assert_eq!(said[list].as_array().unwrap().len(), 1, "{list}");
    }
    assert_eq!(said["current-context"], "eu-1");
    assert_eq!(said["contexts"][0]["context"]["namespace"], "payments");
    assert_eq!(said["clusters"][0]["cluster"]["server"], "https://127.0.0.1:6443");
    assert_eq!(
        said["users"][0]["user"].as_object().unwrap().len(),
        2,
        "a certificate, its key, and no token"
    );
    // kubectl puts its lock beside it.
    fs::write(path.with_extension("lock"), "").unwrap();
    drop(kubeconfig);
    assert_eq!(fs::read_dir(&runtime).unwrap().count(), 0);
}

#[test]
fn p1_its_key_is_not_in_debug() {
    let dir = tempfile::tempdir().unwrap();
    let kubeconfig = PrivateKubeconfig::write(dir.path(), &spec()).unwrap();
    assert!(!format!("{kubeconfig:?} {:?}", spec()).contains("the client key"));
}

#[test]
fn a_new_port_is_written_in_one_step_to_the_same_place() {
    let dir = tempfile::tempdir().unwrap();
    let kubeconfig = PrivateKubeconfig::write(dir.path(), &spec()).unwrap();
    let path = kubeconfig.path();
    // What a rewrite that was cut short would have left.
    fs::write(path.with_file_name("config.new"), "half").unwrap();
    kubeconfig.rewrite("https://127.0.0.1:7000").unwrap();
    assert_eq!(kubeconfig.path(), path);
    assert_eq!(json(&path)["clusters"][0]["cluster"]["server"], "https://127.0.0.1:7000");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    kubeconfig.remove().unwrap();
    assert!(!path.exists());
}

#[test]
fn fault_c1_p15_it_points_at_a_port_of_this_machine_only() {
    let dir = tempfile::tempdir().unwrap();
    let kubeconfig = PrivateKubeconfig::write(dir.path(), &spec()).unwrap();
    for server in [
        "",
        "http://127.0.0.1:6443",
        "https://127.0.0.1",
        "https://127.0.0.1:0",
        "https://127.0.0.1:99999",
        "https://127.0.0.1:6443@elsewhere",
        "https://127.0.0.1.elsewhere:6443/",
        // Some clients drop a path, others take none.
        "https://127.0.0.1:6443/c/eu-1",
        "https://localhost:6443",
        "https://10.0.0.1:6443",
    ] {
        let wanted = KubeconfigSpec { server: server.into(), ..spec() };
        let refused = PrivateKubeconfig::write(dir.path(), &wanted);
        assert!(matches!(refused, Err(KubeconfigError::NotTheGateway(_))), "{server}");
        assert!(matches!(kubeconfig.rewrite(server), Err(KubeconfigError::NotTheGateway(_))), "{server}");
    }
    assert_eq!(json(&kubeconfig.path())["clusters"][0]["cluster"]["server"], "https://127.0.0.1:6443");
}

#[test]
fn hostile_text_in_it_stays_text() {
    let dir = tempfile::tempdir().unwrap();
    let wanted = KubeconfigSpec {
        user: "x\"}],\n- name: y\u{202e}".into(),
        ca_pem: "\u{0}\"".into(),
        client_key_pem: Secret::new("\"\n".into()),
        namespace: None,
        ..spec()
    };
    let kubeconfig = PrivateKubeconfig::write(dir.path(), &wanted).unwrap();
    let said = json(&kubeconfig.path());
    assert_eq!(said["users"].as_array().unwrap().len(), 1);
    assert_eq!(said["users"][0]["name"], said["contexts"][0]["context"]["user"]);
    assert!(said["contexts"][0]["context"].get("namespace").is_none());
}

#[test]
fn p14_what_a_killed_run_left_is_swept_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, other) = (dir.path().join("run"), dir.path().join("other"));
    assert_eq!(sweep(&runtime).unwrap(), []);
    let left = PrivateKubeconfig::write(&runtime, &spec()).unwrap();
    let path = left.path();
    // As SIGKILL leaves it.
    std::mem::forget(left);
    fs::create_dir_all(runtime.join("t-abc/bin")).unwrap();
    fs::create_dir(&other).unwrap();
    fs::write(other.join("precious"), "x").unwrap();
    symlink(&other, runtime.join("k-link")).unwrap();
    symlink(&other, runtime.join("t-abc/link")).unwrap();
    fs::write(runtime.join("app.sock"), "").unwrap();
    let mut swept = sweep(&runtime).unwrap();
    swept.sort_by_key(|swept| format!("{swept:?}"));
    assert_eq!(
        swept,
        [Swept::Kubeconfig(path.parent().unwrap().to_owned()), Swept::Terminal(runtime.join("t-abc"))]
    );
    assert!(!path.exists() && other.join("precious").exists() && runtime.join("app.sock").exists());
    assert_eq!(sweep(&runtime).unwrap(), []);
}

#[test]
fn a_runtime_directory_that_is_a_link_or_open_to_others_is_not_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let (open, link) = (dir.path().join("open"), dir.path().join("link"));
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    symlink(&open, &link).unwrap();
    assert!(matches!(PrivateKubeconfig::write(&link, &spec()), Err(KubeconfigError::Io { .. })));
    let _kubeconfig = PrivateKubeconfig::write(&open, &spec()).unwrap();
    assert_eq!(mode(&open), 0o700);
}
