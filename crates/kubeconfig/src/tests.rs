use crate::{Fault, Kept, Kubeconfig, Method, Refused, SignIn};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const FILE: &str = "/home/alice/.kube/config";

fn read(text: &str) -> Kubeconfig {
    Kubeconfig::parse(text, Path::new(FILE)).unwrap()
}

fn fault(text: &str) -> Fault {
    Kubeconfig::parse(text, Path::new(FILE)).unwrap_err().fault
}

/// One context, with this user.
fn with_user(user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
         clusters: [{{name: c, cluster: {{server: 'https://api.example'}}}}]\n\
         contexts: [{{name: here, context: {{cluster: c, user: u, namespace: payments}}}}]\n\
         users: [{{name: u, user: {user}}}]\n"
    )
}

fn refused(user: &str) -> Refused {
    read(&with_user(user)).entry(None).unwrap().user.unwrap().sign_in().unwrap_err()
}

#[test]
fn a_context_leads_to_its_cluster_and_user() {
    let data = STANDARD.encode("-----BEGIN CERTIFICATE-----");
    let text = format!(
        "{{\"kind\": \"Config\", \"current-context\": \"a\", \"preferences\": {{\"colors\": true}},\
          \"clusters\": [{{\"name\": \"c\", \"cluster\": {{\"server\": \"https://1.2.3.4:6443\",\
            \"certificate-authority-data\": \"{data}\", \"tls-server-name\": \"api\", \"extensions\": [{{}}]}}}}],\
          \"contexts\": [{{\"name\": \"a\", \"context\": {{\"cluster\": \"c\", \"user\": \"u\"}}}},\
            {{\"name\": \"nobody\", \"context\": {{\"cluster\": \"c\"}}}}],\
          \"users\": [{{\"name\": \"u\", \"user\": {{\"client-certificate-data\": \"{data}\",\
            \"client-key\": \"keys/u.pem\", \"unheard-of\": 3}}}}]}}"
    );
    let config = read(&text);
    let entry = config.entry(None).unwrap();
    assert_eq!((entry.context, entry.cluster_name, entry.user_name), ("a", "c", "u"));
    assert_eq!(entry.cluster.server, "https://1.2.3.4:6443");
    assert_eq!(entry.cluster.tls_server_name.as_deref(), Some("api"));
    let authority = entry.cluster.authority.as_ref().unwrap().read().unwrap();
    assert_eq!(authority.expose(), "-----BEGIN CERTIFICATE-----");
    let user = entry.user.unwrap();
    assert_eq!(user.methods(), [Method::Certificate]);
    let Ok(SignIn::Certificate { key: Kept::File(key), .. }) = user.sign_in() else { panic!("{user:?}") };
    assert_eq!(key, Path::new("/home/alice/.kube/keys/u.pem"), "relative to the kubeconfig");
    assert!(config.entry(Some("nobody")).unwrap().user.is_none());
}

#[test]
fn p5_what_would_run_is_told_and_refused() {
    let user =
        "{token: t, exec: {command: ./bin/login, args: [--region, eu], env: [{name: KEY, value: s3cret}]}}";
    assert_eq!(refused(user), Refused::Exec { command: "/home/alice/.kube/./bin/login".to_owned(), args: 2 });
    let config = read(&with_user(user));
    let exec = config.entry(None).unwrap().user.unwrap().exec.clone().unwrap();
    assert_eq!((exec.args, exec.env), (vec!["--region".to_owned(), "eu".to_owned()], vec!["KEY".to_owned()]));
    assert!(refused(user).to_string().contains("solo mode"));
    // A bare name is one of PATH's, and stays bare.
    assert!(matches!(refused("{exec: {command: aws}}"), Refused::Exec { command, .. } if command == "aws"));
    assert_eq!(refused("{auth-provider: {name: gcp}}"), Refused::AuthProvider("gcp".to_owned()));
    assert_eq!(refused("{username: a, password: b}"), Refused::Basic);
    assert_eq!(refused("{as: root, token: t}"), Refused::ActsAs("root".to_owned()));
    assert!(matches!(refused("{as-groups: [admins], token: t}"), Refused::ActsAs(_)));
    assert_eq!(refused("{client-key: k.pem}"), Refused::Half("client-key"));
}

#[test]
fn of_several_ways_the_one_counts_that_kubectl_and_the_server_would_take() {
    let sign_in =
        |user: &str| format!("{:?}", read(&with_user(user)).entry(None).unwrap().user.unwrap().sign_in());
    assert!(sign_in("{token: t, tokenFile: f}").contains("TokenFile(\"/home/alice/.kube/f\")"));
    assert!(sign_in("{token: t, client-certificate: c, client-key: k}").contains("Certificate"));
    assert!(sign_in("{token: t, username: u}").contains("Token("));
    assert!(sign_in("{token: no}").contains("Token("), "no is a word");
    assert!(sign_in("{}").contains("Anonymous"));
    assert!(sign_in("").contains("Anonymous"));
}

#[test]
fn p1_no_secret_is_shown_by_debug_or_by_an_error() {
    let users = [
        "{token: eyJhbGci, password: eyJhbGci}",
        "{client-key-data: eyJhbGci}",
        "{client-key-data: [eyJhbGci]}",
        "{token: {eyJhbGci: 1}}",
        "{token: \"eyJhbGci\n  - : [}",
        "{token: eyJhbGci, token: eyJhbGci}",
        "[eyJhbGci]",
        "eyJhbGci",
        "!!int eyJhbGci",
        "{insecure: *eyJhbGci}",
        "{exec: {command: x, args: [--password=eyJhbGci]}}",
        "{exec: {command: x, env: [{name: n, value: eyJhbGci}]}}",
    ];
    for user in users {
        let shown = match Kubeconfig::parse(&with_user(user), Path::new(FILE)) {
            Ok(config) => format!("{config:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!shown.contains("eyJ"), "{user}: {shown}");
    }
}

#[test]
fn p1_user_info_in_an_address_is_not_shown() {
    let text = "clusters: [{name: c, cluster: {server: 'https://me:s3cret@api', proxy-url: 'http://me:s3cret@proxy'}}]\n\
                contexts: [{name: a, context: {cluster: c}}]\ncurrent-context: a";
    let config = read(text);
    assert!(!format!("{config:?}").contains("s3cret"), "{config:?}");
    assert!(config.entry(None).unwrap().cluster.has_user_info());
}

#[test]
fn the_first_of_several_files_wins_name_by_name() {
    let first = with_user("{token: first}");
    let second =
        with_user("{token: second}").replace("name: here", "name: there").replace("here\n", "there\n");
    let dir = tempfile::tempdir().unwrap();
    let files = ["one", "two"].map(|name| dir.path().join(name));
    std::fs::write(&files[0], first).unwrap();
    std::fs::write(&files[1], second).unwrap();
    let all = Kubeconfig::load_all(files.iter().map(PathBuf::as_path)).unwrap();
    assert_eq!(all.contexts().collect::<Vec<_>>(), ["here", "there"]);
    assert_eq!(all.current(), Some("here"));
    let user = all.entry(Some("there")).unwrap().user.unwrap();
    assert!(matches!(user.sign_in(), Ok(SignIn::Token(token)) if token.expose() == "first"));
    let missing = dir.path().join("three");
    let error = Kubeconfig::load_all([files[0].as_path(), missing.as_path()]).unwrap_err().to_string();
    assert!(error.contains("three: it can't be read"), "{error}");
}

#[test]
fn hostile_files_are_refused_with_the_place() {
    assert_eq!(fault("a: [1, 2\nb"), Fault::NotYaml(Some((1, 4))));
    assert!(matches!(fault("\u{0}"), Fault::NotYaml(_)));
    assert_eq!(fault("kind: Pod\nclusters: []"), Fault::OtherKind);
    assert_eq!(fault("hello: there"), Fault::OtherKind);
    assert_eq!(fault(""), Fault::OtherKind);
    assert_eq!(fault("- 1"), Fault::Type { field: "the file".to_owned(), wanted: "an object" });
    let field = |text: &str| match fault(text) {
        Fault::Type { field, wanted } => format!("{field}: {wanted}"),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(field("users: 3"), "users: a list");
    assert_eq!(field("users: [{user: {}}]"), "users[0].name: a name");
    assert_eq!(field("users: [{name: [u]}]"), "users[0].name: a text");
    assert_eq!(field("users: [{name: u, user: {token: 7}}]"), "users[u].user.token: a text");
    assert_eq!(field("clusters: [{name: c, cluster: {server: []}}]"), "clusters[c].cluster.server: a text");
    let insecure = "clusters: [{name: c, cluster: {insecure-skip-tls-verify: 'no'}}]";
    assert_eq!(field(insecure), "clusters[c].cluster.insecure-skip-tls-verify: true or false");
    assert_eq!(fault("users: [{name: u}, {name: u}]"), Fault::Twice { list: "users", name: "u".to_owned() });
    assert_eq!(
        fault("users: [{name: u, user: {client-key-data: '%%'}}]"),
        Fault::NotBase64("users[u].user.client-key-data".to_owned())
    );
}

#[test]
fn bombs_and_heaps_cost_little() {
    let begun = std::time::Instant::now();
    let bomb =
        "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\nusers: [*c,*c]";
    assert_eq!(fault(bomb), Fault::Unreasonable);
    assert_eq!(fault("kind: Config\nusers: &u [*u]"), Fault::Unreasonable, "a cycle");
    assert_eq!(fault("kind: Config\nx: {<<: {a: 1}}"), Fault::Unreasonable);
    let deep = fault(&format!("users: {}", "[".repeat(100_000)));
    assert!(matches!(deep, Fault::Unreasonable | Fault::NotYaml(_)), "{deep:?}");
    assert_eq!(fault(&"x".repeat(10 << 20)), Fault::Large(10 * 1024));
    let many = format!("users:\n{}", "- {}\n".repeat(600_000));
    assert!(matches!(fault(&many), Fault::Unreasonable | Fault::Type { .. }));
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}

#[test]
fn a_context_that_is_not_there_is_told_with_those_that_are() {
    let config = read(&with_user("{}"));
    let error = config.entry(Some("prod\u{202e}")).unwrap_err().to_string();
    assert_eq!(error, format!("{FILE}: it has no context prod⟨U+202E⟩; it has here"));
    let none = read("contexts: [{name: b, context: {cluster: gone}}]");
    assert!(none.entry(None).unwrap_err().to_string().ends_with("name one of its contexts: b"));
    let dangling = none.entry(Some("b")).unwrap_err().to_string();
    assert!(
        dangling.ends_with("context b names the cluster gone, and there is none of that name"),
        "{dangling}"
    );
}

#[test]
fn only_a_plain_file_of_a_sane_size_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.pem");
    let error = |path: &Path| Kept::File(path.to_owned()).read().unwrap_err();
    assert!(error(&path).contains("ca.pem can't be read"), "{}", error(&path));
    std::fs::write(&path, "pem").unwrap();
    assert_eq!(Kept::File(path.clone()).read().unwrap().expose(), "pem");
    std::fs::write(&path, vec![b'x'; (1 << 20) + 1]).unwrap();
    assert!(error(&path).ends_with("is larger than 1 MiB"));
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(error(&path).ends_with("holds no text"));
    assert!(error(dir.path()).ends_with("is no plain file"));
    assert!(error(Path::new("/dev/zero")).ends_with("is no plain file"));
}

/// What may stand behind a field of a user: what belongs there, and what does not.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!("eyJhbGci")),
        Just(json!("ZXlKaGJHY2k=")),
        Just(json!(null)),
        Just(json!(true)),
        any::<i64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(|text| json!(text)),
    ];
    let names = prop_oneof![
        Just("name".to_owned()),
        Just("value".to_owned()),
        Just("eyJhbGci".to_owned()),
        "[a-z]{1,4}"
    ];
    leaf.prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn p1_whatever_stands_in_a_users_fields_nothing_shows_it(
        fields in prop::collection::btree_map(
            prop::sample::select(vec![
                "token", "password", "username", "client-key-data", "client-certificate-data", "exec", "unheard-of",
            ]),
            anything(),
            0..5,
        ),
    ) {
        let text = json!({"users": [{"name": "u", "user": fields}], "contexts": [{"name": "c", "context": {"user": "u"}}]});
        let shown = match Kubeconfig::parse(&text.to_string(), Path::new(FILE)) {
            Ok(config) => format!("{config:?} {:?}", config.users.get("u").map(|user| user.sign_in().map(|_| ()))),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.contains("eyJ"), "{shown}");
    }

    #[test]
    fn no_text_ends_the_program(text in "(?s).{0,200}|[-: \\[\\]{}&*!|>'\"%@`a-c\n]{0,60}") {
        let _ = Kubeconfig::parse(&text, Path::new(FILE));
    }
}
