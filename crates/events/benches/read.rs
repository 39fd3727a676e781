//! How fast audit events are read: `cargo bench -p sallyport-events`. Lines are made from a seed, so that every run
//! reads the same ones; `EVENTS` says how many. Prints the best and the middle of five runs, by the time that the thread
//! had on a core, so that other work on the machine counts as little as it can.

use sallyport_events::{Reader, What};
use std::fmt::Write as _;
use std::time::Instant;

/// The same numbers from the same seed (SplitMix64).
struct Seeded(u64);

impl Seeded {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.next(list.len() as u64) as usize]
    }
}

/// One line as API servers write it: controllers and nodes most of all, people less, and a session's exec now and then.
/// `with_bodies` in a hundred are told with what was sent.
fn line(seeded: &mut Seeded, n: u64, with_bodies: u64, out: &mut String) {
    const RESOURCES: [(&str, &str); 6] = [
        ("", "pods"),
        ("apps", "deployments"),
        ("coordination.k8s.io", "leases"),
        ("", "configmaps"),
        ("", "endpoints"),
        ("", "secrets"),
    ];
    const VERBS: [&str; 8] = ["get", "get", "list", "watch", "update", "patch", "create", "delete"];
    let id = seeded.next(u64::MAX);
    let namespace = seeded.next(40);
    let name = seeded.next(3000);
    let (group, resource) = seeded.of(&RESOURCES);
    let verb = seeded.of(&VERBS);
    let is_exec = seeded.next(50) == 0;
    let account = match seeded.next(10) {
        0 => "system:node:worker-7".to_owned(),
        1 => format!("oidc:person-{}@example.com", seeded.next(200)),
        2 => format!("system:serviceaccount:sallyport-sessions:s-abcd{}-1795500000", seeded.next(90) + 10),
        _ => format!("system:serviceaccount:kube-system:controller-{}", seeded.next(20)),
    };
    let root = if group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{group}/v1") };
    let uri = match verb {
        _ if is_exec => format!(
            "/api/v1/namespaces/team-{namespace}/pods/web-{name}/exec?command=psql&command=--password&command=hunter2&container=db&stdout=true"
        ),
        "list" | "watch" => format!(
            "{root}/namespaces/team-{namespace}/{resource}?allowWatchBookmarks=true&resourceVersion={}&timeoutSeconds=512&watch=true",
            id % 1_000_000_000
        ),
        _ => format!("{root}/namespaces/team-{namespace}/{resource}/web-{name}?timeout=10s"),
    };
    let second = n / 50 % 60;
    let (subresource, code) = if is_exec { (",\"subresource\":\"exec\"", 101) } else { ("", 200) };
    let level = if seeded.next(100) < with_bodies { "Request" } else { "Metadata" };
    let _ = write!(
        out,
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"{level}","auditID":"{id:016x}-4c79-9f0e-9f7f1f0d2c11","stage":"ResponseComplete","requestURI":"{uri}","verb":"{verb}","user":{{"username":"{account}","uid":"7d1c9f0e-1d5b-4c79-9f0e-{id:012x}","groups":["system:serviceaccounts","system:serviceaccounts:kube-system","system:authenticated"],"extra":{{"authentication.kubernetes.io/credential-id":["JTI={id:016x}"],"authentication.kubernetes.io/node-name":["worker-7"],"authentication.kubernetes.io/pod-name":["controller-0"]}}}},"sourceIPs":["10.0.{namespace}.7"],"userAgent":"kube-controller-manager/v1.35.0 (linux/amd64) kubernetes/abcdef0/system:serviceaccount:kube-system:x","objectRef":{{"resource":"{resource}","namespace":"team-{namespace}","name":"web-{name}","apiGroup":"{group}","apiVersion":"v1"{subresource}}},"responseStatus":{{"metadata":{{}},"code":{code}}}"#
    );
    if level == "Request" {
        let _ = write!(
            out,
            r#","requestObject":{{"kind":"Deployment","apiVersion":"apps/v1","metadata":{{"name":"web-{name}","labels":{{"app":"web"}}}},"spec":{{"replicas":{},"template":{{"spec":{{"containers":[{{"name":"web","image":"registry.example.com/team/web:1.{}","env":[{{"name":"MODE","value":"production"}}],"args":["--listen","0.0.0.0:8080"]}}]}}}}}}}}"#,
            seeded.next(10),
            seeded.next(100)
        );
    }
    let _ = writeln!(
        out,
        r#","requestReceivedTimestamp":"2026-11-29T21:40:{second:02}.{:06}Z","stageTimestamp":"2026-11-29T21:40:{second:02}.{:06}Z","annotations":{{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC: allowed by ClusterRoleBinding \"controller-{namespace}\" of ClusterRole \"controller\" to ServiceAccount \"controller-{namespace}/kube-system\""}}}}"#,
        n % 1_000_000,
        (n + 7) % 1_000_000
    );
}

fn main() {
    let events: u64 = std::env::var("EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(300_000);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{events} events, load {}", load.split(' ').next().unwrap_or("unknown"));
    for with_bodies in [0, 10, 100] {
        let mut seeded = Seeded(7);
        let mut text = String::new();
        (0..events).for_each(|n| line(&mut seeded, n, with_bodies, &mut text));
        let mut rates: Vec<f64> = (0..5).map(|_| run(&text, events)).collect();
        let mut values: Vec<f64> = (0..5).map(|_| values(&text, events)).collect();
        rates.sort_by(f64::total_cmp);
        values.sort_by(f64::total_cmp);
        println!(
            "{with_bodies:>3} % with bodies, {} B a line: best {:.0} k events/s ({:.0} MB/s), middle {:.0} k; \
             serde_json::Value alone, beside it: best {:.0} k, middle {:.0} k",
            text.len() as u64 / events,
            rates[4] / 1e3,
            rates[4] * text.len() as f64 / events as f64 / 1e6,
            rates[2] / 1e3,
            values[4] / 1e3,
            values[2] / 1e3
        );
    }
}

fn run(text: &str, events: u64) -> f64 {
    rate(events, || read(text, events))
}

/// What it costs to read the same lines into values and do nothing with them.
fn values(text: &str, events: u64) -> f64 {
    rate(events, || {
        let lines = text.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
        assert_eq!(lines.count() as u64, events);
    })
}

fn rate(events: u64, what: impl FnOnce()) -> f64 {
    let (began, on_core) = (Instant::now(), on_core());
    what();
    let took = match (on_core, self::on_core()) {
        (Some(before), Some(after)) => (after - before) as f64 / 1e9,
        _ => began.elapsed().as_secs_f64(),
    };
    events as f64 / took
}

fn read(text: &str, events: u64) {
    let mut reader = Reader::new();
    let (mut bytes, mut redacted) = (0, 0);
    for chunk in text.as_bytes().chunks(256 * 1024) {
        reader.push(chunk, &mut |found| {
            if let What::Event(event) = &found.what {
                bytes += event.raw.len();
                redacted += event.redactions;
            }
        });
    }
    assert_eq!(reader.counts().events, events);
    assert!(bytes > 0 && redacted > 0);
}

/// Nanoseconds that this thread had on a core so far (Linux).
fn on_core() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}
