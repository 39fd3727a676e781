//! Grants that give nothing where they are: what is in no namespace, by a RoleBinding.

use super::Finding;
use crate::evidence::Evidence;
use crate::graph::TECHNIQUES;
use crate::ground::{Ground, said};
use crate::severity::Severity;
use sallyport_model::{clip, visible};
use sallyport_rbac::Power;

/// RoleBindings of roles that name what a check is about, and cannot give it. A role that names everything is no such
/// thing: it gives the rest.
pub(super) fn looks(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let powers: Vec<Power> = TECHNIQUES
        .iter()
        .filter(|technique| technique.check == check)
        .flat_map(|technique| technique.needs.iter().copied().flatten().copied())
        .filter(|power| power.is_cluster_wide())
        .collect();
    if powers.is_empty() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (at, (binding, place)) in ground.rights.rbac.bindings().iter().enumerate() {
        if binding.namespace.is_none() || !ground.rights.powers(*place).has_any(&powers) {
            continue;
        }
        let Some(role) = ground.rights.role(*place) else { continue };
        let given = ground.rights.rule_powers(*place);
        let Some(rule) = role.rules.iter().zip(given).position(|(rule, given)| {
            given.has_any(&powers) && rule.resources.iter().all(|entry| !entry.starts_with('*'))
        }) else {
            continue;
        };
        let Some(role_object) = ground.role_object(*place) else { continue };
        let shown = |text: &str| clip(&visible(text), 80);
        let who: Vec<String> = binding.subjects.iter().take(3).map(said).collect();
        findings.push(Finding {
            check,
            inert: true,
            severity: Severity::Info,
            subject: None,
            object: ground.object(at).as_deref().cloned(),
            namespaces: binding.namespace.clone().map(|own| vec![own]),
            evidence: vec![Evidence {
                binding: ground.object(at),
                role: role_object,
                rule: Some(rule),
            }],
            said: format!(
                "RoleBinding {} in {} gives {} the role {}, whose rule {} is about what is in no namespace: a \
                 RoleBinding never gives that.",
                shown(&binding.name),
                shown(binding.namespace.as_deref().unwrap_or_default()),
                if who.is_empty() { "nobody".to_owned() } else { who.join(", ") },
                shown(&role.name),
                rule + 1,
            ),
            origin: ground.origin(at),
        });
    }
    findings
}
