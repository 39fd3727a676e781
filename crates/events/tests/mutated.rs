//! Lines of every shape, changed at random from a seed: what holds of every source holds of them.

mod invariants;

use std::time::{Duration, Instant};

/// For how long at most, and how many; `SALLYPORT_FUZZ_SECONDS` says for how long instead, and as many as there is time for.
const WITHIN: Duration = Duration::from_secs(4);
const ROUNDS: u64 = 4000;

const SAMPLES: [&str; 6] = [
    r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"0c1f7b7e-4f52-4b2e-8c57-2f6a7d4b9a11","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/pay/pods/web-0/exec?command=sh&command=-c&command=echo%20hunter2&token=abc","verb":"get","user":{"username":"dana","uid":"u","groups":["devs"],"extra":{"authentication.kubernetes.io/credential-id":["JTI=1"]}},"impersonatedUser":{"username":"root"},"sourceIPs":["10.0.0.1","::1"],"userAgent":"kubectl/v1.37","objectRef":{"resource":"pods","namespace":"pay","name":"web-0","apiVersion":"v1","subresource":"exec"},"responseStatus":{"metadata":{},"code":101},"requestReceivedTimestamp":"2026-11-29T12:00:00.000001Z","stageTimestamp":"2026-11-29T12:00:01.5Z","annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"x"}}"#,
    r#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[{"level":"Request","auditID":"a","stage":"RequestReceived","requestURI":"/api/v1/namespaces/pay/secrets","verb":"create","user":{"username":"ci"},"objectRef":{"resource":"secrets"},"requestObject":{"kind":"Secret","metadata":{"name":"card"},"data":{"key":"aHVudGVyMg=="},"stringData":{"k":"hunter2"}},"requestReceivedTimestamp":"2026-11-29T12:00:00Z","stageTimestamp":"2026-11-29T12:00:00Z"},{"auditID":"b","verb":"patch","requestURI":"/apis/apps/v1/namespaces/a/deployments/b","requestObject":[{"op":"replace","path":"/spec/replicas","value":3}]}]}"#,
    r#"2026-11-29T12:00:00Z kube-apiserver {"logStream":"kube-apiserver-audit-1","message":"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"auditID\":\"c\",\"verb\":\"get\",\"requestURI\":\"/version\",\"stage\":\"ResponseComplete\"}","timestamp":1796000000000}"#,
    r#"{"insertId":"d","logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","resource":{"type":"k8s_cluster","labels":{"cluster_name":"c","location":"l","project_id":"p"}},"timestamp":"2026-11-29T12:00:00.5Z","operation":{"id":"d","first":true,"last":true},"labels":{"authorization.k8s.io/decision":"allow"},"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"k8s.io","methodName":"io.k8s.core.v1.pods.exec.create","resourceName":"core/v1/namespaces/pay/pods/web-0/exec","authenticationInfo":{"principalEmail":"dana@example.com"},"requestMetadata":{"callerIp":"10.0.0.1","callerSuppliedUserAgent":"kubectl"},"authorizationInfo":[{"granted":true,"permission":"io.k8s.core.v1.pods.exec.create","resource":"x"}],"status":{"code":0}}}"#,
    r#"{"records":[{"category":"kube-audit","operationName":"Microsoft.ContainerService/managedClusters/diagnosticLogs/Read","resourceId":"/S/R","time":"2026-11-29T12:00:00Z","properties":{"log":"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"auditID\":\"e\",\"verb\":\"list\",\"requestURI\":\"/api/v1/pods\",\"user\":{\"username\":\"x\"}}","pod":"p","stream":"stdout"}}]}"#,
    "I1129 12:00:00 not json\n\u{feff}{\"a\":1}\n\n{\"kind\":\"Pod\"}\r\n",
];

/// Numbers that are the same for the same seed (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most.max(1) as u64) as usize
    }
}

fn mutated(random: &mut Random) -> Vec<u8> {
    let mut bytes = SAMPLES[random.below(SAMPLES.len())].as_bytes().to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len());
        let to = (at + random.below(40)).min(bytes.len());
        match random.below(9) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let part = bytes[at..to].to_vec();
                bytes.splice(at..at, part);
            }
            3 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            4 => bytes.splice(at..at, *b"\\u0000\xff\xed\xa0\x80").for_each(drop),
            5 => bytes
                .splice(
                    at..at,
                    [b"\n", b"\r", b"\0", b"\"", b"\\", b"{", b"}", b"[", b"]", b","][random.below(10)]
                        .iter()
                        .copied(),
                )
                .for_each(drop),
            6 => bytes.extend_from_slice(SAMPLES[random.below(SAMPLES.len())].as_bytes()),
            7 => bytes.splice(at..at, std::iter::repeat_n(b'[', random.below(300))).for_each(drop),
            _ => bytes.splice(at..at, random.next().to_string().into_bytes()).for_each(drop),
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

#[test]
fn what_holds_of_every_source_holds_of_lines_that_were_changed_at_random() {
    for sample in SAMPLES {
        invariants::hold(sample.as_bytes());
    }
    let began = Instant::now();
    let seconds = std::env::var("SALLYPORT_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let (within, rounds) =
        seconds.map_or((WITHIN, ROUNDS), |seconds| (Duration::from_secs(seconds), u64::MAX));
    let mut done = 0;
    for seed in 1..=rounds {
        if began.elapsed() > within {
            break;
        }
        done = seed;
        let bytes = mutated(&mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let held = std::panic::catch_unwind(|| invariants::hold(&bytes));
        assert!(held.is_ok(), "seed {seed}: {:?}", String::from_utf8_lossy(&bytes));
    }
    println!("{done} sources in {:?}", began.elapsed());
}
