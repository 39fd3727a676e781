//! What an event is about, where a cut took away what says so.

use super::*;

/// The event of an address, cut behind its stage.
fn cut(uri: &str) -> Event<'static> {
    let line = with(json!({ "requestURI": uri }));
    let end = line.find(",\"verb\"").unwrap();
    only(&line[..end])
}

/// Group, version, namespace, resource, name and subresource of what an address is about.
fn about(uri: &str) -> Option<[String; 6]> {
    let event = cut(uri);
    assert!(event.is_partial());
    let came = if event.object.is_some() { Came::Inferred } else { Came::Absent };
    assert_eq!(event.came(Field::Object), came, "{uri}");
    event.object.map(|object| {
        [object.group, object.version, object.namespace, object.resource, object.name, object.subresource]
            .map(|text| text.into_owned())
    })
}

#[test]
fn a_cut_event_is_about_what_its_address_says() {
    for (uri, want) in [
        ("/api/v1/namespaces/pay/pods/web-0/exec?command=id", ["", "v1", "pay", "pods", "web-0", "exec"]),
        ("/api/v1/namespaces/pay/pods/web-0", ["", "v1", "pay", "pods", "web-0", ""]),
        ("/api/v1/namespaces/pay/pods?limit=500", ["", "v1", "pay", "pods", "", ""]),
        ("/api/v1/pods", ["", "v1", "", "pods", "", ""]),
        ("/api/v1/nodes/n-1/proxy/logs/x", ["", "v1", "", "nodes", "n-1", "proxy"]),
        ("/api/v1/namespaces/payments", ["", "v1", "payments", "namespaces", "payments", ""]),
        (
            "/api/v1/namespaces/payments/finalize",
            ["", "v1", "payments", "namespaces", "payments", "finalize"],
        ),
        ("/api/v1/namespaces", ["", "v1", "", "namespaces", "", ""]),
        (
            "/apis/apps/v1/namespaces/pay/deployments/web/scale",
            ["apps", "v1", "pay", "deployments", "web", "scale"],
        ),
        (
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/a%3Ab",
            ["rbac.authorization.k8s.io", "v1", "", "clusterroles", "a:b", ""],
        ),
        ("/api/v1/namespaces/pay/secrets/db/", ["", "v1", "pay", "secrets", "db", ""]),
        ("/api/v1/watch/namespaces/pay/secrets", ["", "v1", "pay", "secrets", "", ""]),
    ] {
        assert_eq!(about(uri).unwrap(), want, "{uri}");
    }
    assert_eq!(cut("/api/v1/pods").verb, "");
    let watch = cut("/api/v1/watch/pods");
    assert_eq!((watch.verb.as_ref(), watch.came(Field::Verb)), ("watch", Came::Inferred));
    // Where the event says it itself, that holds; and a whole event without an object has none.
    let whole = with(json!({"requestURI": "/api/v1/pods/x"}));
    let event = only(&whole[..whole.find(",\"responseStatus\"").unwrap()]);
    assert_eq!(
        (event.object.as_ref().unwrap().name.as_ref(), event.came(Field::Object)),
        ("web-0", Came::Raw)
    );
    assert_eq!(only(&with(json!({"requestURI": "/api/v1/pods", "objectRef": null}))).object, None);
    // Cut inside what says it: what it says first is taken from the address all the same.
    let event = only(&EXEC[..EXEC.find("\"namespace\":\"pay\"").unwrap()]);
    assert_eq!(event.object.as_ref().unwrap().name, "web-0");
    assert_eq!(event.came(Field::Object), Came::Inferred);
}

#[test]
fn an_address_that_can_be_read_in_two_ways_is_about_nothing() {
    for uri in [
        "",
        "/",
        "/readyz",
        "/api",
        "/api/v1",
        "/apis/apps/v1",
        "/apis/apps",
        "/api/v1/namespaces/pay/../kube-system/secrets/x",
        "/api/v1/namespaces/pay/%2e%2e/secrets/x",
        "/api/v1/namespaces/./secrets/x",
        "/api/v1/namespaces//secrets/x",
        "//api/v1/pods",
        "/api/v1/namespaces/pay%2Fpods/x",
        "/api/v1/namespaces/pay/pods/%00",
        "/api/v1/namespaces/pay/pods/%ff",
        "/api/v1/namespaces/pay/pods/%zz",
        "/api/v1/namespaces/pay/pods/a%",
        "/api/v1/watch",
        "api/v1/pods",
        "https://x/api/v1/pods",
    ] {
        assert_eq!(about(uri), None, "{uri}");
    }
}

#[test]
fn of_an_address_that_is_cut_itself_the_last_word_is_none() {
    let line = with(json!({"requestURI": "/api/v1/namespaces/pay/secrets/db-0?limit=1"}));
    let upto = |what: &str| only(&line[..line.find(what).unwrap() + what.len()]).object;
    let object = upto("/secrets/db-").unwrap();
    assert_eq!((&*object.namespace, &*object.resource, &*object.name), ("pay", "secrets", ""));
    assert_eq!(upto("/secrets/db-0?li").unwrap().name, "db-0");
    // Of these nobody can say what they would have become.
    for short in
        ["/api/v1/namespaces/pay/sec", "/api/v1/namespaces/pay/", "/api/v1/namespaces/p", "/api/v1/n"]
    {
        assert_eq!(upto(short), None, "{short}");
    }
}

#[test]
fn p20_what_an_address_says_of_a_secret_is_cleaned_in_the_object_too() {
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2lnbmF0dXJl";
    let event = cut(&format!("/api/v1/namespaces/pay/pods/{jwt}"));
    assert!(!format!("{event:?}").contains("eyJ"), "{event:?}");
}
