//! Wildcards in roles that somebody holds: what they stand for grows with the cluster.

use super::Finding;
use crate::evidence::{Evidence, Object};
use crate::ground::{Ground, Origin};
use crate::rights::is_full;
use crate::severity::Severity;
use sallyport_model::{clip, visible};
use sallyport_rbac::Rule;
use std::sync::Arc;

const READS: [&str; 3] = ["get", "list", "watch"];

/// Roles with a `*` that do not allow everything: RB-01 and RB-02 tell those.
pub(super) fn looks(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let roles = ground.rights.rbac.roles();
    let mut held: Vec<Vec<usize>> = vec![Vec::new(); roles.len()];
    for (at, (_, role)) in ground.rights.rbac.bindings().iter().enumerate() {
        if let Some(held) = held.get_mut(*role) {
            held.push(at);
        }
    }
    let mut findings = Vec::new();
    for (place, (role, held)) in roles.iter().zip(held).enumerate() {
        if held.is_empty() || role.rules.iter().any(is_full) {
            continue;
        }
        let wide =
            held.iter().any(|at| ground.rights.binding(*at).is_some_and(|one| one.namespace.is_none()));
        let severity = |rule: &Rule| {
            let reads = rule.verbs.iter().all(|verb| READS.contains(&verb.as_str()));
            match (wide, reads) {
                (true, false) => Severity::High,
                (true, true) | (false, false) => Severity::Medium,
                (false, true) => Severity::Low,
            }
        };
        // The worst of them, and of those the first.
        let wildcards_of = role.rules.iter().enumerate().filter(|(_, rule)| has_wildcard(rule));
        let worst = wildcards_of.max_by_key(|(number, rule)| (severity(rule), std::cmp::Reverse(*number)));
        let Some((number, rule)) = worst else { continue };
        let Some(object) = ground.role_object(place) else { continue };
        let binding = held.first().and_then(|at| ground.object(*at));
        findings.push(Finding {
            check,
            inert: false,
            severity: severity(rule),
            subject: None,
            namespaces: None,
            evidence: vec![Evidence { binding, role: Arc::clone(&object), rule: Some(number) }],
            said: format!(
                "{} {} allows {} in rule {}, and is given by {} binding{}: what that stands for grows with each kind that \
                 is added to the cluster.",
                object.kind,
                clip(&visible(&role.name), 80),
                wildcards(rule),
                number + 1,
                held.len(),
                if held.len() == 1 { "" } else { "s" },
            ),
            object: Some(Object::clone(&object)),
            origin: held.iter().map(|at| ground.origin(*at)).max().unwrap_or(Origin::Own),
        });
    }
    findings
}

fn star(list: &[String]) -> bool {
    list.iter().any(|entry| entry == "*")
}

/// `*/scale` is no such thing: it is one subresource.
fn has_wildcard(rule: &Rule) -> bool {
    star(&rule.verbs) || star(&rule.api_groups) || star(&rule.resources)
}

fn wildcards(rule: &Rule) -> String {
    let named = [
        ("every verb", &rule.verbs),
        ("every API group", &rule.api_groups),
        ("every resource", &rule.resources),
    ];
    let all: Vec<&str> = named.into_iter().filter(|(_, list)| star(list)).map(|(name, _)| name).collect();
    all.join(" and ")
}
