use super::api::{Answer, answer, bounds, endless, hasty, read, says};
use crate::{Bounds, Reading};
use bytes::Bytes;
use sallyport_posture::Coverage;
use sallyport_posture::snapshot::Part;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn cut<T>(part: &Part<T>) -> String {
    match &part.coverage {
        Coverage::Cut(why) => why.clone(),
        other => panic!("{other:?} is no cut"),
    }
}

/// A reading where one path is answered so.
async fn at(path: &'static str, say: impl Fn() -> Answer + Send + Sync + 'static) -> Reading {
    read(move |asked| (asked == path || asked.starts_with(&format!("{path}?"))).then(&say)).await
}

#[tokio::test]
async fn p21_what_is_forbidden_or_not_served_says_so_and_which_right_it_takes() {
    for (path, right) in [
        ("/metrics", "get /metrics"),
        ("/flagz", "get /flagz"),
        ("/readyz", "get /readyz"),
        ("/openid/v1/jwks", "get /openid/v1/jwks"),
    ] {
        let told = at(path, || answer(403, "{}")).await.told;
        let of = |coverage: &Coverage| *coverage == Coverage::Forbidden(right.to_owned());
        let forbidden = [
            of(&told.metrics.coverage),
            of(&told.flags.coverage),
            of(&told.ready.coverage),
            of(&told.keys.coverage),
        ];
        assert_eq!(forbidden.iter().filter(|one| **one).count(), 1, "{path}");
    }
    let told = read(|_| None).await.told;
    assert_eq!((told.flags.coverage, told.metrics.coverage), (Coverage::NotServed, Coverage::NotServed));
    assert_eq!(
        at("/flagz", || answer(406, "{}")).await.told.flags.coverage,
        Coverage::Cut("this version tells its flags to people alone".to_owned())
    );
}

#[tokio::test]
async fn five_hundred_megabytes_of_metrics_are_cut_and_hold_nothing_up() {
    let line = "other_total{a=\"b\"} 1\n".repeat(3000);
    let begun = Instant::now();
    let heavy = move |asked: &str| {
        asked.starts_with("/metrics?").then(|| endless(Bytes::from(line.clone()), Duration::ZERO))
    };
    let told = read(heavy).await.told;
    assert!(
        cut(&told.metrics).contains("larger than what a scan takes in")
            || cut(&told.metrics).contains("in time")
    );
    assert!(told.metrics.found.is_empty());
    let drip = super::api::client(|asked: &str| {
        asked.starts_with("/metrics?").then(|| endless(Bytes::from_static(b"a"), Duration::from_millis(20)))
    });
    let drip = crate::cluster(&drip, &hasty()).await.unwrap().told;
    assert_eq!(cut(&drip.metrics), "the API server did not answer in time");
    assert!(begun.elapsed() < Duration::from_secs(50), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn p21_answers_that_are_not_what_they_say_are_none() {
    for body in [
        "",
        "<html>",
        "[]",
        "null",
        "{\"kind\":\"Flagz\"}",
        "{\"kind\":\"Flagz\",\"flags\":{}}",
        "{\"kind\":\"Status\",\"flags\":{\"authorization-mode\":\"x\"}}",
    ] {
        let told = at("/flagz", move || answer(200, body)).await.told;
        assert!(!cut(&told.flags).is_empty() && told.flags.found.is_empty(), "{body}");
    }
    for body in ["", "ok", "readyz check passed", "[+]etcd ok"] {
        assert!(
            cut(&at("/readyz", move || answer(200, body)).await.told.ready).contains("no list"),
            "{body}"
        );
    }
    for body in
        ["", "[]", "{\"keys\":[{\"kty\":\"odd\"}]}", "{\"keys\":[{\"kty\":\"RSA\",\"n\":3,\"e\":\"AQAB\"}]}"]
    {
        assert!(!cut(&at("/openid/v1/jwks", move || answer(200, body)).await.told.keys).is_empty(), "{body}");
    }
    let many = format!("{{\"keys\":[{}]}}", vec!["{}"; 101].join(","));
    assert!(
        cut(&at("/openid/v1/jwks", move || answer(200, many.clone())).await.told.keys).contains("more keys")
    );
}

#[tokio::test]
async fn a_server_that_is_not_well_tells_which_check_failed() {
    let told = at("/readyz", || {
        answer(500, "[+]ping ok\n[-]kms-providers failed: reason withheld\nreadyz check failed\n")
    })
    .await
    .told;
    let checks: Vec<_> = told.ready.whole().unwrap().iter().map(|one| (one.name.as_str(), one.ok)).collect();
    assert_eq!(checks, [("ping", true), ("kms-providers", false)]);
}

#[tokio::test]
async fn flags_are_kept_by_an_allow_list() {
    let flags = json!({"kind": "Flagz", "apiVersion": "config.k8s.io/v1beta1", "flags": {
        "authorization-mode": "[Node,RBAC]", "profiling": "true\u{202e}", "etcd-keyfile": "s3cret"}});
    let told = at("/flagz", move || says(&flags)).await.told;
    assert_eq!(told.flags.whole().unwrap().len(), 2);
    assert_eq!(told.flag_list("authorization-mode"), Some(vec!["Node", "RBAC"]));
    assert!(told.flag("profiling").unwrap().contains("⟨U+202E⟩"));
}

#[tokio::test]
async fn the_same_key_has_the_same_name_on_every_server() {
    // RFC 7638 §3.1, the example and its thumbprint in hex.
    let key = json!({"kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"});
    let told = at("/openid/v1/jwks", move || says(&json!({"keys": [key]}))).await.told;
    assert_eq!(
        told.keys.whole().unwrap(),
        &["3736cbb1787cb8309c77ee8c3705c5e16ffb9e859715901f1e4c59b11182f57b".to_owned()]
    );
}

fn config(
    name: &'static str,
    namespace: &'static str,
    data: Value,
) -> impl Fn(&str) -> Option<Answer> + Send + Sync {
    move |asked: &str| {
        asked.ends_with(&format!("/{namespace}/configmaps/{name}")).then(|| {
            says(&json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name, "namespace": namespace}, "data": data}))
        })
    }
}

#[tokio::test]
async fn who_of_aws_gets_in_is_read_and_what_can_not_be_read_is_said() {
    let roles = "- rolearn: arn:aws:iam::1:role/a\n  username: x\n  groups: [system:masters]\n- rolearn: arn:aws:iam::1:role/b\n  groups:\n";
    let data = json!({"mapRoles": roles, "mapAccounts": "- \"1\"\n- \"2\"\n", "mapUsers": ""});
    let own = read(config("aws-auth", "kube-system", data)).await.told.aws_auth.found.unwrap();
    assert_eq!((own.mapped.len(), own.mapped[0].groups.len(), own.accounts, own.unread.len()), (2, 1, 2, 0));
    let bomb = "a: &a [x]\nb: [*a,*a]\n";
    for roles in [
        "[",
        "mapRoles",
        "{a: b}",
        bomb,
        "- [1]",
        "- &a x\n- *a",
        &"[".repeat(100_000),
        &format!("[{}]", vec!["{}"; 6000].join(",")),
    ] {
        let data = json!({"mapRoles": roles});
        let own = read(config("aws-auth", "kube-system", data)).await.told.aws_auth.found.unwrap();
        assert_eq!(own.unread.len(), 1, "{}", &roles[..roles.len().min(40)]);
    }
    // Nothing of what stood there is kept.
    let data = json!({"mapRoles": "- s3cret: x\n", "other": "s3cret"});
    let reading = read(config("aws-auth", "kube-system", data)).await;
    assert!(!reading.to_json().unwrap().contains("s3cret"));
}

#[tokio::test]
async fn authorities_are_kept_as_fingerprints_and_dates() {
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().pem();
    let data = json!({"client-ca-file": pem, "requestheader-client-ca-file": "noise", "requestheader-allowed-names": "[\"front\"]",
        "requestheader-username-headers": "s3cret"});
    let reading = read(config("extension-apiserver-authentication", "kube-system", data)).await;
    let own = reading.told.authentication.found.clone().unwrap();
    assert_eq!(
        (own.clients.len(), own.front.len(), own.front_names.as_slice(), own.unread.len()),
        (1, 0, &["front".to_owned()][..], 1)
    );
    let kept = reading.to_json().unwrap();
    assert!(!kept.contains("BEGIN CERTIFICATE") && !kept.contains("s3cret"), "{kept}");
    let data = json!({"requestheader-allowed-names": "front"});
    let own = read(config("extension-apiserver-authentication", "kube-system", data))
        .await
        .told
        .authentication
        .found
        .unwrap();
    assert_eq!(own.unread, ["requestheader-allowed-names: it is no list"]);
}

#[tokio::test]
async fn p21_a_config_map_that_is_another_or_too_large_is_none() {
    let other = |asked: &str| {
        asked.ends_with("/configmaps/cluster-info").then(|| {
            says(&json!({"kind": "ConfigMap", "metadata": {"name": "x", "namespace": "kube-public"}, "data": {"jws-kubeconfig-a": "s3cret"}}))
        })
    };
    let told = read(other).await.told;
    assert!(cut(&told.cluster_info).contains("no ConfigMap cluster-info"));
    let odd = |asked: &str| {
        asked.ends_with("/configmaps/cluster-info").then(|| {
            says(&json!({"metadata": {"name": "cluster-info", "namespace": "kube-public"}, "data": [1]}))
        })
    };
    assert!(cut(&read(odd).await.told.cluster_info).contains("is no text"));
    let huge = read(|asked| {
        asked.ends_with("/configmaps/aws-auth").then(|| endless(vec![b'x'; 1 << 20].into(), Duration::ZERO))
    })
    .await;
    assert!(cut(&huge.told.aws_auth).contains("larger"), "{:?}", huge.told.aws_auth);
    let token = read(config(
        "cluster-info",
        "kube-public",
        json!({"jws-kubeconfig-abcdef": "s3cret", "kubeconfig": "s3cret"}),
    ))
    .await;
    assert_eq!(token.told.cluster_info.found.as_ref().unwrap().signed_by, 1);
    assert!(!token.to_json().unwrap().contains("s3cret"));
}

#[tokio::test]
async fn what_is_told_is_kept_and_read_again() {
    let flags = json!({"kind": "Flagz", "flags": {"authorization-mode": "[Node,RBAC]"}});
    let metrics = "apiserver_audit_event_total 3\napiserver_audit_level_total{level=\"Metadata\"} 3.5\n";
    let reading = read(move |asked| match asked {
        "/flagz" => Some(says(&flags)),
        asked if asked.starts_with("/metrics?") => Some(answer(200, metrics)),
        _ => None,
    })
    .await;
    let again = Reading::from_json(&reading.to_json().unwrap()).unwrap();
    assert_eq!((again.told.clone(), again.taken.clone()), (reading.told.clone(), reading.taken.clone()));
    let snapshot = again.snapshot();
    assert!(snapshot.taken.is_some() && snapshot.told.sum("apiserver_audit_level_total") == Some(3.5));
}

#[tokio::test]
async fn the_time_for_the_whole_scan_holds_for_these_too() {
    let short = Bounds { call: Duration::from_millis(300), whole: Duration::from_millis(500), ..bounds() };
    let slow = super::api::client(|asked: &str| {
        (asked == "/flagz" || asked.starts_with("/metrics?"))
            .then(|| endless(Bytes::from_static(b" "), Duration::from_millis(20)))
    });
    let begun = Instant::now();
    let reading = crate::cluster(&slow, &short).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(!cut(&reading.told.metrics).is_empty());
}
