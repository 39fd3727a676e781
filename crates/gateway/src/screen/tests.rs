use super::*;
use http::Request;

fn head(build: impl FnOnce(request::Builder) -> request::Builder) -> request::Parts {
    let request = build(Request::get("/api")).body(()).unwrap();
    let mut parts = request.into_parts().0;
    if parts.version == Version::HTTP_11 && !parts.headers.contains_key(HOST) {
        parts.headers.insert(HOST, HeaderValue::from_static("127.0.0.1:4000"));
    }
    parts
}

fn check(parts: &request::Parts) -> Result<Passage, Refusal> {
    screen(parts, &Rules { authority: "127.0.0.1:4000", impersonation: false })
}

fn at(path: &str) -> Result<String, Refusal> {
    check(&head(|r| r.uri(path))).map(|passage| passage.path.to_string())
}

#[test]
fn p15_a_path_travels_unchanged() {
    for path in [
        "/",
        "/?x=1",
        "/readyz",
        "/c",
        "/cluster/x",
        "/api/v1/pods?watch=1&labelSelector=a%3Db",
        "/api/v1/x/system%3Anode",
        "/a/...",
        "/a?next=/../%2f//",
    ] {
        assert_eq!(at(path).unwrap(), path);
    }
}

#[test]
fn fault_c1_p15_the_old_prefix_gets_a_sentence() {
    for path in
        ["/c/payments-eu-1", "/c/payments-eu-1/", "/c/payments-eu-1/api", "/c/other/api/v1/pods?watch=1"]
    {
        let refused = at(path).unwrap_err();
        assert_eq!(refused, Refusal::OldAddress, "{path}");
        assert!(refused.to_string().contains("no path any more"), "{refused}");
    }
}

#[test]
fn p15_a_path_that_two_readers_understand_differently_is_refused() {
    for path in [
        "/a/../b",
        "/.",
        "/a/..",
        "/%2e%2e/x",
        "/%2E./x",
        "/a%2fb",
        "/a%2Fb",
        "/a%5cb",
        "/a\\b",
        "/a//api",
        "//evil/api",
        "/a%252e%252e/b",
        "/a%00b",
        "/a%0d%0ab",
        "/a%zz",
        "/a%2",
        "/ä",
    ] {
        assert!(matches!(at(path), Err(Refusal::Path(_))), "{path}: {:?}", at(path));
    }
}

#[test]
fn fault_c4_what_is_behind_proxy_travels_as_it_is() {
    for base in [
        "/api/v1/namespaces/a/services/https:web:443/proxy",
        "/api/v1/namespaces/a/pods/web-0/proxy",
        "/api/v1/nodes/n1/proxy",
    ] {
        for tail in
            ["", "/", "/a%2Fb", "//x//y", "/a%25b", "/%252Fa", "/a%5Cb", "/%C3%A4", "/a/...", "/%ff?x=//"]
        {
            let path = format!("{base}{tail}");
            assert_eq!(at(&path).unwrap(), path);
        }
        for tail in [
            "/..",
            "/./x",
            "/../../../pods",
            "/a%2f..%2fb",
            "/%2e%2e/x",
            "/%252e%252e/x",
            "/%25252e%25252e/x",
            "/%2525252525252e/x",
            "/%ff/%2e%2e/x",
            "/a%5c..%5cb",
            "/a\\b",
            "/a%00",
            "/a%0d%0a",
            "/a%zz",
            "/ä",
        ] {
            assert!(matches!(at(&format!("{base}{tail}")), Err(Refusal::Path(_))), "{base}{tail}");
        }
    }
    // Elsewhere the API server is the reader, also of what only looks like a proxy.
    for path in [
        "/api/v1/namespaces/a/services/web/status/a%2Fb",
        "/api/v1/namespaces/a/configmaps/web/proxy/a%2Fb",
        "/api/v1/namespaces/a%2Fb/services/web/proxy/x",
        "/api/v1/namespaces//services/web/proxy/x%2Fy",
        "/api/v1/namespaces/a/services//proxy/x%2Fy",
        "/api/v1/namespaces/a/services/web/proxyx/a%2Fb",
        "/apis/x/v1/namespaces/a/pods/web/proxy/a%2Fb",
        "/api/v2/nodes/n1/proxy/a%2Fb",
        "/api/v1/proxy/namespaces/a/services/web/a%2Fb",
        "//api/v1/nodes/n1/proxy/a%2Fb",
    ] {
        assert!(matches!(at(path), Err(Refusal::Path(_))), "{path}: {:?}", at(path));
    }
}

#[test]
fn p15_whole_urls_and_tunnels_are_refused() {
    assert_eq!(at("https://127.0.0.1:4000/api").unwrap_err(), Refusal::NotAPath);
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
    assert!(check(&h2("https://127.0.0.1:4000/api")).is_ok());
    assert_eq!(check(&h2("https://evil.example/api")).unwrap_err(), Refusal::Host);
    let both =
        head(|r| r.version(Version::HTTP_2).uri("https://127.0.0.1:4000/api").header(HOST, "evil.example"));
    assert_eq!(check(&both).unwrap_err(), Refusal::Host);
}

#[test]
fn fault_c2_p15_web_pages_are_refused_and_clients_that_name_our_address_pass() {
    for origin in [
        "https://evil.example",
        "null",
        "",
        "http://127.0.0.1:4000",
        "https://127.0.0.1",
        "https://127.0.0.1:4001",
        "https://127.0.0.1:4000.evil.example",
        "https://127.0.0.1:4000/",
        "https://localhost:4000",
    ] {
        assert_eq!(check(&head(|r| r.header(ORIGIN, origin))).unwrap_err(), Refusal::Origin, "{origin}");
    }
    let passage = check(&head(|r| r.header(ORIGIN, "https://127.0.0.1:4000"))).unwrap();
    assert!(!passage.headers.contains_key(ORIGIN), "it names nothing the API server knows");
    let both = head(|r| r.header(ORIGIN, "https://127.0.0.1:4000").header(ORIGIN, "https://evil.example"));
    assert_eq!(check(&both).unwrap_err(), Refusal::Origin);
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
    let rules = Rules { authority: "127.0.0.1:4000", impersonation: true };
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
