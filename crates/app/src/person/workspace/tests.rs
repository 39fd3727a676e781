use super::*;
use serde_json::{Value, json};

const CA: &str = include_str!("../../../tests/data/ca.pem");
const OTHER_CA: &str = include_str!("../../../tests/data/other-ca.pem");

fn file() -> Value {
    json!({
        "apiVersion": API_VERSION, "name": "Platform team",
        "hub": {"url": "https://hub.example.test:6443", "ca": CA},
        "oidc": {"issuer": "https://id.example.test", "clientId": "sallyport-hub", "scopes": ["email"]}
    })
}

fn with(pointer: &str, value: Value) -> String {
    let mut file = file();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    file.pointer_mut(parent).unwrap()[key] = value;
    file.to_string()
}

fn refused(text: &str) -> String {
    let error = Workspace::parse(text).unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadInput);
    error.message().to_owned()
}

#[test]
fn a_good_file_is_read_and_shows_host_and_fingerprint() {
    let workspace = Workspace::parse(&file().to_string()).unwrap();
    assert_eq!(workspace.hub_host(), "hub.example.test:6443");
    assert_eq!(workspace.hub_fingerprint().len(), 95);
}

#[test]
fn attack_2_a_certificate_beside_the_known_one_changes_the_fingerprint() {
    let alone = Workspace::parse(&file().to_string()).unwrap().hub_fingerprint();
    let both = |one: &str, two: &str| {
        Workspace::parse(&with("/hub/ca", json!(format!("{one}{two}")))).unwrap().hub_fingerprint()
    };
    assert_ne!(both(CA, OTHER_CA), alone);
    assert!(both(CA, OTHER_CA).contains(&alone));
    assert_eq!(both(CA, OTHER_CA), both(OTHER_CA, CA));
    assert_eq!(both(CA, CA), alone);
}

#[test]
fn each_bad_file_says_what_is_wrong_with_it() {
    assert!(refused("").contains("not a workspace file"));
    assert!(refused("{\"apiVersion\": 7}").contains("not a workspace file"));
    assert!(refused(&"x".repeat(MAX_BYTES + 1)).contains("larger than 64 KiB"));
    assert!(refused(&with("/hub/url", json!("http://hub.example.test"))).contains("not https"));
    assert!(refused(&with("/oidc/issuer", json!("http://id.example.test"))).contains("not https"));
    assert!(refused(&with("/hub/url", json!("https://u:p@hub.example.test"))).contains("credentials"));
    assert!(refused(&with("/hub/url", json!("https://hub.example.test/?a=b"))).contains("plain address"));
    assert!(refused(&with("/hub/ca", json!("nonsense"))).contains("not a PEM certificate"));
    assert!(refused(&with("/apiVersion", json!("v9\u{202e}"))).contains("⟨U+202E⟩"));
    assert!(refused(&with("/name", json!("x".repeat(10_000)))).contains("too long"));
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert!(refused(&with("/hub/ca", json!(key))).contains("PRIVATE KEY"));
    let mut odd = file();
    odd["oidc"]["redirectPort"] = json!(8400);
    assert!(refused(&odd.to_string()).contains("unknown field"));
    let mut extra = file();
    extra["clientSecret"] = json!("s");
    assert!(refused(&extra.to_string()).contains("unknown field"));
}

#[test]
fn fault_c7_a_ca_that_can_not_be_used_is_named_when_the_team_is_joined() {
    let noise = "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n";
    for (ca, why) in [
        (String::new(), "not a PEM certificate"),
        ("words".into(), "not a PEM certificate"),
        (noise.into(), "block 1 is not a PEM certificate"),
        (format!("{CA}{noise}"), "block 2 is not a PEM certificate"),
        (format!("{CA}-----BEGIN CERTIFICATE-----\nMIIB\n"), "block 2 is not a PEM certificate"),
        (CA.repeat(200), "larger than 64 KiB"),
    ] {
        let said = refused(&with("/hub/ca", json!(ca)));
        assert!(said.contains(why), "{why}: {said}");
        if why.contains("block") {
            assert!(refused(&with("/oidc/ca", json!(ca))).contains(why), "the provider's ca");
        }
    }
    let spoken = format!("# our authority\n{CA}\nwords between\n{OTHER_CA}");
    assert_eq!(
        Workspace::parse(&with("/hub/ca", json!(spoken))).unwrap().hub_fingerprint().len(),
        95 * 2 + 3
    );
}

#[test]
fn fault_c7_attack_2_no_certificate_is_believed_that_was_not_shown() {
    let alone = Workspace::parse(&file().to_string()).unwrap().hub_fingerprint();
    // Each of these is a comment to one reader of PEM or another.
    for hidden in [
        format!("{CA}# {OTHER_CA}"),
        format!("{CA} {OTHER_CA}"),
        format!("{CA}\r{OTHER_CA}"),
        format!("# {OTHER_CA}{CA}"),
        format!("-----BEGIN CERTIFICATE-----\n{OTHER_CA}{CA}"),
        format!("-----BEGIN X-----\n{OTHER_CA}-----END X-----\n{CA}"),
    ] {
        let Ok(read) = Workspace::parse(&with("/hub/ca", json!(hidden))) else { continue };
        let believed = sallyport_client::Authorities::parse(&read.hub.ca).unwrap().certificates().len();
        assert_eq!(read.hub_fingerprint().split(" + ").count(), believed, "{hidden}");
        assert!(believed > 1 || read.hub_fingerprint() == alone, "another authority than the one shown");
    }
}

#[test]
fn p4_a_second_hub_for_a_known_issuer_and_client_is_refused_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let workspaces = Workspaces::new(dir.path());
    let first = Workspace::parse(&file().to_string()).unwrap();
    workspaces.join(&first).unwrap();
    for text in [with("/hub/url", json!("https://evil.example.test")), with("/hub/ca", json!(OTHER_CA))] {
        let error = workspaces.join(&Workspace::parse(&text).unwrap()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Forbidden);
        assert_eq!(workspaces.current().unwrap().unwrap(), first);
    }
    // Another client id is another audience, and so another hub's business.
    let mut other = file();
    other["oidc"]["clientId"] = json!("sallyport-other");
    other["hub"]["url"] = json!("https://other.example.test");
    workspaces.join(&Workspace::parse(&other.to_string()).unwrap()).unwrap();
    // The first hub stays known though it is no longer the current one.
    assert!(
        workspaces
            .join(&Workspace::parse(&with("/hub/url", json!("https://evil.example.test"))).unwrap())
            .is_err()
    );
}

#[test]
fn a_damaged_list_of_known_hubs_lets_nobody_in() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("known-hubs.json"), "[{]").unwrap();
    let error =
        Workspaces::new(dir.path()).join(&Workspace::parse(&file().to_string()).unwrap()).unwrap_err();
    assert!(error.message().contains("damaged"));
    assert!(!dir.path().join("workspace.json").exists());
}

fn with_oidc(field: &str, value: Value) -> String {
    let mut file = file();
    file["oidc"][field] = value;
    file.to_string()
}

#[test]
fn fault_b3_b6_what_other_providers_need_is_read_bounded_and_optional() {
    let plain = Workspace::parse(&file().to_string()).unwrap();
    assert_eq!(plain.oidc.redirect(), sallyport_oidc::Redirect::default());
    let stored = serde_json::to_value(&plain).unwrap();
    assert!(stored["oidc"].get("redirectHost").is_none(), "what is not said is not written");
    let workspace = Workspace::parse(&with_oidc("redirectPorts", json!([8400, 65535]))).unwrap();
    assert_eq!(workspace.oidc.redirect().ports, [8400, 65535]);
    for (field, value, word) in [
        ("redirectPorts", json!([1023]), "1024"),
        ("redirectPorts", json!([65536]), "not a workspace file"),
        ("redirectPorts", json!([0]), "1024"),
        ("redirectPorts", json!(vec![8400; MOST_PORTS + 1]), "more than 8"),
        ("redirectPorts", json!(8400), "not a workspace file"),
        ("redirectHost", json!("evil.example"), "not a workspace file"),
        ("redirectHost", json!("[::1]"), "not a workspace file"),
        ("clientSecret", json!(""), "client secret"),
        ("clientSecret", json!("x".repeat(513)), "client secret"),
        ("clientSecret", json!("a b"), "client secret"),
        ("extraAudiences", json!([""]), "extra audiences"),
        ("extraAudiences", json!(vec!["a"; MOST_AUDIENCES + 1]), "extra audiences"),
    ] {
        let said = refused(&with_oidc(field, value.clone()));
        assert!(said.contains(word), "{field} {value}: {said}");
    }
    for (field, value) in [
        ("redirectHost", json!("localhost")),
        ("redirectHost", json!("127.0.0.1")),
        ("clientSecret", json!("GOCSPX-public")),
        ("extraAudiences", json!(["287615471872"])),
    ] {
        let workspace = Workspace::parse(&with_oidc(field, value)).unwrap();
        let again = serde_json::to_string(&workspace).unwrap();
        assert_eq!(Workspace::parse(&again).unwrap(), workspace);
    }
}

#[test]
fn fault_b1_a_known_client_id_at_another_issuer_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let workspaces = Workspaces::new(dir.path());
    workspaces.join(&Workspace::parse(&file().to_string()).unwrap()).unwrap();
    let mut rogue = file();
    rogue["oidc"]["issuer"] = json!("https://evil.example.test");
    rogue["hub"]["url"] = json!("https://evil-hub.example.test");
    let error = workspaces.join(&Workspace::parse(&rogue.to_string()).unwrap()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Forbidden);
    assert!(
        error.message().contains("evil.example.test") && error.message().contains("https://id.example.test")
    );
    rogue["oidc"]["clientId"] = json!("another");
    workspaces.join(&Workspace::parse(&rogue.to_string()).unwrap()).unwrap();
}

#[test]
fn fault_b1_a_known_client_id_in_other_letters_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let workspaces = Workspaces::new(dir.path());
    workspaces.join(&Workspace::parse(&file().to_string()).unwrap()).unwrap();
    let mut rogue = file();
    let shouted = rogue["oidc"]["clientId"].as_str().unwrap().to_ascii_uppercase();
    assert_ne!(rogue["oidc"]["clientId"], json!(shouted));
    rogue["oidc"]["clientId"] = json!(shouted);
    rogue["hub"]["url"] = json!("https://evil-hub.example.test");
    let error = workspaces.join(&Workspace::parse(&rogue.to_string()).unwrap()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Forbidden, "the same issuer, another hub");
    rogue["oidc"]["issuer"] = json!("https://evil.example.test");
    let error = workspaces.join(&Workspace::parse(&rogue.to_string()).unwrap()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Forbidden, "another issuer");
}

#[test]
fn fault_b9_who_signed_in_last_is_remembered_for_each_issuer() {
    let dir = tempfile::tempdir().unwrap();
    let workspaces = Workspaces::new(dir.path());
    let workspace = Workspace::parse(&file().to_string()).unwrap();
    assert!(workspaces.last_person(&workspace).is_none());
    for (subject, person) in [("1", "Ana <ana@x>"), ("2", "Ben <ben@x>")] {
        workspaces.remember_person(&workspace, subject, person).unwrap();
        let last = workspaces.last_person(&workspace).unwrap();
        assert_eq!((last.subject.as_str(), last.person.as_str()), (subject, person));
    }
    let elsewhere = Workspace::parse(&with_oidc("clientId", json!("another"))).unwrap();
    assert!(workspaces.last_person(&elsewhere).is_none());
    fs::write(dir.path().join("last-people.json"), "{").unwrap();
    assert!(workspaces.last_person(&workspace).is_none());
}
