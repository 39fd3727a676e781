//! Each filter is read back as its cloud would read it, and asked of records in that cloud's shape. The readers here know
//! no more of the syntax than these filters use.

use super::*;
use serde_json::{Value, json};

/// Who, verb, resource, subresource, and whether it is to be handed on.
const RECORDS: [(&str, &str, &str, &str, bool); 17] = [
    ("system:serviceaccount:sallyport-sessions:s-a-1", "list", "pods", "", true),
    ("system:serviceaccount:sallyport-sessions:s-a-1", "get", "pods", "log", true),
    ("system:serviceaccount:sallyport-sessions-2:x", "list", "pods", "", false),
    ("system:serviceaccount:sallyport-system:broker", "create", "serviceaccounts", "token", true),
    ("dana@example.com", "list", "pods", "", true),
    ("kubernetes-admin", "get", "nodes", "", true),
    ("system:serviceaccount:ci:robot", "list", "pods", "", false),
    ("system:serviceaccount:ci:robot", "get", "secrets", "", true),
    ("system:serviceaccount:ci:robot", "patch", "deployments", "", true),
    ("system:serviceaccount:ci:robot", "deletecollection", "pods", "", true),
    ("system:serviceaccount:ci:robot", "get", "pods", "exec", true),
    ("system:serviceaccount:ci:robot", "get", "pods", "attach", true),
    ("system:node:a", "get", "nodes", "proxy", true),
    ("system:node:a", "update", "leases", "", false),
    ("system:node:a", "create", "events", "", false),
    ("system:kube-controller-manager", "watch", "pods", "", false),
    ("system:anonymous", "get", "secrets", "", true),
];

/// Comparisons with `=` and `!=` to a text that may end in `*`; `&&` before `||`; parentheses.
fn cloudwatch_has(pattern: &str, record: &Value) -> bool {
    fn or(text: &mut &str, record: &Value) -> bool {
        let mut is = and(text, record);
        while let Some(rest) = text.trim_start().strip_prefix("||") {
            *text = rest;
            is |= and(text, record);
        }
        is
    }
    fn and(text: &mut &str, record: &Value) -> bool {
        let mut is = one(text, record);
        while let Some(rest) = text.trim_start().strip_prefix("&&") {
            *text = rest;
            is &= one(text, record);
        }
        is
    }
    fn one(text: &mut &str, record: &Value) -> bool {
        if let Some(rest) = text.trim_start().strip_prefix('(') {
            *text = rest;
            let is = or(text, record);
            *text = text.trim_start().strip_prefix(')').expect("it is closed");
            return is;
        }
        let rest = text.trim_start().strip_prefix("$.").expect("a field");
        let (field, rest) = rest.split_once(' ').expect("an operator");
        let (op, rest) = rest.split_once(" \"").expect("a text");
        let (wanted, rest) = rest.split_once('"').expect("the end of a text");
        *text = rest;
        let found = field.split('.').try_fold(record, |value, key| value.get(key)).and_then(Value::as_str);
        // What is not there is neither like something nor unlike it.
        let Some(found) = found else { return false };
        let is = match wanted.strip_suffix('*') {
            Some(begin) => found.starts_with(begin),
            None => found == wanted,
        };
        match op {
            "=" => is,
            "!=" => !is,
            op => panic!("{op} is no operator"),
        }
    }
    let mut text = pattern.strip_prefix('{').and_then(|text| text.strip_suffix('}')).expect("braces");
    let is = or(&mut text, record);
    assert!(text.trim().is_empty(), "{text} is left");
    is
}

#[test]
fn the_pattern_for_cloudwatch_keeps_what_reports_need() {
    let pattern = cloudwatch();
    assert!(pattern.len() <= 1024, "{}", pattern.len());
    for (user, verb, resource, subresource, is_kept) in RECORDS {
        let mut object = json!({"resource": resource});
        if !subresource.is_empty() {
            object["subresource"] = subresource.into();
        }
        let record = json!({"verb": verb, "user": {"username": user}, "objectRef": object});
        assert_eq!(cloudwatch_has(&pattern, &record), is_kept, "{record}");
    }
    // About no resource: a person's is kept, an account's is not.
    let path = |user: &str| json!({"verb": "get", "user": {"username": user}, "requestURI": "/metrics"});
    assert!(cloudwatch_has(&pattern, &path("dana")));
    assert!(!cloudwatch_has(&pattern, &path("system:serviceaccount:ci:robot")));
    assert!(eks().contains(&pattern));
}

/// An estimate is of what the filters hand on.
#[test]
fn what_is_estimated_is_what_the_filters_keep() {
    for (user, verb, resource, subresource, is_kept) in RECORDS {
        let call = PolicyCall { user, verb, resource, subresource, ..PolicyCall::default() };
        for cloud in [Provider::Eks, Provider::Gke] {
            let at = decides(cloud, &call);
            assert_eq!(rules(cloud)[at].0, is_kept, "{user} {verb} {resource}/{subresource}");
        }
        assert!(rules(Provider::Aks)[decides(Provider::Aks, &call)].0);
    }
    let path = |user| PolicyCall { user, verb: "get", path: "/metrics", ..PolicyCall::default() };
    assert!(rules(Provider::Eks)[decides(Provider::Eks, &path("dana"))].0);
    let robot = path("system:serviceaccount:ci:robot");
    assert!(!rules(Provider::Eks)[decides(Provider::Eks, &robot)].0);
    let post = PolicyCall { verb: "post", ..robot };
    assert!(!rules(Provider::Eks)[decides(Provider::Eks, &post)].0);
    // Each part is met by some record, or it would be estimated by nothing that was tried.
    let met = RECORDS.map(|(user, verb, resource, subresource, _)| {
        decides(Provider::Eks, &PolicyCall { user, verb, resource, subresource, ..PolicyCall::default() })
    });
    assert!((0..PARTS.len()).all(|part| met.contains(&part)), "{met:?}");
}

/// A regular expression of `^`, `[.]`, `[a-z]+`, `$` and one choice, as these filters use it.
fn fits(expression: &str, text: &str) -> bool {
    if let Some(begin) = expression.strip_prefix('^') {
        return text.starts_with(begin);
    }
    let ends = expression.strip_suffix('$').expect("an end");
    let (before, after) = match ends.split_once('(') {
        Some((before, rest)) => {
            let (choice, after) = rest.split_once(')').expect("a choice that ends");
            (choice.split('|').map(|one| format!("{before}{one}")).collect(), after.to_owned())
        }
        None => {
            let (before, after) = ends.split_once("[.][a-z]+").expect("a verb");
            (vec![before.to_owned()], format!("[.][a-z]+{after}"))
        }
    };
    let text = match after.as_str() {
        "" => text,
        "[.][a-z]+" => match text.rsplit_once('.') {
            Some((begin, verb)) if !verb.is_empty() && verb.bytes().all(|b| b.is_ascii_lowercase()) => begin,
            _ => return false,
        },
        other => panic!("{other} is not read here"),
    };
    let before: Vec<String> = before;
    before.iter().any(|end| text.ends_with(&end.replace("[.]", ".")))
}

/// Lines that are joined by OR, each of comparisons joined by AND.
fn logging_has(filter: &str, email: &str, method: &str) -> bool {
    let one = |text: &str| {
        let (is_not, text) =
            text.trim().strip_prefix("NOT ").map_or((false, text.trim()), |rest| (true, rest));
        let (field, rest) = text.split_once("=~\"").expect("a comparison");
        let value = if field.ends_with("principalEmail") { email } else { method };
        fits(rest.strip_suffix('"').expect("a text"), value) != is_not
    };
    let lines = filter.lines().filter(|line| line.starts_with("  "));
    lines
        .map(|line| line.trim().strip_prefix("OR ").unwrap_or(line.trim()))
        .any(|line| line.trim_matches(|c| c == '(' || c == ')').split(" AND ").all(one))
}

#[test]
fn the_filter_for_cloud_logging_keeps_what_reports_need() {
    let filter = logging();
    for (user, verb, resource, subresource, is_kept) in RECORDS {
        let below = if subresource.is_empty() { String::new() } else { format!("{subresource}.") };
        let method = format!("io.k8s.core.v1.{resource}.{below}{verb}");
        assert_eq!(logging_has(&filter, user, &method), is_kept, "{user} {method}");
    }
    assert!(filter.starts_with("resource.type=\"k8s_cluster\" AND protoPayload.serviceName=\"k8s.io\""));
    assert!(gke().ends_with(&filter));
}

/// Whoever takes kube-audit-admin loses every read, and with it each WebSocket into a container.
#[test]
fn aks_takes_the_category_with_reads_in_it() {
    let text = aks();
    let start = text.find("'[").expect("a list") + 1;
    let end = text[start..].find(']').expect("its end") + start + 1;
    let logs: Value = serde_json::from_str(&text[start..end]).expect("it is JSON");
    let categories: Vec<&str> =
        logs.as_array().unwrap().iter().filter_map(|one| one["category"].as_str()).collect();
    assert_eq!(categories, ["kube-audit", "guard"]);
}
