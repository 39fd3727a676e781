//! AD: webhooks that are asked about what is written: what they do not hear of, and what happens when they are away.

use super::Finding;
use super::answer::{Answer, Found, shown};
use super::others::finding;
use crate::ground::Ground;
use crate::severity::Severity;
use crate::snapshot::{Kind, Webhook, WebhookRule};
use std::collections::BTreeMap;

const RBAC: &str = "rbac.authorization.k8s.io";

/// What a webhook guards something by: group, resource, and whether it is in a namespace.
const GUARDED: [(&str, &str, bool); 6] = [
    ("", "pods", true),
    ("", "secrets", true),
    (RBAC, "roles", true),
    (RBAC, "rolebindings", true),
    (RBAC, "clusterroles", false),
    (RBAC, "clusterrolebindings", false),
];

/// Whether a webhook is asked about something of that.
fn guards(one: &Webhook) -> bool {
    one.rules.iter().any(|rule| GUARDED.iter().any(|(group, resource, _)| is_about(rule, group, resource)))
}

fn is_about(rule: &WebhookRule, group: &str, resource: &str) -> bool {
    rule.groups.iter().any(|own| own == "*" || own == group)
        && rule.resources.iter().any(|own| own == "*" || own == "*/*" || own == resource)
}

/// AD-03.
pub(super) fn failing_open(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in ground.snapshot.webhooks.iter().filter(|one| one.ignores_failure && guards(one)) {
        let severity = if one.mutating { Severity::Low } else { Severity::Medium };
        let sentence = format!(
            "{} {} lets requests pass when its webhook {} cannot be asked.",
            kind(one),
            shown(&one.meta.name),
            shown(&one.name)
        );
        findings.push(finding(check, kind(one), &one.meta, severity, sentence));
    }
    findings
}

fn kind(one: &Webhook) -> &'static str {
    if one.mutating { "MutatingWebhookConfiguration" } else { "ValidatingWebhookConfiguration" }
}

/// AD-04. What only changes what is written guards nothing alone, and is told of for its address alone.
pub(super) fn passed_over(ground: &Ground<'_>) -> Answer {
    let mut found = Vec::new();
    for one in ground.snapshot.webhooks.iter().filter(|one| guards(one)) {
        let (of, name) = (kind(one), shown(&one.name));
        let about = |what: &str, severity, said| {
            // Two things may be said of one: each has a name of its own.
            let own = format!("{} {}{what}", one.meta.name, one.name);
            Found::new(severity, of, own, said)
        };
        if let Some(url) = &one.url {
            // An address may hold a password.
            let host = url.rsplit('@').next().unwrap_or_default();
            let said =
                format!("Webhook {name} is asked at {}, and by no Service of this cluster.", shown(host));
            found.push(about("", Severity::Medium, said));
        }
        if one.mutating {
            continue;
        }
        if !one.spares.is_empty() {
            let said = format!(
                "Webhook {name} passes over namespaces by their labels ({}): whoever may set those is passed over.",
                shown(&one.spares.join(", "))
            );
            found.push(about("", Severity::Low, said));
        }
        if !one.object_labels.is_empty() {
            let said = format!(
                "Webhook {name} passes over objects by their labels ({}), and whoever writes an object writes those: it is \
                 asked about what wants to be asked about.",
                shown(&one.object_labels.join(", "))
            );
            found.push(about(" objects", Severity::Medium, said));
        }
        if !one.conditions.is_empty() {
            let said = format!(
                "Webhook {name} is asked only where its conditions hold ({}): what does not meet them is passed over.",
                shown(&one.conditions.join(", "))
            );
            found.push(about(" conditions", Severity::Low, said));
        }
        let outside = GUARDED.iter().filter(|(group, resource, namespaced)| {
            let mut about = one.rules.iter().filter(|rule| is_about(rule, group, resource)).peekable();
            about.peek().is_some() && about.all(|rule| !is_in_scope(&rule.scope, *namespaced))
        });
        let outside: Vec<&str> = outside.map(|(_, resource, _)| *resource).collect();
        if !outside.is_empty() {
            let said = format!(
                "Webhook {name} names {} and is never asked about them, by the scope of its rules.",
                outside.join(", ")
            );
            found.push(about(" scope", Severity::Low, said));
        }
    }
    found.extend(changes_unheard(ground));
    Answer::pass().with(found)
}

fn is_in_scope(scope: &str, namespaced: bool) -> bool {
    match scope {
        "Namespaced" => namespaced,
        "Cluster" => !namespaced,
        _ => true,
    }
}

/// Guards that hear of what is made, and not of how it is changed afterwards. One configuration may have a webhook for
/// each, so it is looked at as a whole.
fn changes_unheard(ground: &Ground<'_>) -> Vec<Found> {
    let mut by_configuration: BTreeMap<&str, Vec<&Webhook>> = BTreeMap::new();
    for one in ground.snapshot.webhooks.iter().filter(|one| !one.mutating && guards(one)) {
        by_configuration.entry(one.meta.name.as_str()).or_default().push(one);
    }
    let mut found = Vec::new();
    for (name, hooks) in by_configuration {
        let hears = |group: &str, resource: &str, operation: &str| {
            let rules = hooks.iter().flat_map(|one| &one.rules);
            rules.filter(|rule| is_about(rule, group, resource)).any(|rule| {
                // What was not read says nothing against it.
                rule.operations.is_empty() || rule.operations.iter().any(|own| own == "*" || own == operation)
            })
        };
        let unheard = GUARDED.iter().filter(|(group, resource, _)| {
            hears(group, resource, "CREATE") && !hears(group, resource, "UPDATE")
        });
        let unheard: Vec<&str> = unheard.map(|(_, resource, _)| *resource).collect();
        if unheard.is_empty() {
            continue;
        }
        let said = format!(
            "ValidatingWebhookConfiguration {} hears of {} when they are made, and not when they are changed: whoever \
             makes a harmless one changes it afterwards.",
            shown(name),
            unheard.join(", ")
        );
        let own = format!("{name} UPDATE");
        found.push(Found::new(Severity::Medium, "ValidatingWebhookConfiguration", own, said));
    }
    found
}

/// AD-09.
pub(super) fn failed_open(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    let series = told.series("apiserver_admission_webhook_fail_open_count");
    let found: Vec<Found> = series
        .filter(|one| one.value > 0.0)
        .map(|one| {
            let name = one.label("name");
            let said = format!(
                "Webhook {} could not be asked and was passed over {:.0} time(s) since the API server started.",
                shown(name),
                one.value
            );
            Found::new(Severity::Medium, "webhook", name, said)
        })
        .collect();
    Answer::unless(told.metrics.gap("/metrics").into_iter().collect()).with(found)
}

/// AD-11.
pub(super) fn unanswered(ground: &Ground<'_>) -> Answer {
    let snapshot = ground.snapshot;
    // Of Services and addresses that were not all read, one that was not seen may be there.
    if !snapshot.gaps(&[Kind::Service, Kind::EndpointSlice]).is_empty() {
        return Answer::pass();
    }
    let named = |namespace: &Option<String>, name: &str, own: &(String, String)| {
        namespace.as_deref() == Some(own.0.as_str()) && name == own.1
    };
    let mut found = Vec::new();
    for one in snapshot.webhooks.iter().filter(|one| !one.ignores_failure) {
        let Some(own) = &one.service else { continue };
        let service =
            snapshot.services.iter().find(|service| named(&service.meta.namespace, &service.meta.name, own));
        let behind = snapshot
            .endpoints
            .iter()
            .any(|slice| named(&slice.meta.namespace, &slice.service, own) && !slice.addresses.is_empty());
        let what = match service {
            None => "is not there",
            // What a name outside stands for is not seen.
            Some(service) if service.kind == "ExternalName" => continue,
            Some(_) if !behind => "has nothing behind it",
            Some(_) => continue,
        };
        let said = format!(
            "Webhook {} must be asked, and its Service {} in {} {what}: what it is asked about is refused.",
            shown(&one.name),
            shown(&own.1),
            shown(&own.0)
        );
        found.push(Found::new(Severity::Medium, kind(one), format!("{} {}", one.meta.name, one.name), said));
    }
    Answer::pass().with(found)
}
