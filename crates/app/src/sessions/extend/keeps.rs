//! Which calls under way outlive an extension. Pure.

use crate::sessions::owner::Held;
use sallyport_gateway::Target;
use sallyport_model::Scope;
use sallyport_rbac::{Ask, Rule, allows, growth};

/// Which calls of the old grant the new one holds as well.
pub(super) fn keeps(before: &Held, after: &Held) -> impl Fn(&Target) -> bool + Send + Sync + 'static {
    let is_no_less = before.scope.within(&after.scope) && growth(&after.rules, &before.rules).is_empty();
    let (rules, scope) = (after.rules.clone(), after.scope.clone());
    move |target| is_no_less || is_held(&rules, &scope, target)
}

/// Whether rules in a scope allow a call.
fn is_held(rules: &[Rule], scope: &Scope, target: &Target) -> bool {
    let Target { verb, group, resource, subresource, namespace, name, .. } = target;
    // What is no resource is discovery, which everybody may read.
    if resource.is_empty() {
        return true;
    }
    // Of exec and its like the URL says get or create as the client speaks WebSocket or SPDY; either right lets it in.
    let verbs = match subresource.as_str() {
        "exec" | "attach" | "portforward" => ["get", "create"],
        _ => [verb.as_str(); 2],
    };
    let asked = |verb| Ask::Resource { verb, group, resource, subresource, name };
    scope.holds(namespace) && verbs.into_iter().any(|verb| allows(rules, asked(verb)))
}

#[cfg(test)]
mod tests;
