//! A port for each cluster, and addresses without a path.

use crate::clients::{Client, Sent, read};
use crate::upstream::FakeApi;
use crate::{Fixture, open, options, permit, upstream_of};
use http::Request;
use sallyport_gateway::{CallOutcome, CutReason, Gateway, Opened, Ports};
use sallyport_model::SessionId;
use std::net::TcpListener;
use tokio::sync::mpsc;

/// Opens a session with what is remembered of ports.
fn open_at(gateway: &Gateway, api: &FakeApi, session: &str, cluster: &str, ports: &Ports) -> Opened {
    let (told, _calls) = mpsc::channel(16);
    let permit = permit(api, session, cluster, 600);
    gateway.open(&permit, upstream_of(api, cluster), ports, told).unwrap()
}

fn is_listened_on(port: u16) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[tokio::test]
async fn fault_c1_the_address_has_no_path_and_each_cluster_a_port() {
    let f = Fixture::new().await;
    assert_eq!(f.opened.server_url, format!("https://127.0.0.1:{}", f.opened.port));
    let (shop, _shop) = open(&f.gateway, &f.api, "s2", "shop", 600).unwrap();
    let (again, _again) = open(&f.gateway, &f.api, "s3", "pay", 600).unwrap();
    assert_ne!(shop.port, f.opened.port);
    assert_eq!(again.port, f.opened.port, "sessions of one cluster share its port");
    for (opened, path) in [(&f.opened, "/readyz"), (&shop, "/version"), (&again, "/api/v1/pods")] {
        assert_eq!(Client::of(opened).fetch(path).await.status, 200);
        assert_eq!(f.api.seen().last().unwrap().uri, path);
    }
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let listening = format!("0100007F:{:04X} 00000000:0000 0A", shop.port);
    assert!(table.is_empty() || table.contains(&listening), "it listens on 127.0.0.1 only");
}

#[tokio::test]
async fn fault_c1_p15_a_certificate_serves_on_its_own_clusters_port_alone() {
    let f = Fixture::new().await;
    let other_api = FakeApi::start().await;
    let (shop, mut calls) = open(&f.gateway, &other_api, "s2", "shop", 600).unwrap();
    let astray = Client::of(&shop).at(f.opened.port);
    let answer = astray.fetch("/api/v1/pods").await;
    assert_eq!(answer.status, 403);
    let said = answer.status_message();
    assert!(said.contains("this port is for `pay`") && said.contains("a session on `shop`"), "{said}");
    let refused = read(astray.upgrade("/api/v1/namespaces/a/pods/p/up-echo", "websocket").await).await;
    assert_eq!(refused.status, 403);
    assert!(f.api.seen().is_empty() && other_api.seen().is_empty());
    let told = calls.recv().await.unwrap();
    assert!(matches!(told.outcome, CallOutcome::Refused(_)), "{told:?}");
    assert_eq!((told.session.as_str(), told.target.resource.as_str()), ("s2", "pods"));
}

#[tokio::test]
async fn fault_c1_the_old_address_gets_a_sentence_in_the_history_too() {
    let mut f = Fixture::new().await;
    let client = f.client();
    let answer = client.fetch("/c/pay/api/v1/namespaces/a/pods").await;
    assert_eq!(answer.status, 400);
    assert!(answer.status_message().contains("no path any more"), "{}", answer.text());
    // What discovery shows of an answer is its text.
    let discovery = client.fetch("/c/pay/api?timeout=32s").await;
    assert!(discovery.text().starts_with("sallyport: the gateway's address"), "{}", discovery.text());
    assert!(f.api.seen().is_empty());
    let told = f.ended().await;
    assert_eq!((told.target.resource.as_str(), told.target.namespace.as_str()), ("pods", "a"));
}

#[tokio::test]
async fn fault_c1_a_port_is_remembered_and_never_given_to_another_cluster() {
    let api = FakeApi::start().await;
    let first = Gateway::start(options()).await.unwrap();
    let pay = open_at(&first, &api, "s1", "pay", &Ports::default()).port;
    let shop = open_at(&first, &api, "s2", "shop", &Ports::default()).port;
    first.shutdown().await;

    let second = Gateway::start(options()).await.unwrap();
    let ports = Ports { own: vec![pay], others: vec![shop] };
    assert_eq!(open_at(&second, &api, "s1", "pay", &ports).port, pay);
    // Even when it is asked for: what another had is nobody's.
    let ports = Ports { own: vec![shop], others: vec![pay, shop] };
    let other = open_at(&second, &api, "s2", "new", &ports).port;
    assert!(![pay, shop].contains(&other));
    second.shutdown().await;
}

#[tokio::test]
async fn fault_c1_a_port_that_another_program_took_is_replaced() {
    let api = FakeApi::start().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let gateway = Gateway::start(options()).await.unwrap();
    let older = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ports = Ports { own: vec![port, older], others: vec![] };
    assert_eq!(open_at(&gateway, &api, "s1", "pay", &ports).port, older, "an older one of its own");
    let ports = Ports { own: vec![port], others: vec![older] };
    let opened = open_at(&gateway, &api, "s2", "shop", &ports);
    assert!(![port, older].contains(&opened.port));
    assert_eq!(Client::of(&opened).fetch("/api").await.status, 200);
}

#[tokio::test]
async fn fault_c1_a_port_is_kept_for_its_reason_and_goes_with_it() {
    let api = FakeApi::start().await;
    let gateway = Gateway::start(options()).await.unwrap();
    let opened = open_at(&gateway, &api, "s1", "pay", &Ports::default());
    gateway.cut(&SessionId::new("s1"), CutReason::Left).await.unwrap();
    let refused = Client::of(&opened).fetch("/api/v1/pods").await;
    assert!(refused.status_message().contains("you left it"), "{}", refused.text());
    // As many sessions later nobody remembers why.
    for n in 0..70 {
        let id = format!("n{n}");
        open_at(&gateway, &api, &id, "shop", &Ports::default());
        gateway.cut(&SessionId::new(id), CutReason::Left).await.unwrap();
    }
    open_at(&gateway, &api, "last", "new", &Ports::default());
    for _ in 0..3000 {
        if !is_listened_on(opened.port) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the port is still held");
}

#[tokio::test]
async fn fault_c2_p15_an_origin_that_is_our_address_passes_and_a_refused_one_is_told_with_what_was_asked() {
    let mut f = Fixture::new().await;
    let client = f.client();
    let ours = format!("https://127.0.0.1:{}", client.port);
    let path = "/api/v1/namespaces/pay/pods/web/exec?command=ls";
    let ask = |origin: &str| {
        let request = Request::get(format!("https://127.0.0.1:{}{path}", client.port));
        request.header("origin", origin).body(Sent::default()).unwrap()
    };
    let mut send = client.h2().await;
    assert_eq!(send.send_request(ask(&ours)).await.unwrap().status(), 200);
    assert!(!f.api.seen()[0].headers.contains_key("origin"));
    f.ended().await;

    let refused = read(send.send_request(ask("https://evil.example")).await.unwrap()).await;
    assert_eq!(refused.status, 403);
    assert!(refused.status_message().contains("web pages"), "{}", refused.text());
    let told = f.ended().await;
    let target = &told.target;
    assert_eq!((target.verb.as_str(), target.resource.as_str()), ("get", "pods"));
    assert_eq!((target.subresource.as_str(), target.name.as_str()), ("exec", "web"));
    assert_eq!(told.stream, Some(sallyport_gateway::StreamKind::Exec));
    assert!(told.path_and_query.ends_with(path), "{}", told.path_and_query);
}

#[tokio::test]
async fn fault_c6_the_key_is_one_that_go_java_and_openssl_read() {
    let f = Fixture::new().await;
    let pem = f.opened.client_key_pem.expose();
    assert!(pem.starts_with("-----BEGIN EC PRIVATE KEY-----\n"), "not SEC 1");
    // rustls signed with it in every other test here; OpenSSL has its own reader, and names the curve.
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(at("key"), pem).unwrap();
    std::fs::write(at("cert"), &f.opened.client_cert_pem).unwrap();
    let openssl = |args: &[&str]| {
        let run = std::process::Command::new("openssl").args(args).output();
        run.ok().map(|out| (out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned()))
    };
    let Some((good, text)) = openssl(&["ec", "-in", &at("key"), "-text", "-noout", "-check"]) else {
        println!("openssl is not here");
        return;
    };
    assert!(good && text.contains("prime256v1"), "{good}");
    let of_key = openssl(&["ec", "-in", &at("key"), "-pubout"]).unwrap();
    let of_cert = openssl(&["x509", "-in", &at("cert"), "-pubkey", "-noout"]).unwrap();
    assert!(of_key.0 && of_key.1 == of_cert.1, "the key is the certificate's");
}
