//! Stores that are slow, wrong or somebody else's: a small server that says whatever a test wants it to.

mod common;
#[path = "hostile/look.rs"]
mod look;

use common::{BEGIN, SECOND, Server, event, kept, pull_from, record, respond};
use sallyport_engine::{Access, Bounds, Engine};
use std::io::Write as _;
use std::time::{Duration, Instant};

fn refused(server: &Server) -> String {
    let dir = tempfile::tempdir().unwrap();
    let why = pull_from(server, dir.path(), |_| ()).unwrap_err().to_string();
    assert_eq!(kept(dir.path()), 0, "nothing of an answer that is none is kept: {why}");
    why
}

/// The same with deadlines of some seconds, for those who wait for one.
fn refused_in_time(server: &Server) -> String {
    let dir = tempfile::tempdir().unwrap();
    let bounds = Bounds {
        silent: Duration::from_secs(2),
        whole: Duration::from_secs(5),
        bytes: 40 << 20,
        ..Bounds::default()
    };
    let why = common::pull_bounded(server, dir.path(), bounds, |_| ()).unwrap_err().to_string();
    assert_eq!(kept(dir.path()), 0, "nothing of an answer that is none is kept: {why}");
    why
}

fn says(body: impl Into<String>) -> Server {
    let body = body.into();
    Server::new(move |_, stream| respond(stream, "200 OK", &body))
}

#[test]
fn what_is_no_answer_is_said_and_nothing_of_it_is_kept() {
    let html = refused(&says("<!doctype html><title>Sign in</title>"));
    assert!(html.contains("HTML"), "{html}");
    let no_json = refused(&says("hello\n"));
    assert!(no_json.contains("no JSON object"), "{no_json}");
    let no_time = refused(&says("{\"_msg\":\"x\"}\n"));
    assert!(no_time.contains("without a time"), "{no_time}");
    let odd_time = refused(&says("{\"_time\":\"yesterday\",\"_msg\":\"x\"}\n"));
    assert!(odd_time.contains("without a time"), "{odd_time}");
    let list = refused(&says("[1,2,3]\n"));
    assert!(list.contains("no JSON object"), "{list}");
    let deep = refused(&says(format!("{{\"a\":{}\n", "[".repeat(100_000))));
    assert!(deep.contains("no JSON object"), "{deep}");
    let torn = refused(&says(format!("{}\n{{\"_time\":\"2026", record(BEGIN, 1))));
    assert!(torn.contains("breaks off"), "{torn}");
    let statuses = [
        ("401 Unauthorized", "401"),
        ("503 Busy", "503"),
        ("404 Not Found", "404"),
        ("302 Found", "redirect"),
    ];
    for (status, said) in statuses {
        let why = refused(&Server::new(move |_, stream| respond(stream, status, "\u{202e}no")));
        assert!(why.contains(said) && !why.contains('\u{202e}'), "{status}: {why}");
    }
    // A connection that ends before all that was promised came.
    let cut = refused(&Server::new(|_, stream| {
        let text = format!("HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n{}\n", record(BEGIN, 1));
        let _ = stream.write_all(text.as_bytes());
    }));
    assert!(cut.contains("can't be reached") || cut.contains("breaks off"), "{cut}");
}

#[test]
fn a_store_that_pages_wrongly_is_not_read_on() {
    // The same page again and again, whatever was asked for.
    let page: String = (0..1000).map(|n| record(BEGIN + n, n as usize) + "\n").collect();
    let server = says(page);
    let dir = tempfile::tempdir().unwrap();
    let why = pull_from(&server, dir.path(), |_| ()).unwrap_err().to_string();
    assert!(why.contains("another time"), "{why}");
    // What was read whole before is kept, and not more than once.
    assert_eq!(kept(dir.path()), 999);

    let swapped = refused(&says(format!("{}\n{}\n", record(BEGIN + 5, 1), record(BEGIN, 2))));
    assert!(swapped.contains("out of the order"), "{swapped}");
    let before = refused(&says(format!("{}\n", record(BEGIN - 999 * SECOND, 1))));
    assert!(before.contains("another time"), "{before}");
    let many: String = (0..1500).map(|n| record(BEGIN + n, n as usize) + "\n").collect();
    let why = refused(&says(many));
    assert!(why.contains("more than the 1000"), "{why}");
}

#[test]
fn a_slow_store_and_an_endless_one_are_left() {
    let began = Instant::now();
    let silent = refused_in_time(&Server::new(|_, _| std::thread::sleep(Duration::from_secs(60))));
    assert!(silent.contains("did not answer within"), "{silent}");
    // A byte now and then, for good.
    let dripping = refused_in_time(&Server::new(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    }));
    assert!(dripping.contains("did not answer within"), "{dripping}");
    assert!(began.elapsed() < Duration::from_secs(50), "{:?}", began.elapsed());
    // One line without an end, as fast as it goes.
    let endless = refused(&Server::new(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"_msg\":\"");
        let chunk = vec![b'x'; 1 << 20];
        while stream.write_all(&chunk).is_ok() {}
    }));
    assert!(endless.contains("more than") || endless.contains("did not answer"), "{endless}");
}

#[test]
fn a_pull_that_was_broken_off_goes_on_without_loss_and_without_doubles() {
    let all: Vec<(i64, usize)> = (0..5000).map(|n| (BEGIN + n / 3 * 1000, n as usize)).collect();
    let dir = tempfile::tempdir().unwrap();
    // Each third answer is torn.
    let records = all.clone();
    let answers = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::new(move |asked, stream| {
        let body = asked.answer(&records);
        match answers.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 3 {
            2 => respond(stream, "200 OK", &body[..body.len() * 2 / 3]),
            _ => respond(stream, "200 OK", &body),
        }
    });
    let (mut kept_in, mut broken) = (0, 0);
    for _ in 0..40 {
        match pull_from(&server, dir.path(), |pull| pull.overlap = 0) {
            Ok(pulled) => {
                kept_in += pulled.events;
                break;
            }
            Err(_) => broken += 1,
        }
    }
    assert!(broken > 0, "no answer was torn");
    assert_eq!(kept(dir.path()), 5000, "{broken} times broken off");
    assert!(kept_in < 5000);
}

#[test]
fn somebody_elses_records_and_lines_too_long_are_counted() {
    let other = record(BEGIN + 1, 1).replace("payments-eu-1", "other");
    let long =
        format!("{{\"_time\":\"{}\",\"_msg\":\"{}\"}}", common::moment(BEGIN + 2), "x".repeat(13 << 20));
    let cut = format!(
        "{{\"_time\":\"{}\",\"_msg\":{}}}",
        common::moment(BEGIN + 3),
        serde_json::Value::from(&event(3)[..90])
    );
    let text = format!("{{\"_time\":\"{}\",\"_msg\":\"I1130 started\"}}", common::moment(BEGIN + 4));
    let lines = [record(BEGIN, 0), other, long, cut, text, record(BEGIN + 5, 5)];
    let server = says(lines.join("\n") + "\n");
    let dir = tempfile::tempdir().unwrap();
    let pulled = pull_from(&server, dir.path(), |_| ()).unwrap();
    assert_eq!((pulled.records, pulled.events), (6, 3), "{pulled:?}");
    assert_eq!(pulled.counts.partial, 1);
    assert_eq!(pulled.counts.bad.values().sum::<u64>(), 1);
    assert_eq!(pulled.counts.foreign.get("a record of another cluster"), Some(&1));
    assert_eq!(pulled.counts.foreign.len(), 2, "{pulled:?}");
}

fn of_tenant(tenant: &str) -> Access {
    Access { tenant: tenant.to_owned(), ..Access::default() }
}

/// Each question says the tenant; a store that gives another tenant's records all the same is not believed: what names
/// another cluster is not kept, whoever's it is, and what names none is kept only where the question could leave that open.
#[test]
fn each_question_names_the_tenant_and_another_ones_records_are_not_kept() {
    let mine =
        |asked: &common::Asked| asked.header("AccountID") == ["12"] && asked.header("ProjectID") == ["3"];
    let all: Vec<(i64, usize)> = (0..10).map(|n| (BEGIN + n * SECOND, n as usize)).collect();
    let server = Server::new(move |asked, stream| {
        let answer = asked.answer(&all);
        // Without its tenant it is the default's, and what it has there is somebody else's.
        let text =
            if mine(asked) { answer } else { answer.replace("payments-eu-1", "of-the-default-tenant") };
        respond(stream, "200 OK", &text);
    });
    let pull = |tenant: &str| {
        let dir = tempfile::tempdir().unwrap();
        let access = of_tenant(tenant);
        let pulled = common::pull_as(&server, dir.path(), &access, Bounds::default(), |_| ()).unwrap();
        assert_eq!(pulled.events, kept(dir.path()));
        (pulled.events, pulled.counts.foreign.get("a record of another cluster").copied().unwrap_or_default())
    };
    assert_eq!(pull("12:3"), (10, 0));
    for other in ["", "12", "3:12", "0:3"] {
        assert_eq!(pull(other), (0, 10), "as tenant {other:?}");
    }

    let is_mine = |asked: &common::Asked| asked.header("X-Scope-OrgID") == ["platform"];
    let server = Server::loki(move |asked, stream| {
        let all: Vec<(i64, usize)> = (0..10).map(|n| (BEGIN + n * SECOND, n as usize)).collect();
        let text = asked.loki(&all);
        let text = if is_mine(asked) { text } else { text.replace("payments-eu-1", "of-nobody-we-know") };
        respond(stream, "200 OK", &text);
    });
    for (tenant, expected) in [("platform", (10, 0)), ("", (0, 10)), ("platform2", (0, 10))] {
        let dir = tempfile::tempdir().unwrap();
        let access = of_tenant(tenant);
        let pulled = common::pull_as(&server, dir.path(), &access, Bounds::default(), |_| ()).unwrap();
        let foreign = pulled.counts.foreign.get("a record of another cluster").copied().unwrap_or_default();
        assert_eq!((pulled.events, foreign), expected, "as tenant {tenant:?}");
        assert_eq!(kept(dir.path()), expected.0);
    }
}

/// A tenant goes into a header, and no further.
#[test]
fn a_tenant_that_is_none_is_refused_before_anybody_is_asked() {
    for (target, bad) in [
        ("victorialogs:http://127.0.0.1:1", "platform"),
        ("victorialogs:http://127.0.0.1:1", "1:2:3"),
        ("victorialogs:http://127.0.0.1:1", "-1"),
        ("victorialogs:http://127.0.0.1:1", "4294967296"),
        ("victorialogs:http://127.0.0.1:1", "1:"),
        ("victorialogs:http://127.0.0.1:1", " 1"),
        ("loki:http://127.0.0.1:1", "a\r\nAuthorization: Bearer x"),
        ("loki:http://127.0.0.1:1", "a\0"),
        ("otlp:http://127.0.0.1:1", "a\nb"),
    ] {
        let refused = Engine::new(target.parse().unwrap(), &of_tenant(bad));
        assert!(refused.is_err(), "{target} as {bad:?}");
    }
}

#[test]
fn a_page_that_is_too_large_is_asked_for_in_parts() {
    let all: Vec<(i64, usize)> = (0..900).map(|n| (BEGIN + n * 1000, n as usize)).collect();
    let server = Server::new(move |asked, stream| respond(stream, "200 OK", &asked.answer(&all)));
    let dir = tempfile::tempdir().unwrap();
    let bounds = Bounds { bytes: 100_000, ..Bounds::default() };
    let pulled = common::pull_bounded(&server, dir.path(), bounds, |_| ()).unwrap();
    assert_eq!((pulled.events, kept(dir.path())), (900, 900));
}

#[test]
fn years_without_a_record_are_passed_over_and_none_of_the_others() {
    let day = 24 * 3600 * SECOND;
    let all: Vec<(i64, usize)> =
        [-900, -899, -400, -31, 0].iter().enumerate().map(|(n, days)| (BEGIN + days * day, n)).collect();
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = asked.clone();
    let server = Server::new(move |ask, stream| {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        respond(stream, "200 OK", &ask.answer(&all));
    });
    let dir = tempfile::tempdir().unwrap();
    let pulled = pull_from(&server, dir.path(), |pull| pull.since = BEGIN - 3000 * day).unwrap();
    let asked = asked.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!((pulled.events, kept(dir.path())), (5, 5), "{pulled:?}");
    assert!(asked < 300, "{asked} questions");
}

#[test]
fn lokis_answers_are_read_in_the_order_of_time_and_held_to_it() {
    let all: Vec<(i64, usize)> = (0..3000).map(|n| (BEGIN + n / 7 * 1000, n as usize)).collect();
    let server = Server::loki(move |asked, stream| respond(stream, "200 OK", &asked.loki(&all)));
    let dir = tempfile::tempdir().unwrap();
    let pulled = pull_from(&server, dir.path(), |_| ()).unwrap();
    assert_eq!((pulled.records, pulled.events, kept(dir.path())), (3000, 3000, 3000));
    let again = pull_from(&server, dir.path(), |pull| pull.overlap = 3600 * SECOND).unwrap();
    assert_eq!((again.events, again.again), (0, 3000));

    for (body, why) in [
        ("<html>".to_owned(), "HTML"),
        ("{}".to_owned(), "no answer of Loki"),
        (r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#.to_owned(), "no log lines"),
        (
            format!(
                r#"{{"status":"success","data":{{"resultType":"streams","result":[{{"stream":{{}},"values":[["{}","x"]]}}]}}}}"#,
                BEGIN - 99 * SECOND
            ),
            "another time",
        ),
        (
            r#"{"status":"success","data":{"resultType":"streams","result":[{"stream":{},"values":[[1,2]]}]}}"#
                .to_owned(),
            "not a time and a line",
        ),
    ] {
        let server = Server::loki(move |_, stream| respond(stream, "200 OK", &body));
        let said = refused(&server);
        assert!(said.contains(why), "{why}: {said}");
    }
}
