//! SARIF 2.1.0 (OASIS), with what GitHub's code scanning asks for beyond it: a place for each result, a fingerprint, and a
//! severity as a number.

use sallyport_model::visible;
use sallyport_report::exceptions::StaleView;
use sallyport_report::finding::{FindingView, OriginView, SeverityView};
use sallyport_report::objects::ObjectView;
use sallyport_report::view::{CheckView, CoverageView, ReportView, VerdictView};
use sallyport_report::words;
use serde_json::{Value, json};

pub(crate) fn sarif(report: &ReportView) -> Value {
    let mut results: Vec<Value> = report.findings.iter().filter_map(|found| result(report, found)).collect();
    results.extend(report.checks.iter().enumerate().filter_map(|(at, check)| open(at, check)));
    // Of no check of the catalogue: they follow its rules.
    let known = report.checks.len();
    results.extend(report.stale_exceptions.iter().map(|one| stale(known, one)));
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "sallyport",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": "https://sallyport.dev",
                "rules": rules(report),
            }},
            "automationDetails": {"id": format!("sallyport/posture/{}", visible(&report.read.source))},
            "invocations": [invocation(report)],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// What was not read and what is to be known of all answers.
fn invocation(report: &ReportView) -> Value {
    let note = |level: &str, text: &str| json!({"level": level, "message": {"text": visible(text)}});
    let gaps = report.read.kinds.iter().filter_map(|kind| kind.why.as_deref());
    let gaps = gaps.chain(report.read.parts.iter().filter_map(|part| part.why.as_deref()));
    let told: Vec<Value> = gaps
        .map(|gap| note("warning", gap))
        .chain(report.read.unread.iter().map(|file| note("warning", file)))
        .chain(report.notes.iter().map(|text| note("note", text)))
        .collect();
    let any = report.read.kinds.iter().any(|kind| kind.coverage == CoverageView::Read || kind.objects > 0);
    json!({"executionSuccessful": any, "toolExecutionNotifications": told})
}

fn rules(report: &ReportView) -> Vec<Value> {
    let mut rules: Vec<Value> = report.checks.iter().map(|check| rule(report, check)).collect();
    if !report.stale_exceptions.is_empty() {
        rules.extend(EXCEPTIONS.map(|(id, title)| {
            json!({
                "id": id,
                "shortDescription": {"text": title},
                "fullDescription": {"text": format!("{title}.")},
                "defaultConfiguration": {"level": "note"},
                "properties": {"tags": ["security"], "precision": "high", "security-severity": "2.0"},
            })
        }));
    }
    rules
}

/// What is found about exceptions themselves.
const EXCEPTIONS: [(&str, &str); 2] =
    [("EX-01", "An exception has ended"), ("EX-02", "An exception is about nothing")];

fn stale(known: usize, one: &StaleView) -> Value {
    let place = EXCEPTIONS.iter().position(|(id, _)| *id == one.check).unwrap_or_default();
    json!({
        "ruleId": one.check,
        "ruleIndex": known + place,
        "kind": "fail",
        "level": level(one.severity),
        "message": {"text": format!("{} Fix: {}", sentence(&visible(&one.said)), one.fix)},
        "partialFingerprints": {"sallyport/v1": format!("{}/{}", one.check, one.line)},
        "properties": {"severity": words::severity(one.severity.into())},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": encoded(&one.file)},
            "region": {"startLine": one.line.max(1)},
        }}],
    })
}

fn rule(report: &ReportView, check: &CheckView) -> Value {
    let maps = &check.maps;
    let tags: Vec<String> =
        [("CIS", maps.cis), ("NSA", maps.nsa), ("OWASP", maps.owasp), ("MITRE", maps.mitre)]
            .into_iter()
            .filter(|(_, id)| !id.is_empty())
            .map(|(catalogue, id)| format!("{catalogue}-{id}"))
            .chain(["security".to_owned()])
            .collect();
    // A rule has one severity there; the worst of its findings speaks for it.
    let worst = report.counted().filter(|found| found.check == check.id).map(|found| found.severity).max();
    let worst = worst.unwrap_or(SeverityView::Info);
    json!({
        "id": check.id,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": format!("{}.", check.title)},
        "help": {"text": check.fix},
        "defaultConfiguration": {"level": level(worst)},
        "properties": {"tags": tags, "precision": "high", "security-severity": number(worst)},
    })
}

fn level(severity: SeverityView) -> &'static str {
    match severity {
        SeverityView::Critical | SeverityView::High => "error",
        SeverityView::Medium => "warning",
        SeverityView::Low | SeverityView::Info => "note",
    }
}

/// As CVSS writes the same words: 9 and above is critical there, 7 high, 4 medium.
fn number(severity: SeverityView) -> &'static str {
    match severity {
        SeverityView::Critical => "9.5",
        SeverityView::High => "8.0",
        SeverityView::Medium => "5.5",
        SeverityView::Low => "2.0",
        SeverityView::Info => "0.0",
    }
}

fn result(report: &ReportView, found: &FindingView) -> Option<Value> {
    let index = report.checks.iter().position(|check| check.id == found.check)?;
    let check = report.checks.get(index)?;
    let mut result = json!({
        "ruleId": found.check,
        "ruleIndex": index,
        "message": {"text": format!("{} Fix: {}", sentence(&found.said), check.fix)},
        "partialFingerprints": {"sallyport/v1": found.fingerprint},
        "properties": {"severity": words::severity(found.severity.into())},
    });
    // SARIF: whatever is no failure has no level.
    let (kind, level) = if found.inert { ("informational", "none") } else { ("fail", level(found.severity)) };
    result["kind"] = json!(kind);
    result["level"] = json!(level);
    let places = objects(found);
    if let Some((first, more)) = places.split_first() {
        result["locations"] = json!([location(first)]);
        if !more.is_empty() {
            let related = more.iter().enumerate().map(|(at, object)| {
                let mut place = location(object);
                place["id"] = json!(at + 1);
                place
            });
            result["relatedLocations"] = related.collect();
        }
    }
    if found.origin == OriginView::Default {
        result["suppressions"] = json!([{"kind": "external", "justification": "It comes with Kubernetes and says what it said there."}]);
    }
    if let Some(excepted) = &found.excepted {
        result["suppressions"] =
            json!([{"kind": "external", "status": "accepted", "justification": visible(&excepted.said())}]);
    }
    Some(result)
}

/// What could not be answered is told as such, and never left out as if it had passed.
fn open(index: usize, check: &CheckView) -> Option<Value> {
    let (kind, why) = match (check.verdict, &check.why) {
        (VerdictView::Unknown, why) => ("open", why.clone()?),
        (VerdictView::Provider, why) => ("review", why.clone()?),
        _ => return None,
    };
    Some(json!({
        "ruleId": check.id,
        "ruleIndex": index,
        "kind": kind,
        "level": "none",
        "message": {"text": sentence(&visible(&why))},
    }))
}

fn sentence(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}

/// Bindings first: they are what one would change.
fn objects(found: &FindingView) -> Vec<&ObjectView> {
    let mut all: Vec<&ObjectView> = Vec::new();
    let bindings = found.evidence.iter().filter_map(|proof| proof.binding.as_ref());
    let roles = found.evidence.iter().map(|proof| &proof.role);
    for object in found.object.iter().chain(bindings).chain(roles) {
        if !all.contains(&object) && all.len() < 20 {
            all.push(object);
        }
    }
    all
}

fn location(object: &ObjectView) -> Value {
    let name = match &object.namespace {
        Some(namespace) => format!("{namespace}/{}", object.name),
        None => object.name.clone(),
    };
    let uri = match &object.file {
        Some(file) => encoded(file),
        // An object of a cluster is in no file; code scanning wants a path all the same.
        None => encoded(&format!("kubernetes/{}/{name}", object.kind.to_lowercase())),
    };
    json!({
        "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}},
        "logicalLocations": [{
            "name": visible(&object.name),
            "fullyQualifiedName": visible(&format!("{}/{name}", object.kind)),
            "kind": "object",
        }],
    })
}

/// A relative URI reference (RFC 3986): what may not stand in a path is written in percent. Neither a leading slash nor a
/// way out of the folder is left.
fn encoded(path: &str) -> String {
    let mut uri = String::new();
    for part in path.split('/').filter(|part| !matches!(*part, "" | "." | "..")) {
        if !uri.is_empty() {
            uri.push('/');
        }
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                uri.push(char::from(byte));
            } else {
                uri.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn a_uri_stays_in_its_folder_whatever_the_name() {
        assert_eq!(encoded("a/b c.yaml"), "a/b%20c.yaml");
        assert_eq!(encoded("/etc/../x:y"), "etc/x%3Ay");
        assert_eq!(encoded("kubernetes/clusterrole/system:ü"), "kubernetes/clusterrole/system%3A%C3%BC");
    }
}
