use super::*;
use proptest::prelude::*;

/// Each line: what goes in, and what of it must not come out.
const LEAKS: &[(&str, &str)] = &[
    ("mysql -u root -phunter2 shop", "hunter2"),
    ("mysql --password=hunter2", "hunter2"),
    ("mysql --password=//hunter2", "hunter2"),
    ("X-Auth-Token: //hunter2", "hunter2"),
    ("{\"token\":\"//hunter2\"}", "hunter2"),
    ("psql --password hunter2 --host db", "hunter2"),
    ("PGPASSWORD=hunter2 psql", "hunter2"),
    ("env DB_PASS=hunter2 ./run", "hunter2"),
    ("RABBITMQ_DEFAULT_PASS=hunter2", "hunter2"),
    ("SMTP_PASS: hunter2", "hunter2"),
    ("{\"adminPass\":\"hunter2\"}", "hunter2"),
    ("redis-server --requirepass hunter2", "hunter2"),
    ("API_KEY_ANDROID=hunter2", "hunter2"),
    ("sshpass -p hunter2 ssh x", "hunter2"),
    ("redis-cli -h r -a hunter2 ping", "hunter2"),
    ("curl -u admin:hunter2 https://x", "hunter2"),
    ("curl --user=admin:hunter2 https://x", "hunter2"),
    ("curl https://admin:hunter2@x/y", "hunter2"),
    ("curl -H X-Auth-Token://hunter2 https://x", "hunter2"),
    ("git clone https://hunter2@x/y.git", "hunter2"),
    ("curl https://admin:hun@ter2@x/y", "ter2"),
    ("curl -H 'Authorization: Basic aHVudGVyMg==' x", "aHVudGVyMg"),
    ("curl -H \"authorization: Bearer hunter2\" x", "hunter2"),
    ("curl -H Authorization:hunter2 x", "hunter2"),
    ("Cookie: a=hunter2; b=hunter2", "hunter2"),
    ("Bearer hunter22hunter22", "hunter22"),
    ("{\"password\":\"hunter2 with space\",\"x\":1}", "hunter2"),
    ("{\"password\":\"hunter2 with space\",\"x\":1}", "space"),
    ("{\\\"api_key\\\": \\\"hunter2\\\"}", "hunter2"),
    ("password: 'hunter2 more'", "more"),
    ("curl -d \"password=hunter2 more\" x", "more"),
    ("client-key-data: aHVudGVyMg==", "aHVudGVyMg"),
    ("kubectl --token hunter2 get pods", "hunter2"),
    ("kubectl --token=\"hunter2 x\" get pods", "hunter2 x"),
    ("-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----", "hunter2"),
    ("-----BEGIN PRIVATE KEY-----\nhunter2 and cut", "hunter2"),
    ("see eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2ln now", "eyJ"),
    ("x=eyJhbGciOiJSUzI1NiJ9.eyJzdWIi", "eyJ"),
    ("key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1", "bPxRfiCY"),
    ("id AKIAIOSFODNN7EXAMPLE", "AKIA"),
    ("ghp_abcdefghijklmnopqrstu", "ghp_"),
];

/// What must pass untouched.
const HARMLESS: &[&str] = &[
    "kubectl get pods -n payments -o wide",
    "mkdir -p /var/lib/x && ssh -p 2222 host",
    "find / -path /proc -prune -print",
    "I don't know why it isn't up",
    "/api/v1/namespaces/payments/pods/web-7d4b9c-x2x/log?follow=true&tailLines=100",
    "/api/v1/namespaces/payments/serviceaccounts/default/token",
    "0c1f7b7e-4f52-4b2e-8c57-2f6a7d4b9a11",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "secrets \"db\" is forbidden",
    "PWD=/home/dev ls",
    "OLDPWD=/home/dev ls",
    "kube-apiserver --anonymous-auth=false --secure-port=6443",
    "etcd --client-cert-auth true --name a",
    "pass-through=x compass=y bypass=z author=a authority=b",
    "vault read secret://team/app",
    "--token-file /var/run/t --secret-name db",
    "-----BEGIN CERTIFICATE-----",
    "http://127.0.0.1:8080/x",
    "",
];

#[test]
fn p20_secrets_in_text_are_taken_out_and_counted() {
    for (input, secret) in LEAKS {
        let clean = text(input);
        assert!(!clean.text.contains(secret), "{input} → {}", clean.text);
        assert!(clean.count > 0, "{input}");
        assert_eq!(text(&clean.text).count, 0, "counted twice: {input} → {}", clean.text);
    }
}

#[test]
fn p20_what_is_no_secret_stays_as_it_is() {
    for input in HARMLESS {
        assert_eq!(text(input), Redacted { text: (*input).to_owned(), count: 0 });
        assert_eq!(url(input).text, *input);
    }
}

#[test]
fn p20_a_key_is_read_by_its_words() {
    for secret in [
        "RABBITMQ_DEFAULT_PASS",
        "SMTP_PASS",
        "MYSQL_PASS",
        "DB_PWD",
        "MYSQL_PWD",
        "REDIS_AUTH",
        "bind_pw",
        "bindPW",
        "bindpw",
        "adminPass",
        "dbPASS",
        "DBPass",
        "DB_PASS_2",
        "dbPass1",
        "smtp.pass",
        "smtp-passwd",
        "--key-passphrase",
        "requirepass",
        "masterauth",
        "basic-auth",
        "API_KEY_ANDROID",
        "SECRET_KEY_PARAMS",
        "TOKEN_ZMS",
        "x~1my-pass",
        "pass",
        "PWD",
    ] {
        assert!(is_sensitive(secret), "{secret}");
    }
    let long = format!("{}_PASSWORD", "A".repeat(300));
    assert!(is_sensitive(&long));
    for harmless in [
        "pass-through",
        "passthrough",
        "compass",
        "bypass",
        "BYPASS",
        "authority",
        "author",
        "auth-type",
        "oauth",
        "passenger",
        "DB_PASS_FILE",
        "AWS_ACCESS_KEY_ID",
        "accessKeyID",
        "accessKeyId",
        "secretName",
        "secretNames",
        "secretKeyRef",
        "token_ttl",
        "tokenExpirationSeconds",
        "token-file",
        "secret.type",
        "API_KEY_ID_2",
        "name",
        "",
        "_",
        "2",
    ] {
        assert!(!is_sensitive(harmless), "{harmless}");
    }
}

#[test]
fn p20_exec_arguments_in_a_url_are_read_together() {
    let exec =
        "/api/v1/namespaces/a/pods/b/exec?command=mysql&command=--password&command=hunter2%2F%2B&stdin=true";
    let clean = url(exec);
    assert_eq!(
        clean.text,
        "/api/v1/namespaces/a/pods/b/exec?command=mysql&command=--password&command=[redacted]&stdin=true"
    );
    assert_eq!(clean.count, 1);
    for (exec, secret) in [
        ("/exec?command=sh&command=-c&command=mysql+-phunter2+-e+%27select+1%27", "hunter2"),
        ("/exec?c%6fmmand=mysql&command=-phunter2", "hunter2"),
        ("/exec?command=curl&command=-H&command=Authorization%3A%20Bearer%20hunter2", "hunter2"),
        ("/exec?command=env&command=X_TOKEN%3Dhunter2", "hunter2"),
        ("/proxy/x?access_token=hunter2&a=b", "hunter2"),
        ("/proxy/x?pass%77ord=hunter2", "hunter2"),
        ("/proxy/x?eyJhbGciOiJSUzI1NiJ9.eyJzdWIi", "eyJ"),
        ("https://u:hunter2@h/x?y=z", "hunter2"),
        ("/exec?command=echo&command=eyJhbGciOiJSUzI1NiJ9.eyJz%64WIi", "eyJ"),
    ] {
        let clean = url(exec);
        assert!(!clean.text.contains(secret), "{exec} → {}", clean.text);
        assert_eq!(clean.count, 1, "{exec} → {}", clean.text);
    }
}

/// A hostile address of some hundred kilobytes must not keep whoever reads a log.
#[test]
fn a_long_path_takes_no_square_of_its_length() {
    let token = "aB3".repeat(20);
    for word in ["/long", "/a1", "-x_"] {
        let path = word.repeat(300_000 / word.len());
        let began = std::time::Instant::now();
        assert_eq!(text(&path).text, path);
        // It took minutes.
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{word}: {:?}", began.elapsed());
        let clean = text(&format!("{path} {token} {path}"));
        assert!(clean.count == 1 && !clean.text.contains(&token), "{word}");
    }
}

proptest! {
    #[test]
    fn p20_a_password_never_survives_its_flag(secret in "[A-Za-z0-9!@#%^*()+,./<>]{8,30}", n in 0usize..6) {
        let line = match n {
            0 => format!("mysql --password={secret} x"),
            1 => format!("tool --api-key {secret} x"),
            2 => format!("X_SECRET={secret} tool"),
            3 => format!("{{\"token\": \"{secret}\"}}"),
            4 => format!("Authorization: Basic {secret}"),
            _ => format!("curl -H \"X-Auth-Token: {secret}\" x"),
        };
        let clean = text(&line);
        prop_assert!(!clean.text.contains(&secret), "{} → {}", line, clean.text);
    }

    #[test]
    fn no_text_panics(input in "(?s).{0,200}") {
        text(&input);
        url(&input);
        args(&[input.clone(), input]);
    }

    #[test]
    fn nothing_that_looks_like_a_command_panics(input in "[-=:'\"\\\\ a-zé/?&%+@pu]{0,60}") {
        let clean = text(&input);
        url(&input);
        prop_assert!(clean.count == 0 || clean.text.contains(REDACTED));
    }
}
