//! RB-38: roles and bindings of Kubernetes' own that say something else than it ships, and roles of the team's that widen
//! view, edit or admin. What each version ships is told by digests (`defaults.txt`), so that something differs is known and
//! not what.

use super::others::{finding, shown};
use super::{Finding, Verdict};
use crate::defaults::{Shipped, binding_line, is_known, role_line, shipped_by};
use crate::evidence::Evidence;
use crate::ground::{Ground, Origin, binding_object};
use crate::severity::Severity;
use crate::snapshot::{BindingObject, RoleObject};
use sallyport_rbac::{Powers, Rule};

/// The shipped roles that take in others, what each is for, and the roles that Kubernetes puts into it.
const WIDENED: [(&str, &str, &[&str]); 3] = [
    ("view", "for reading what is no secret", &["system:aggregate-to-view"]),
    ("edit", "for working in a namespace", &["system:aggregate-to-view", "system:aggregate-to-edit"]),
    (
        "admin",
        "for running a namespace",
        &["system:aggregate-to-view", "system:aggregate-to-edit", "system:aggregate-to-admin"],
    ),
];

/// The version, where what it ships is known.
fn known(ground: &Ground<'_>) -> Option<(u32, u32)> {
    ground.snapshot.server.filter(|server| is_known(*server))
}

/// RB-38.
pub(super) fn looks(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let Some(server) = known(ground) else { return Vec::new() };
    let shipped = Shipped::of(Some(server));
    let version = format!("Kubernetes {}.{}", server.0, server.1);
    let mut findings = Vec::new();
    for one in &ground.snapshot.roles {
        findings.extend(role(check, one, &shipped, &version));
    }
    for one in &ground.snapshot.bindings {
        findings.extend(binding(check, one, &shipped, &version));
    }
    for (name, what_for, sources) in WIDENED {
        findings.extend(widened(ground, check, &shipped, (name, what_for, sources)));
    }
    findings
}

/// What RB-38 comes to where what is shipped is not known.
pub(super) fn about(ground: &Ground<'_>) -> Option<Verdict> {
    let why = match ground.snapshot.server {
        None => "the server's version is not known, and so not what it ships".to_owned(),
        Some(server) if !is_known(server) => {
            format!("the roles that Kubernetes {}.{} ships are not known here", server.0, server.1)
        }
        Some(_) => return None,
    };
    Some(Verdict::Unknown(why))
}

/// Roles of programs of the system: what they give beyond what is shipped is told of those by RB-04 to RB-25, and clusters
/// that are older than what is written down here hold leftovers of before.
const PROGRAMS: [&str; 4] = ["system:controller:", "system:kube-", "system:node", "system::leader-locking-"];

/// How bad, and what, of something that differs or that the API server does not put right. `line` is none where what it says
/// is not all that it is.
fn differs(
    name: &str,
    differs: bool,
    left: bool,
    line: Option<&str>,
    version: &str,
) -> Option<(Severity, String)> {
    let stays = if left { ", and the API server leaves it so (autoupdate: \"false\")" } else { "" };
    match (differs, line.and_then(shipped_by)) {
        (true, Some(other)) if !left => {
            Some((Severity::Low, format!("is as Kubernetes {other} ships it, and not {version}")))
        }
        (true, _) => {
            let severity = match PROGRAMS.iter().any(|of| name.starts_with(of)) && !left {
                true => Severity::Low,
                false => Severity::Medium,
            };
            let what = format!(
                "is not as {version} ships it{stays}: somebody changed it, or an upgrade left what an old version shipped"
            );
            Some((severity, what))
        }
        (false, _) => left.then(|| {
            let what =
                "is as Kubernetes ships it, and would be left as somebody changes it (autoupdate: \"false\")";
            (Severity::Low, what.to_owned())
        }),
    }
}

fn role(check: &'static str, one: &RoleObject, shipped: &Shipped, version: &str) -> Option<Finding> {
    if !shipped.names_role(&one.role) {
        return None;
    }
    // What Kubernetes puts together of others says what those say: they are looked at. Another that takes some in was
    // changed, whatever it says now.
    let composed = one.selectors.is_some() && WIDENED.iter().any(|(name, ..)| *name == one.role.name);
    let changed = !composed && (one.selectors.is_some() || !shipped.has_role(&one.role));
    let line = one.selectors.is_none().then(|| role_line(&one.role));
    let (mut severity, what) =
        differs(&one.role.name, changed, one.meta.left_as_it_is, line.as_deref(), version)?;
    let kind = if one.role.namespace.is_some() { "Role" } else { "ClusterRole" };
    if changed && one.role.name == "view" && one.role.rules.iter().any(|rule| !Powers::of(rule).is_empty()) {
        severity = Severity::High;
    }
    let said = format!("{kind} {} {what}.", shown(&one.role.name));
    Some(finding(check, kind, &one.meta, severity, said))
}

fn binding(check: &'static str, one: &BindingObject, shipped: &Shipped, version: &str) -> Option<Finding> {
    if !shipped.names_binding(&one.binding) {
        return None;
    }
    let changed = !shipped.has_binding(&one.binding) || !one.odd.is_empty();
    let line = one.odd.is_empty().then(|| binding_line(&one.binding));
    let (severity, what) = differs("", changed, one.meta.left_as_it_is, line.as_deref(), version)?;
    let own = binding_object(&one.binding, Some(&one.meta));
    let said = format!("{} {} {what}.", own.kind, shown(&one.binding.name));
    Some(finding(check, own.kind, &one.meta, severity, said))
}

/// The team's roles that put dangerous rights into one of Kubernetes' own that are beyond what it ships.
fn widened(
    ground: &Ground<'_>,
    check: &'static str,
    shipped: &Shipped,
    (name, what_for, sources): (&str, &str, &[&str]),
) -> Vec<Finding> {
    let roles = &ground.snapshot.roles;
    let is_there = |one: &&RoleObject| one.role.namespace.is_none() && one.role.name == name;
    let Some((at, own)) = roles.iter().enumerate().find(|(_, one)| is_there(one)) else { return Vec::new() };
    let mut before = roles
        .iter()
        .filter(|one| one.role.namespace.is_none() && sources.contains(&one.role.name.as_str()))
        .map(|one| one.role.rules.iter().map(Powers::of).fold(Powers::default(), Powers::or))
        .peekable();
    // Without those nothing says what is beyond them.
    if before.peek().is_none() {
        return Vec::new();
    }
    let before = before.fold(Powers::default(), Powers::or);
    let is_held = ground.rights.rbac.bindings().iter().any(|(_, role)| *role == at);
    let severity = match (name, is_held) {
        ("view", true) => Severity::High,
        _ => Severity::Medium,
    };
    let selected = |one: &&RoleObject| {
        one.role.namespace.is_none()
            && !WIDENED.iter().any(|(other, ..)| *other == one.role.name)
            && !shipped.has_role(&one.role)
            && own
                .selectors
                .iter()
                .flatten()
                .any(|all| all.iter().all(|one_of| one_of.holds(&one.meta.labels)))
    };
    let tell = |one: &RoleObject| {
        let beyond =
            |rule: &Rule| Powers::of(rule).iter().filter(|power| !before.has(*power)).collect::<Vec<_>>();
        let rules = one.role.rules.iter().enumerate();
        let (number, rule, new) =
            rules.map(|(at, rule)| (at, rule, beyond(rule))).find(|(.., new)| !new.is_empty())?;
        let words = new.iter().filter_map(|power| {
            let proof = power.proof(rule)?;
            let below =
                if proof.subresource.is_empty() { String::new() } else { format!("/{}", proof.subresource) };
            Some(format!("{} {}{below}", proof.verb, proof.resource))
        });
        let words: Vec<String> = words.take(3).collect();
        let said = format!(
            "ClusterRole {} puts into {name}, which is {what_for}: {} (rule {}).",
            shown(&one.role.name),
            words.join(", "),
            number + 1
        );
        let mut found = finding(check, "ClusterRole", &one.meta, severity, said);
        let role = found.object.clone()?;
        found.evidence = vec![Evidence { binding: None, role: role.into(), rule: Some(number) }];
        found.origin = Origin::Own;
        Some(found)
    };
    roles.iter().filter(selected).filter_map(tell).collect()
}
