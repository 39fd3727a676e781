use super::*;

const PATH: &str = "/callback/0a1b2c3d";

fn door() -> Door {
    Door { host: "127.0.0.1:4711".to_owned(), path: PATH.to_owned() }
}

fn get(target: &str, host: &str) -> Asked {
    parse(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"), &door())
}

#[test]
fn p3_only_the_redirect_uri_is_served() {
    let host = door().host;
    let params = get(&format!("{PATH}?code=a%20b&state=s"), &host).unwrap();
    assert_eq!(params, [("code".to_owned(), "a b".to_owned()), ("state".to_owned(), "s".to_owned())]);
    for target in ["/", "/favicon.ico", "/callback", "/callback/", "/callback/x", "http://x/callback"] {
        assert_eq!(get(target, &host), Err(404), "{target}");
    }
    assert_eq!(get("/callback/ffffffff?code=a&state=s", &host), Err(404), "fault B1: another issuer's");
    for method in ["POST", "HEAD", "OPTIONS"] {
        let head = format!("{method} {PATH} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(parse(&head, &door()), Err(405), "{method}");
    }
}

#[test]
fn p3_a_rebound_or_missing_host_is_refused() {
    for host in ["evil.example", "localhost:4711", "127.0.0.1", "127.0.0.1:4712", ""] {
        assert_eq!(get(&format!("{PATH}?code=x"), host), Err(400), "{host}");
    }
    assert_eq!(parse(&format!("GET {PATH} HTTP/1.1\r\n\r\n"), &door()), Err(400));
    let two = format!("GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:4711\r\nhost: evil.example\r\n\r\n");
    assert_eq!(parse(&two, &door()), Err(400));
}

#[test]
fn fault_b7_a_browser_that_looks_ahead_uses_nothing_up() {
    for header in [
        "Sec-Purpose: prefetch",
        "Sec-Purpose: prefetch;prerender",
        "Purpose: Prefetch",
        "X-Purpose: preview",
        "X-Moz: prefetch",
    ] {
        let head = format!("GET {PATH}?code=x HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n{header}\r\n\r\n");
        assert_eq!(parse(&head, &door()), Err(503), "{header}");
    }
}

#[test]
fn noise_is_not_a_request() {
    for noise in ["", "\r\n\r\n", "GET\r\n\r\n", "\u{16}\u{3}\u{1}", "GET /callback HTTP/2 x\r\n\r\n"] {
        assert_eq!(parse(noise, &door()), Err(400), "{noise:?}");
    }
}

/// Asks and returns the whole answer.
async fn ask(port: u16, head: &[u8]) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let mut answer = Vec::new();
    // Beside each other: a listener that has heard enough answers before all is said.
    let said = async { drop(writing.write_all(head).await) };
    let heard = async { drop(reading.read_to_end(&mut answer).await) };
    tokio::join!(said, heard);
    String::from_utf8_lossy(&answer).into_owned()
}

fn port(loopback: &Loopback) -> u16 {
    loopback.listener.local_addr().unwrap().port()
}

fn head(port: u16, cookies: usize) -> Vec<u8> {
    let mut head = format!("GET {PATH}?code=c HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: ").into_bytes();
    head.extend(std::iter::repeat_n(b'\xe9', cookies));
    head.extend(b"\r\n\r\n");
    head
}

#[tokio::test]
async fn fault_b8_cookies_of_other_programs_are_read_past_or_named() {
    let mut loopback = Loopback::bind(&Redirect::default(), PATH).await.unwrap();
    let port = port(&loopback);
    for size in [16 * 1024, 512 * 1024] {
        let asking = tokio::spawn(async move { ask(port, &head(port, size)).await });
        let arrival = timeout(PATIENCE, loopback.next()).await.expect("it is heard").unwrap();
        assert_eq!(arrival.param("code"), Some("c"));
        loopback.ignore(arrival);
        tokio::select! {
            answer = asking => assert!(answer.unwrap().starts_with("HTTP/1.1 400 "), "{size}"),
            _ = loopback.next() => panic!("nothing else comes"),
        }
    }
    let asking = tokio::spawn(async move { ask(port, &head(port, 2 << 20)).await });
    let answer = tokio::select! {
        answer = asking => answer.unwrap(),
        _ = loopback.next() => panic!("it is too much"),
    };
    assert!(answer.starts_with("HTTP/1.1 431 ") && answer.contains("cookies"), "{answer}");
}

#[tokio::test]
async fn fault_b9_silent_connections_do_not_keep_the_browser_out() {
    let mut loopback = Loopback::bind(&Redirect::default(), PATH).await.unwrap();
    let port = port(&loopback);
    let browser = async {
        let mut silent = Vec::new();
        for _ in 0..100 {
            silent.push(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap());
        }
        let asking = tokio::spawn(async move { ask(port, &head(port, 10)).await });
        (silent, asking)
    };
    let (arrival, (_silent, _asking)) =
        tokio::join!(async { timeout(PATIENCE, loopback.next()).await.expect("it is heard") }, browser);
    assert_eq!(arrival.unwrap().param("code"), Some("c"));
}

/// Needs to be another user for a moment, which only root can.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn fault_b9_another_user_of_the_machine_is_not_heard() {
    use std::os::unix::{fs::MetadataExt as _, process::CommandExt as _};
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        println!("skipped: only root can be another user");
        return;
    }
    let mut loopback = Loopback::bind(&Redirect::default(), PATH).await.unwrap();
    let port = port(&loopback);
    let answer = move |uid: u32| {
        tokio::task::spawn_blocking(move || {
            let script = format!(
                "exec 3<>/dev/tcp/127.0.0.1/{port} && printf 'GET {PATH}?code={uid} HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\n\\r\\n' >&3 && cat <&3"
            );
            let mut bash = std::process::Command::new("bash");
            bash.args(["-c", &script]).current_dir("/").uid(uid).gid(uid);
            String::from_utf8_lossy(&bash.output().expect("bash runs").stdout).into_owned()
        })
    };
    let other = tokio::select! {
        other = answer(65534) => other.unwrap(),
        _ = loopback.next() => panic!("another user was heard"),
    };
    assert_eq!(other, "", "nor answered");
    let ours = answer(0);
    let arrival = timeout(PATIENCE, loopback.next()).await.expect("it is heard").unwrap();
    assert_eq!(arrival.param("code"), Some("0"));
    drop(arrival);
    ours.await.unwrap();
}

#[tokio::test]
async fn fault_b3_the_first_free_of_the_configured_ports_is_used() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (first, second) = (taken.local_addr().unwrap().port(), free.local_addr().unwrap().port());
    drop(free);
    let redirect = Redirect { host: RedirectHost::Address, ports: vec![first, second] };
    let loopback = Loopback::bind(&redirect, PATH).await.unwrap();
    assert_eq!(loopback.redirect_uri(), format!("http://127.0.0.1:{second}{PATH}"));
    let error = Loopback::bind(&redirect, PATH).await.unwrap_err().to_string();
    assert!(error.contains(&format!("{first}, {second}")) && error.contains("free"), "{error}");
}

#[tokio::test]
async fn fault_b3_localhost_is_both_addresses_and_nobody_else_has_either() {
    let named = Redirect { host: RedirectHost::Localhost, ports: Vec::new() };
    let mut loopback = Loopback::bind(&named, PATH).await.unwrap();
    let port = port(&loopback);
    assert_eq!(loopback.redirect_uri(), format!("http://localhost:{port}{PATH}"));
    let head = format!("GET {PATH}?code=c HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n");
    for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        if ip.is_ipv6() && loopback.listener6.is_none() {
            continue;
        }
        let mut stream = TcpStream::connect((ip, port)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let arrival = timeout(PATIENCE, loopback.next()).await.expect("it is heard").unwrap();
        assert_eq!(arrival.param("code"), Some("c"));
    }
    drop(loopback);
    let Ok(squatter) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await else { return };
    let taken = vec![squatter.local_addr().unwrap().port()];
    let refused = Loopback::bind(&Redirect { host: RedirectHost::Localhost, ports: taken }, PATH).await;
    assert!(matches!(refused, Err(Error::PortsTaken { .. })), "the other address of the name is somebody's");
}
