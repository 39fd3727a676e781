use super::*;
use http::Request;

fn cluster() -> ClusterName {
    "payments-eu-1".parse().unwrap()
}

fn head(build: impl FnOnce(request::Builder) -> request::Builder) -> request::Parts {
    let request = build(Request::get("/c/payments-eu-1/api")).body(()).unwrap();
    let mut parts = request.into_parts().0;
    if parts.version == Version::HTTP_11 && !parts.headers.contains_key(HOST) {
        parts.headers.insert(HOST, HeaderValue::from_static("127.0.0.1:4000"));
    }
    parts
}

fn check(parts: &request::Parts) -> Result<Passage, Refusal> {
    screen(parts, &Rules { authority: "127.0.0.1:4000", cluster: &cluster(), impersonation: false })
}

fn at(path: &str) -> Result<String, Refusal> {
    check(&head(|r| r.uri(path))).map(|passage| passage.path.to_string())
}

#[test]
fn p15_the_prefix_is_cut_and_the_rest_travels_unchanged() {
    for (path, want) in [
        ("/c/payments-eu-1", "/"),
        ("/c/payments-eu-1/", "/"),
        ("/c/payments-eu-1?x=1", "/?x=1"),
        (
            "/c/payments-eu-1/api/v1/pods?watch=1&labelSelector=a%3Db",
            "/api/v1/pods?watch=1&labelSelector=a%3Db",
        ),
        ("/c/payments-eu-1/api/v1/x/system%3Anode", "/api/v1/x/system%3Anode"),
        ("/c/payments-eu-1/a/...", "/a/..."),
        ("/c/payments-eu-1/a?next=/../%2f//", "/a?next=/../%2f//"),
    ] {
        assert_eq!(at(path).unwrap(), want, "{path}");
    }
}

#[test]
fn p15_another_clusters_prefix_is_refused() {
    for path in
        ["/c/payments-eu-2/api", "/c/payments-eu-11/api", "/c/payments-eu-1x", "/c//api", "/api", "/", "/c"]
    {
        let refused = at(path).unwrap_err();
        assert!(matches!(refused, Refusal::OtherCluster { .. } | Refusal::Path(_)), "{path}: {refused}");
    }
}

#[test]
fn p15_a_path_that_two_readers_understand_differently_is_refused() {
    for path in [
        "/c/payments-eu-1/../payments-eu-2/api",
        "/c/payments-eu-1/.",
        "/c/payments-eu-1/a/..",
        "/c/payments-eu-1/%2e%2e/x",
        "/c/payments-eu-1/%2E./x",
        "/c/payments-eu-1/a%2fb",
        "/c/payments-eu-1/a%2Fb",
        "/c/payments-eu-1%2f..%2fother",
        "/c/payments-eu-1/a%5cb",
        "/c/payments-eu-1/a\\b",
        "/c/payments-eu-1//api",
        "//evil/c/payments-eu-1/api",
        "/c/payments-eu-1/a%252e%252e/b",
        "/c/payments-eu-1/a%00b",
        "/c/payments-eu-1/a%0d%0ab",
        "/c/payments-eu-1/a%zz",
        "/c/payments-eu-1/a%2",
        "/c/payments-eu-1/ä",
    ] {
        assert!(matches!(at(path), Err(Refusal::Path(_))), "{path}: {:?}", at(path));
    }
}

#[test]
fn p15_whole_urls_and_tunnels_are_refused() {
    assert_eq!(at("https://127.0.0.1:4000/c/payments-eu-1/api").unwrap_err(), Refusal::NotAPath);
    assert_eq!(at("*").unwrap_err(), Refusal::NotAPath);
    let connect = head(|r| r.method("CONNECT").uri("127.0.0.1:4000"));
    assert_eq!(check(&connect).unwrap_err(), Refusal::Method);
    assert_eq!(check(&head(|r| r.method("TRACE"))).unwrap_err(), Refusal::Method);
    assert_eq!(check(&head(|r| r.method("PURGE"))).unwrap_err(), Refusal::Method);
}

#[test]
fn p15_only_our_own_host_is_served_and_only_once() {
    for host in
        ["evil.example", "localhost:4000", "127.0.0.1", "127.0.0.1:4001", "127.0.0.1:4000.evil.example", ""]
    {
        assert_eq!(check(&head(|r| r.header(HOST, host))).unwrap_err(), Refusal::Host, "{host}");
    }
    let twice = head(|r| r.header(HOST, "127.0.0.1:4000").header(HOST, "127.0.0.1:4000"));
    assert_eq!(check(&twice).unwrap_err(), Refusal::Host);
    let mut none = head(|r| r);
    none.headers.remove(HOST);
    assert_eq!(check(&none).unwrap_err(), Refusal::Host);

    let h2 = |uri: &str| head(|r| r.version(Version::HTTP_2).uri(uri));
    assert!(check(&h2("https://127.0.0.1:4000/c/payments-eu-1/api")).is_ok());
    assert_eq!(check(&h2("https://evil.example/c/payments-eu-1/api")).unwrap_err(), Refusal::Host);
    let both = head(|r| {
        r.version(Version::HTTP_2)
            .uri("https://127.0.0.1:4000/c/payments-eu-1/api")
            .header(HOST, "evil.example")
    });
    assert_eq!(check(&both).unwrap_err(), Refusal::Host);
}

#[test]
fn p15_web_pages_are_refused() {
    assert_eq!(check(&head(|r| r.header(ORIGIN, "https://evil.example"))).unwrap_err(), Refusal::Origin);
    assert_eq!(check(&head(|r| r.header(ORIGIN, "null"))).unwrap_err(), Refusal::Origin);
}

#[test]
fn p15_credentials_of_the_clients_own_are_refused_by_name() {
    for (name, value) in [
        ("authorization", "Bearer x"),
        ("x-remote-user", "root"),
        ("X-Remote-Group", "system:masters"),
        ("x-remote-extra-a", "b"),
        ("sec-websocket-protocol", "base64url.bearer.authorization.k8s.io.eHg"),
        ("sec-websocket-protocol", "v5.channel.k8s.io, BASE64URL.bearer.authorization.k8s.io.eHg"),
    ] {
        let refused = check(&head(|r| r.header(name, value))).unwrap_err();
        assert!(matches!(refused, Refusal::Smuggled(_) | Refusal::OwnToken), "{name}: {refused}");
    }
    let second_line = head(|r| {
        r.header("sec-websocket-protocol", "v5.channel.k8s.io")
            .header("sec-websocket-protocol", "base64url.bearer.authorization.k8s.io.eHg")
    });
    assert!(matches!(check(&second_line).unwrap_err(), Refusal::Smuggled(_)));
}

#[test]
fn p15_impersonation_passes_only_where_the_profile_allows_it() {
    for name in ["impersonate-user", "Impersonate-Group", "impersonate-uid", "impersonate-extra-x"] {
        assert_eq!(check(&head(|r| r.header(name, "x"))).unwrap_err(), Refusal::Impersonation, "{name}");
    }
    let parts = head(|r| r.header("impersonate-user", "jane").header("impersonate-group", "a"));
    let rules = Rules { authority: "127.0.0.1:4000", cluster: &cluster(), impersonation: true };
    let passage = screen(&parts, &rules).unwrap();
    assert_eq!(passage.impersonates.as_deref(), Some("jane"));
    assert!(passage.headers.contains_key("impersonate-group"));
}

#[test]
fn p15_what_connection_names_and_what_is_ours_to_say_does_not_travel() {
    let parts = head(|r| {
        r.header("connection", "authorization, x-mine, keep-alive")
            .header("connection", "X-Other")
            .header("x-mine", "1")
            .header("x-other", "1")
            .header("keep-alive", "timeout=5")
            .header("te", "gzip, trailers")
            .header("transfer-encoding", "chunked")
            .header("proxy-authorization", "Basic x")
            .header("cookie", "a=b")
            .header("audit-id", "forged")
            .header("x-forwarded-for", "10.0.0.1")
            .header("x-real-ip", "10.0.0.1")
            .header("forwarded", "for=10.0.0.1")
            .header("accept", "application/json")
    });
    let headers = check(&parts).unwrap().headers;
    let left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
    assert_eq!(left, ["accept", "te"]);
    assert_eq!(headers["te"], "trailers");
}

#[test]
fn repeated_headers_stay_apart() {
    let parts = head(|r| {
        r.header("x-stream-protocol-version", "v4.channel.k8s.io")
            .header("x-stream-protocol-version", "v3.channel.k8s.io")
    });
    let headers = check(&parts).unwrap().headers;
    let versions: Vec<_> = headers.get_all("x-stream-protocol-version").iter().collect();
    assert_eq!(versions, ["v4.channel.k8s.io", "v3.channel.k8s.io"]);
}

#[test]
fn p16_only_two_protocols_may_be_switched_to() {
    let asks =
        |protocol: &str| check(&head(|r| r.header("connection", "Upgrade").header("upgrade", protocol)));
    assert_eq!(asks("websocket").unwrap().upgrade.unwrap(), "websocket");
    assert_eq!(asks("SPDY/3.1").unwrap().upgrade.unwrap(), "SPDY/3.1");
    for other in ["h2c", "SPDY/2", "websocket, h2c", "TLS/1.0", ""] {
        assert_eq!(asks(other).unwrap_err(), Refusal::Upgrade, "{other}");
    }
    let twice = head(|r| {
        r.header("connection", "upgrade").header("upgrade", "websocket").header("upgrade", "SPDY/3.1")
    });
    assert_eq!(check(&twice).unwrap_err(), Refusal::Upgrade);
    let bare = check(&head(|r| r.header("upgrade", "websocket"))).unwrap();
    assert!(bare.upgrade.is_none() && !bare.headers.contains_key("upgrade"));
    let mut old = head(|r| r.header("connection", "upgrade").header("upgrade", "websocket"));
    old.version = Version::HTTP_10;
    assert_eq!(check(&old).unwrap_err(), Refusal::Upgrade);
}
