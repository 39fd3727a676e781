//! Every shape that audit events come in.

use super::*;

const AT: &str = "2026-11-29T21:50:00.000Z";

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[test]
fn lists_and_old_shapes() {
    let list = format!(
        r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{{}},"items":[{EXEC},{EXEC}]}}"#
    );
    let (events, others, _) = found(list.as_bytes());
    assert_eq!((events.len(), others.len()), (2, 0));
    // The items of a list have no kind of their own.
    let bare = EXEC.replace(r#""kind":"Event","apiVersion":"audit.k8s.io/v1","#, "");
    let list = format!(r#"{{"items":[{bare}],"apiVersion":"audit.k8s.io/v1","kind":"EventList"}}"#);
    assert_eq!(found(list.as_bytes()).0[0].audit_id, events[0].audit_id);
    assert_eq!(found(format!("[{EXEC},\n{EXEC}]").replace('\n', " ").as_bytes()).0.len(), 2);
    // Two on one line.
    let (two, others, _) = found(format!("{EXEC}{EXEC}").as_bytes());
    assert_eq!((two.len(), others.len()), (2, 0));
    assert_eq!((&two[0].raw, &two[1].raw), (&events[0].raw, &events[0].raw));

    let beta = EXEC.replace("audit.k8s.io/v1\"", "audit.k8s.io/v1beta1\"");
    let event = only(&beta);
    assert!(event.flaws.has(Flaw::OldShape) && event.code == Some(101));
    let alpha = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1alpha1","metadata":{"creationTimestamp":"2017-09-05T10:04:55Z"},"level":"Request","timestamp":"2017-09-05T10:04:55Z","auditID":"a-1","stage":"ResponseComplete","requestURI":"/api/v1/pods","verb":"list","user":{"username":"admin","groups":["system:masters"]},"sourceIPs":["::1"],"objectRef":{"resource":"pods","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":200}}"#;
    let event = only(alpha);
    assert_eq!(event.at(), crate::time::micros("2017-09-05T10:04:55Z"));
    assert!(event.flaws.has(Flaw::OldShape));
    let (_, others, _) = found(EXEC.replace("audit.k8s.io/v1\"", "audit.k8s.io/v7\"").as_bytes());
    assert_eq!(others, [(1, "Event audit.k8s.io/v7".to_owned())]);
}

#[test]
fn eks() {
    let message = quoted(EXEC);
    let truncated = quoted(&format!("{}[Truncated...]", &EXEC[..700]));
    let subscription = format!(
        r#"{{"messageType":"DATA_MESSAGE","logGroup":"/aws/eks/pay/cluster","logStream":"kube-apiserver-audit-1","logEvents":[{{"id":"1","timestamp":1795987800000,"message":{message}}},{{"id":"2","timestamp":1795987801000,"message":"I1129 21:50:00.1 1 trace.go:205] x"}},{{"id":"3","timestamp":1795987802000,"message":{truncated}}}]}}"#
    );
    let (events, others, counts) = found(subscription.as_bytes());
    assert_eq!((events.len(), counts.partial), (2, 1));
    assert_eq!(others, [(1, "text".to_owned())]);
    assert!(events.iter().all(|event| event.shape == Shape::Eks));
    // What was cut before its time has that of the log event.
    let cut = &events[1];
    assert_eq!(cut.at(), Some(1_795_987_802_000_000));
    assert_eq!(cut.came(Field::ReceivedAt), Came::Inferred);
    assert_eq!((cut.verb.as_ref(), cut.user.name.as_ref()), ("get", events[0].user.name.as_ref()));

    for line in [
        format!("{AT} {EXEC}"),
        format!("{AT} kube-apiserver-audit-0a1b {EXEC}"),
        format!(r#"{{"timestamp":1795987800000,"message":{message},"ingestionTime":1795987800100}}"#),
        format!(
            r#"{{"@timestamp":"2026-11-29 21:50:00.000","@message":{message},"@logStream":"kube-apiserver-audit-1"}}"#
        ),
        format!(
            r#"{{"events":[{{"logStreamName":"kube-apiserver-audit-1","timestamp":1,"message":{message}}}]}}"#
        ),
    ] {
        let event = only(&line);
        assert_eq!((event.shape, event.code), (Shape::Eks, Some(101)), "{line}");
        assert_eq!(event.came(Field::ReceivedAt), Came::Raw);
    }
    // A container's runtime writes a time and more as well.
    assert_eq!(only(&format!("{AT} stdout F {EXEC}")).shape, Shape::Kubernetes);
    assert_eq!(
        only(&format!(r#"{{"log":{},"stream":"stdout"}}"#, quoted(&format!("{EXEC}\n")))).code,
        Some(101)
    );
}

#[test]
fn aks() {
    let log = quoted(&format!("{EXEC}\n"));
    let record = |category: &str, log: &str| {
        format!(
            r#"{{"operationName":"Microsoft.ContainerService/managedClusters/diagnosticLogs/Read","category":"{category}","resourceId":"/SUBSCRIPTIONS/x","properties":{{"pod":"kube-apiserver-1","log":{log},"stream":"stdout"}},"time":"{AT}"}}"#
        )
    };
    for log in [&log, EXEC] {
        let event = only(&record("kube-audit", log));
        assert_eq!((event.shape, event.code), (Shape::Aks, Some(101)));
        assert_eq!(event.account.unwrap().id(), "abcd");
    }
    let text = format!(
        r#"{{"category":"kube-audit-admin","properties":{},"time":"{AT}"}}"#,
        quoted(&format!(r#"{{"log":{log}}}"#))
    );
    assert_eq!(only(&text).shape, Shape::Aks);
    let exported = format!(r#"{{"Category":"kube-audit","log_s":{log},"TimeGenerated":"{AT}"}}"#);
    assert_eq!(only(&exported).shape, Shape::Aks);

    // 16 KiB are all that a log may have.
    let long = with(json!({"requestObject": {"spec": {"note": "x".repeat(40_000)}}}));
    let cut = quoted(&long[..16 * 1024]);
    let records = format!(
        r#"{{"records":[{},{},{},7]}}"#,
        record("kube-audit", &cut),
        record("guard", "\"x\""),
        record("kube-apiserver", "\"I1129 klog\"")
    );
    let (events, others, counts) = found(records.as_bytes());
    assert_eq!(counts.partial, 1);
    assert_eq!(events[0].command, ["psql", "--password", "[redacted]"]);
    assert_eq!(events[0].user.name, "system:serviceaccount:sallyport-sessions:s-abcd-1795500000");
    assert_eq!(events[0].at(), crate::time::micros(AT));
    assert!(events[0].request.is_some() && events[0].raw.len() < 2000);
    assert_eq!(others, [(1, "guard".into()), (1, "kube-apiserver".into()), (1, "NotAnObject".into())]);
    // The record itself may be cut.
    let record = record("kube-audit", &log);
    assert!(only(&record[..1100]).is_partial());
}

#[test]
fn gke() {
    let entry = json!({
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "authenticationInfo": {"principalEmail": "system:serviceaccount:sallyport-sessions:s-abcd-1795500000"},
            "authorizationInfo": [{"granted": true, "permission": "io.k8s.core.v1.pods.exec.create",
                "resource": "core/v1/namespaces/pay/pods/web-0/exec"}],
            "methodName": "io.k8s.core.v1.pods.exec.create",
            "requestMetadata": {"callerIp": "10.0.0.7", "callerSuppliedUserAgent": "kubectl/v1.35.0"},
            "resourceName": "core/v1/namespaces/pay/pods/web-0/exec", "serviceName": "k8s.io", "status": {"code": 0},
        },
        "insertId": "0198c0de-0000-7000-8000-000000000001",
        "labels": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "RBAC: allowed"},
        "resource": {"type": "k8s_cluster", "labels": {"cluster_name": "pay"}},
        "timestamp": "2026-11-29T21:50:00.5Z",
        "operation": {"id": "0198c0de-0000-7000-8000-000000000001", "producer": "k8s.io", "first": true, "last": true},
    });
    let event = only(&entry.to_string());
    assert_eq!((event.shape, event.verb.as_ref(), event.code), (Shape::Gke, "create", Some(101)));
    assert_eq!(event.came(Field::Code), Came::Inferred);
    assert_eq!(event.came(Field::Decision), Came::Raw);
    let object = event.object.as_ref().unwrap();
    assert_eq!((&*object.resource, &*object.subresource, &*object.name), ("pods", "exec", "web-0"));
    assert_eq!(event.uri, "/api/v1/namespaces/pay/pods/web-0/exec");
    assert!(event.account.is_some() && event.at().is_some());

    let change = |changes: &[(&str, Value)]| {
        let mut entry = entry.clone();
        for (place, value) in changes {
            *entry.pointer_mut(place).unwrap() = value.clone();
        }
        entry.to_string()
    };
    for (place, rpc, code, resource, namespace, name) in [
        ("core/v1/namespaces/pay", 7, 403, "namespaces", "pay", "pay"),
        ("core/v1/namespaces/pay/pods", 5, 404, "pods", "pay", ""),
        ("core/v1/nodes/n1", 6, 409, "nodes", "", "n1"),
        ("rbac.authorization.k8s.io/v1/clusterroles/x", 0, 201, "clusterroles", "", "x"),
    ] {
        let event = only(&change(&[
            ("/protoPayload/resourceName", json!(place)),
            ("/protoPayload/status/code", json!(rpc)),
        ]));
        let object = event.object.unwrap();
        assert_eq!((&*object.resource, &*object.namespace, &*object.name), (resource, namespace, name));
        assert_eq!(event.code, Some(code), "{place}");
    }
    let event = only(&change(&[("/protoPayload/resourceName", json!("readyz"))]));
    assert_eq!((event.object, event.uri.as_ref()), (None, "/readyz"));
    // A denial is told by the authorizer, whatever the status says.
    let event = only(&change(&[("/labels/authorization.k8s.io~1decision", json!("forbid"))]));
    assert_eq!((event.code, event.is_denied()), (Some(403), true));
    let other = change(&[
        ("/protoPayload/serviceName", json!("container.googleapis.com")),
        ("/protoPayload/methodName", json!("google.container.v1.ClusterManager.GetCluster")),
    ]);
    assert_eq!(found(other.as_bytes()).1, [(1, "LogEntry of another service".to_owned())]);
    assert_eq!(found(&other.as_bytes()[..400]).1, [(1, "NotJson".to_owned())]);
    // P20 holds for entries too.
    let mut with_secret = entry.clone();
    with_secret["protoPayload"]["resourceName"] = json!("core/v1/namespaces/pay/secrets/db");
    with_secret["protoPayload"]["request"] = json!({"kind": "Secret", "data": {"a": "aHVudGVyMg=="}});
    let event = only(&with_secret.to_string());
    assert!(!format!("{event:?}").contains("aHVudGVyMg") && event.redactions == 1);
    with_secret["protoPayload"]["status"] =
        json!({"code": 3, "message": "illegal base64 data, error found in #10 byte of ...|hunter2|..."});
    let event = only(&with_secret.to_string());
    assert!(!format!("{event:?}").contains("hunter2") && event.redactions == 2, "{event:?}");
}

/// A call as Cloud Logging exports it, in the order of its keys there.
const ENTRY: &str = r#"{"insertId":"0198c0de-0000-7000-8000-000000000001","labels":{"authorization.k8s.io/decision":"allow"},"operation":{"id":"0198c0de-0000-7000-8000-000000000001","first":true,"last":true},"timestamp":"2026-11-29T21:50:00.5Z","protoPayload":{"methodName":"io.k8s.core.v1.secrets.create","authenticationInfo":{"principalEmail":"dana@example.com"},"resourceName":"core/v1/namespaces/pay/secrets/db","serviceName":"k8s.io","request":{"kind":"Secret","data":{"a":"aHVudGVyMg=="}},"requestMetadata":{"callerIp":"10.0.0.7"},"response":{"data":{"a":"aHVudGVyMg=="}},"status":{"code":7}}}"#;

#[test]
fn an_entry_of_gke_that_goes_too_deep_is_an_event_all_the_same() {
    let deep = format!("{}\"hunter2\"{}", "[".repeat(50_000), "]".repeat(50_000));
    let whole = only(ENTRY);
    for (body, is_request) in [("request", true), ("response", false)] {
        let line = ENTRY.replace(&format!("\"{body}\":{{"), &format!("\"{body}\":{{\"x\":{deep},"));
        let event = only(&line);
        assert!(event.is_partial() && event.raw.contains("left out: 100"), "{}", event.raw);
        assert!(!event.raw.contains("hunter2") && !event.raw.contains("aHVudGVyMg"), "{}", event.raw);
        assert!(serde_json::from_str::<Value>(&event.raw).is_ok());
        assert_eq!(
            (&event.user, &event.object, event.code, event.at()),
            (&whole.user, &whole.object, Some(403), whole.at())
        );
        let facts = if is_request { &event.request } else { &event.response };
        assert!(facts.as_ref().unwrap().bytes > 100_000);
    }
    // Wherever it is, and whatever stands behind it.
    for line in [
        ENTRY.replace("\"callerIp\"", &format!("\"x\":{deep},\"callerIp\"")),
        ENTRY.replace("\"timestamp\"", &format!("\"x\":{deep},\"timestamp\"")),
        ENTRY.replace("\"timestamp\"", "\"x\":1e999,\"timestamp\""),
        format!("{ENTRY} tail"),
    ] {
        let event = only(&line);
        assert!(
            event.is_partial() && event.user == whole.user && !event.raw.contains("hunter2"),
            "{event:?}"
        );
    }
}

#[test]
fn p20_an_entry_of_gke_that_was_cut_says_what_it_says() {
    let whole = only(ENTRY);
    let method = ENTRY.find(",\"authenticationInfo").unwrap();
    let place = ENTRY.find(",\"serviceName").unwrap();
    for cut in 1..ENTRY.len() {
        let (events, others, _) = found(&ENTRY.as_bytes()[..cut]);
        assert_eq!(events.len() + others.len(), 1, "{cut}");
        if cut <= method {
            assert!(cut == method || events.is_empty(), "{cut}");
            continue;
        }
        let event = &events[0];
        assert!(event.is_partial() && event.shape == Shape::Gke, "{cut}");
        assert_eq!((&event.audit_id, &event.verb, event.at()), (&whole.audit_id, &whole.verb, whole.at()));
        assert!(!format!("{event:?}").contains("aHVudGVyMg"), "{cut}: {event:?}");
        assert!(cut <= place || event.object == whole.object, "{cut}");
        // What its status was, nobody knows.
        assert!(event.code.is_none() || event.code == Some(403), "{cut}: {:?}", event.code);
    }
    // Without what says which call it is, it is none.
    let (events, others, _) =
        found(ENTRY[..place].replace("\"id\"", "\"x\"").replace("insertId", "y").as_bytes());
    assert_eq!((events.len(), others), (0, vec![(1, "NotJson".to_owned())]));
}

#[test]
fn what_stands_in_between_is_named_by_its_line() {
    let source = format!(
        "I1129 21:50:00 klog\n\n{EXEC}\n{{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}}\n[info] x\n{{\"a\":1}}\r\n\u{feff}{EXEC}\r\n\0\0{EXEC}\n{{\"kind\":\"Event\",\"apiVersion\":\"v1\"}}\n{{\"a\":\n"
    );
    let (events, others, counts) = found(source.as_bytes());
    assert_eq!((events.len(), counts.blank, counts.lines), (3, 1, 10));
    let want = [(1, "text"), (4, "Pod v1"), (5, "text"), (6, "JSON"), (9, "Event v1"), (10, "NotJson")];
    assert_eq!(others, want.map(|(line, kind)| (line, kind.to_owned())));
}
