//! AP-12: who makes everybody else wait. An id of our own: the reference has no check of API priority and fairness, and a
//! FlowSchema that exempts somebody lets them keep an API server from answering, sessions' ends included.

use super::Finding;
use super::others::{finding, shown};
use crate::ground::{Ground, said};
use crate::severity::Severity;
use crate::snapshot::FlowRule;
use sallyport_rbac::who::{ANONYMOUS, AUTHENTICATED, MASTERS, Subject, UNAUTHENTICATED};

/// The level that waits for nothing; its name is Kubernetes' own.
const EXEMPT: &str = "exempt";
/// The last of those by which the parts of Kubernetes are told apart (`kube-system-service-accounts`); what comes after
/// takes nothing from them (`pkg/apis/flowcontrol/bootstrap/default.go`).
const SYSTEMS_LAST: i64 = 900;
/// What probes ask for, in each version: it costs an API server next to nothing.
const PROBES: [&str; 3] = ["/healthz", "/livez", "/readyz"];

/// How many a subject stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Many {
    /// Parts of Kubernetes, and whoever passes everything anyway.
    System,
    /// Somebody.
    Some,
    /// All accounts, or everybody who signed in.
    Everybody,
    /// Whoever did not sign in too.
    Anybody,
}

fn many(subject: &Subject) -> Many {
    match subject {
        Subject::Group(name) if name == MASTERS => Many::System,
        Subject::Group(name) if name == UNAUTHENTICATED || name == "*" => Many::Anybody,
        Subject::Group(name) if name == AUTHENTICATED || name == "system:serviceaccounts" => Many::Everybody,
        Subject::User(name) if name == ANONYMOUS || name == "*" => Many::Anybody,
        Subject::Group(name) if name.starts_with("system:serviceaccounts:") => match name.as_str() {
            "system:serviceaccounts:kube-system" => Many::System,
            _ => Many::Some,
        },
        _ if subject.as_account().is_some_and(|(namespace, _)| namespace == "kube-system") => Many::System,
        _ if subject.as_account().is_some() => Many::Some,
        _ if subject.name().starts_with("system:") => Many::System,
        _ => Many::Some,
    }
}

fn costs(rule: &FlowRule) -> bool {
    rule.on_resources || rule.paths.iter().any(|path| !PROBES.contains(&path.as_str()))
}

/// AP-12.
pub(super) fn exempt(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for flow in &ground.snapshot.flows {
        let name = shown(&flow.meta.name);
        let whom = |of: &dyn Fn(&FlowRule) -> bool| {
            let rules = flow.rules.iter().filter(|rule| of(rule));
            let mut all: Vec<&Subject> = rules.flat_map(|rule| &rule.subjects).collect();
            all.retain(|one| many(one) > Many::System);
            all.sort_by_key(|one| (std::cmp::Reverse(many(one)), one.name()));
            all.dedup();
            all
        };
        if flow.level == EXEMPT {
            let all = whom(&costs);
            let Some(first) = all.first() else { continue };
            let severity = match many(first) {
                Many::Anybody => Severity::High,
                Many::Everybody => Severity::Medium,
                Many::Some | Many::System => Severity::Low,
            };
            let more = if all.len() > 1 { format!(" and {} more", all.len() - 1) } else { String::new() };
            let sentence = format!(
                "FlowSchema {name} exempts {}{more} from all limits: their requests can keep the API server from answering \
                 others.",
                said(first)
            );
            findings.push(finding(check, "FlowSchema", &flow.meta, severity, sentence));
        } else if flow.precedence < SYSTEMS_LAST {
            let all = whom(&|rule| rule.on_everything);
            let Some(first) = all.first().filter(|one| many(one) >= Many::Everybody) else { continue };
            let sentence = format!(
                "FlowSchema {name} takes every request of {} before those of nodes and controllers are told apart \
                 (matchingPrecedence {}): while it is busy, they wait with everybody.",
                said(first),
                flow.precedence
            );
            findings.push(finding(check, "FlowSchema", &flow.meta, Severity::Medium, sentence));
        }
    }
    findings
}
