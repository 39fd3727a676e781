//! `can`: what somebody can do.

use crate::answer::Answer;
use crate::answer::{self, gaps, json};
use crate::args;
use crate::end::{End, Stop};
use crate::question::caller;
use sallyport_posture::Snapshot;
use sallyport_rbac::Rule;
use sallyport_rbac::who::MASTERS;
use sallyport_report::objects::{ObjectView, SubjectView};
use sallyport_report::words;
use schemars::JsonSchema;
use serde::Serialize;

/// What somebody can do.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CanView {
    subject: SubjectView,
    /// All groups that were counted.
    groups: Vec<String>,
    /// Whether they are in `system:masters`, who may do everything.
    masters: bool,
    /// What they hold, binding by binding: those that hold everywhere first.
    holds: Vec<HeldView>,
    /// Why there may be more.
    gaps: Vec<String>,
}

/// One role that somebody holds by a binding.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct HeldView {
    /// Where it holds; none: everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    binding: ObjectView,
    role: ObjectView,
    rules: Vec<RuleView>,
}

/// A rule of a role, as RBAC writes it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RuleView {
    verbs: Vec<String>,
    api_groups: Vec<String>,
    resources: Vec<String>,
    resource_names: Vec<String>,
    #[serde(rename = "nonResourceURLs")]
    non_resource_urls: Vec<String>,
}

impl From<&Rule> for RuleView {
    fn from(rule: &Rule) -> Self {
        Self {
            verbs: rule.verbs.clone(),
            api_groups: rule.api_groups.clone(),
            resources: rule.resources.clone(),
            resource_names: rule.resource_names.clone(),
            non_resource_urls: rule.non_resource_urls.clone(),
        }
    }
}

pub(crate) fn can(snapshot: &Snapshot, args: &args::Can) -> Result<(String, End), Stop> {
    let (subject, caller) = caller(&args.who)?;
    let (rbac, aggregated) = snapshot.rbac();
    let mut held = match &args.namespace {
        Some(namespace) => rbac.held(&caller, Some(namespace)),
        None => rbac.held_anywhere(&caller),
    };
    held.sort_by_key(|one| (&one.binding.namespace, &one.binding.name));
    let view = CanView {
        subject: (&subject).into(),
        groups: caller.groups.clone(),
        masters: caller.groups.iter().any(|group| group == MASTERS),
        holds: held
            .iter()
            .map(|one| HeldView {
                namespace: one.binding.namespace.clone(),
                binding: ObjectView::binding(one.binding),
                role: ObjectView::role(one.role),
                rules: one.role.rules.iter().map(RuleView::from).collect(),
            })
            .collect(),
        gaps: gaps(snapshot, &aggregated),
    };
    let nothing = view.holds.is_empty() && !view.masters;
    let end = if nothing && !view.gaps.is_empty() { End::Unanswered } else { End::Good };
    if args.output == Answer::Json {
        return Ok((json(&view)?, end));
    }
    let groups = words::shown(&caller.groups.join(", "));
    let mut text = format!("What {} can do, counting the groups {groups}:\n", words::subject(&subject));
    if view.masters {
        text.push_str("  everything, being in system:masters\n");
    }
    for one in &held {
        let place = one
            .binding
            .namespace
            .as_deref()
            .map_or("everywhere".to_owned(), |namespace| format!("in {}", words::shown(namespace)));
        text.push_str(&format!(
            "\n  {place}, by {} and {}\n",
            words::binding(one.binding),
            words::role(one.role)
        ));
        for rule in &one.role.rules {
            text.push_str(&format!("    {}\n", words::rule(rule)));
        }
    }
    if nothing {
        text.push_str("  nothing, by the roles and bindings that were read\n");
    }
    text.push_str(&answer::told(&view.gaps));
    Ok((text, end))
}
