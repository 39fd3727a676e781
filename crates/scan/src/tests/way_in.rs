//! How a kubeconfig gets its person in, and that nothing of a credential is kept.

use crate::{Reading, ways_in};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sallyport_kubeconfig::Kubeconfig;
use sallyport_posture::Coverage;
use sallyport_posture::snapshot::{WayIn, WaysIn};
use serde_json::{Value, json};
use std::path::Path;

/// What is said of a kubeconfig of these users, each a context of its own: (name, server, more of the cluster, user).
fn said(dir: &Path, users: &[(&str, &str, Value, Value)], chosen: &str) -> WaysIn {
    let (mut clusters, mut people, mut contexts) = (Vec::new(), Vec::new(), Vec::new());
    for (name, server, more, user) in users {
        let mut cluster = json!({"server": server});
        cluster.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        clusters.push(json!({"name": name, "cluster": cluster}));
        people.push(json!({"name": name, "user": user}));
        contexts.push(json!({"name": name, "context": {"cluster": name, "user": name}}));
    }
    let config = json!({"apiVersion": "v1", "kind": "Config", "clusters": clusters, "users": people, "contexts": contexts});
    let file = dir.join("config");
    std::fs::write(&file, config.to_string()).unwrap();
    let config = Kubeconfig::load(&file).unwrap();
    let entry = config.entry(Some(chosen)).unwrap();
    let own = ways_in(&config, &entry, &[file]);
    // P1: whatever stood there, nothing of it is shown or kept.
    let reading = Reading { ways_in: Some(own.clone()), ..Reading::default() };
    for text in [format!("{own:?}"), reading.to_json().unwrap(), format!("{:?}", reading.snapshot())] {
        assert!(!text.contains("s3cret"), "{text}");
    }
    own
}

fn one(user: Value) -> WayIn {
    let dir = tempfile::tempdir().unwrap();
    said(dir.path(), &[("a", "https://api.example:6443", json!({}), user)], "a").ways.remove(0)
}

fn jwt(claims: &Value) -> String {
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.s3cret", part(json!({"alg": "RS256"}).to_string()), part(claims.to_string()))
}

fn client(group: &str) -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::OrganizationName, group);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[test]
fn p1_a_token_is_told_by_what_it_says_of_itself() {
    let of = |token: &str| one(json!({"token": token})).token.unwrap().found;
    let claims = json!({"iat": 100, "exp": 3700.5, "sub": "system:serviceaccount:ci:robot", "amr": ["pwd", "otp\u{202e}"], "x": "s3cret"});
    let seen = of(&jwt(&claims));
    assert_eq!((seen.jwt, seen.issued, seen.expires, seen.account), (true, Some(100), Some(3700), true));
    assert_eq!(seen.amr, ["pwd", "otp⟨U+202E⟩"]);
    let forever = of(&jwt(&json!({"sub": "ada", "iat": "yesterday", "exp": null})));
    assert_eq!((forever.jwt, forever.issued, forever.expires, forever.account), (true, None, None, false));
    for odd in [
        "s3cret",
        "a.b.c",
        "....",
        "a.!!.c",
        "",
        &jwt(&json!(["s3cret"])),
        &format!("x.{}.y", URL_SAFE_NO_PAD.encode("s3cret")),
    ] {
        let way = one(json!({"token": odd}));
        assert!(way.token.is_none_or(|part| !part.found.jwt && part.found.amr.is_empty()), "{odd}");
    }
}

#[test]
fn p1_a_client_certificate_is_told_without_its_key() {
    let (pem, key) = client("system:masters");
    let data = json!({"client-certificate-data": STANDARD.encode(&pem), "client-key-data": STANDARD.encode(format!("{key}s3cret"))});
    let way = one(data);
    let own = way.certificate.unwrap();
    assert_eq!((own.coverage, own.found.organizations), (Coverage::Read, vec!["system:masters".to_owned()]));
    let broken =
        one(json!({"client-certificate-data": STANDARD.encode("noise s3cret"), "client-key-data": "eA=="}));
    assert!(matches!(broken.certificate.unwrap().coverage, Coverage::Cut(_)));
}

#[test]
fn p5_files_are_read_for_the_chosen_context_alone() {
    let dir = tempfile::tempdir().unwrap();
    let server = "https://api.example";
    std::fs::write(dir.path().join("token"), jwt(&json!({"exp": 5}))).unwrap();
    let file = json!({"tokenFile": "token"});
    let users = [("a", server, json!({}), file.clone()), ("b", server, json!({}), file)];
    let ways = said(dir.path(), &users, "a").ways;
    assert_eq!(ways[0].token.as_ref().unwrap().found.expires, Some(5));
    assert!(
        matches!(&ways[1].token.as_ref().unwrap().coverage, Coverage::Cut(why) if why.contains("chosen context alone"))
    );
    // A pipe would be waited for, and a huge file held.
    for (name, write) in [("none", 0), ("huge", 70_000)] {
        let path = dir.path().join(name);
        if write > 0 {
            std::fs::write(&path, vec![b'x'; write]).unwrap();
        }
        let own =
            said(dir.path(), &[("a", server, json!({}), json!({"tokenFile": name}))], "a").ways.remove(0);
        assert!(matches!(own.token.unwrap().coverage, Coverage::Cut(_)), "{name}");
    }
}

#[test]
fn a_program_is_named_and_never_run() {
    let mark = tempfile::tempdir().unwrap();
    let touched = mark.path().join("ran");
    let way = one(json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "touch",
        "args": [touched.to_str().unwrap(), "--password=s3cret"], "env": [{"name": "TOKEN", "value": "s3cret"}]}}));
    let exec = way.exec.unwrap();
    assert_eq!(
        (exec.command.as_str(), exec.path, exec.env.as_slice(), exec.secret_argument),
        ("touch", false, &["TOKEN".to_owned()][..], true)
    );
    assert!(!touched.exists());
    let way = one(
        json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/true", "args": ["--region=x", "--token="]}}),
    );
    assert!(way.exec.is_some_and(|exec| exec.path && !exec.secret_argument));
}

#[test]
fn addresses_and_what_is_believed_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let of =
        |server: &str, more: Value| said(dir.path(), &[("a", server, more, json!({}))], "a").ways.remove(0);
    let way = of("http://127.0.0.1:8001", json!({}));
    assert!(way.plain && way.loopback && !way.authority && !way.insecure);
    let way = of("https://me:s3cret@api.example", json!({"insecure-skip-tls-verify": true}));
    assert!(way.user_info && way.insecure && !way.loopback && !way.plain);
    let way = of(
        "https://api.example",
        json!({"certificate-authority": "ca.crt", "tls-server-name": "kubernetes"}),
    );
    assert!(way.authority && way.other_name);
    assert!(one(json!({"username": "me", "password": "s3cret"})).basic);
    assert_eq!(
        one(json!({"auth-provider": {"name": "oidc", "config": {"client-secret": "s3cret"}}}))
            .auth_provider
            .as_deref(),
        Some("oidc")
    );
}

#[test]
fn the_same_credential_for_another_cluster_is_told_by_its_context() {
    let dir = tempfile::tempdir().unwrap();
    let (pem, key) = client("devs");
    let own =
        json!({"client-certificate-data": STANDARD.encode(pem), "client-key-data": STANDARD.encode(key)});
    let (prod, test) = ("https://prod.example", "https://test.example");
    let none = json!({});
    let users = [
        ("prod", prod, none.clone(), own.clone()),
        ("prod-again", prod, none.clone(), own.clone()),
        ("test", test, none.clone(), own),
        ("prod-token", prod, none.clone(), json!({"token": "s3cret-1"})),
        ("test-token", test, none.clone(), json!({"token": "s3cret-1"})),
        ("test-other", test, none, json!({"token": "s3cret-2"})),
    ];
    let ways = said(dir.path(), &users, "prod").ways;
    let same: Vec<_> = ways.iter().map(|way| (way.context.as_str(), way.same_as.join(" "))).collect();
    let wanted = [("prod", "test"), ("prod-again", "test"), ("prod-token", "test-token")];
    assert_eq!(same, wanted.map(|(name, others)| (name, others.to_owned())));
}

#[cfg(unix)]
#[test]
fn who_else_can_read_the_file_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let users = [("a", "https://api.example", json!({}), json!({}))];
    let own = said(dir.path(), &users, "a");
    assert!(own.mode.is_some() && !own.in_repository);
    let file = dir.path().join("config");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::fs::create_dir(dir.path().join(".git")).unwrap();
    let config = Kubeconfig::load(&file).unwrap();
    let entry = config.entry(Some("a")).unwrap();
    let own = ways_in(&config, &entry, &[file]);
    assert_eq!((own.mode, own.in_repository), (Some(0o640), true));
}
