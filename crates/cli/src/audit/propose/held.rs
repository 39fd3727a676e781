//! What somebody holds beside what they were seen to use.

use crate::answer::gaps;
use crate::audit::times::told;
use sallyport_posture::Snapshot;
use sallyport_rbac::allows;
use sallyport_rbac::propose::{Atom, Outcome, Used, is_discovery, rule_use};
use sallyport_rbac::who::{Caller, MASTERS};
use sallyport_report::objects::ObjectView;
use sallyport_report::words::{count, named, shown};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Resources of one binding that are listed for people.
const LISTED: usize = 12;

/// What somebody holds, by roles and bindings that were read, and what of it was used.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HoldsView {
    /// All groups that were counted.
    groups: Vec<String>,
    /// Whether they are in `system:masters`, who may do everything whatever is bound.
    masters: bool,
    /// Binding by binding.
    bindings: Vec<BindingView>,
    /// Calls that were let through and that none of the bindings explains: by another group, or by one that is gone.
    unexplained: Vec<String>,
    /// Why there may be more that they hold.
    gaps: Vec<String>,
}

/// What one binding gives, and what of it was used.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct BindingView {
    /// Where it holds; none: everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    binding: ObjectView,
    role: ObjectView,
    /// What some call used: `get pods/exec`.
    used: Vec<UsedView>,
    /// What was never seen used; `any verb on pods`: any but those that were.
    unused: Vec<String>,
    /// Rules that are too large to be looked at part by part.
    too_large: usize,
    /// The unused verbs of each resource, for people.
    #[serde(skip)]
    by_resource: BTreeMap<String, BTreeSet<String>>,
}

/// A right that was used.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UsedView {
    /// With the rule's resource: `get pods`, `get *`.
    right: String,
    /// By how many calls.
    calls: u64,
    /// It stands for more than one thing: the calls used a part of it.
    is_wild: bool,
}

/// Compares both.
pub(super) fn holds(snapshot: &Snapshot, caller: &Caller, used: &[Used]) -> HoldsView {
    let (rbac, aggregated) = snapshot.rbac();
    let mut held = rbac.held_anywhere(caller);
    held.sort_by_key(|one| (&one.binding.namespace, &one.binding.name));
    let bindings = held.iter().map(|one| {
        let namespace = one.binding.namespace.clone();
        let mut view = BindingView {
            binding: ObjectView::binding(one.binding),
            role: ObjectView::role(one.role),
            used: Vec::new(),
            unused: Vec::new(),
            too_large: 0,
            by_resource: BTreeMap::new(),
            namespace,
        };
        for rule in &one.role.rules {
            let is = rule_use(rule, view.namespace.as_deref(), used);
            view.too_large += usize::from(is.is_too_large);
            let with_use = |(atom, calls): (Atom, u64)| UsedView {
                is_wild: atom.is_wild(),
                right: right(&atom, &rule.resource_names),
                calls,
            };
            view.used.extend(is.used.into_iter().map(with_use));
            view.unused.extend(is.unused.iter().map(|atom| right(atom, &rule.resource_names)));
            for atom in &is.unused {
                let verb = if atom.verb == "*" { "any other" } else { &atom.verb };
                let what = shown(&named_too(&atom.what(), &rule.resource_names));
                view.by_resource.entry(what).or_default().insert(shown(verb));
            }
        }
        view.unused.sort();
        view.unused.dedup();
        view
    });
    let bindings: Vec<BindingView> = bindings.collect();
    let is_explained = |one: &&Used| {
        let holds = |held: &&sallyport_rbac::who::Held<'_>| held.binding.holds_in(one.namespace());
        held.iter().filter(holds).any(|held| allows(&held.role.rules, one.ask()))
    };
    let masters = caller.groups.iter().any(|group| group == MASTERS);
    let counts = |one: &&Used| one.outcome == Outcome::Allowed && !masters && !is_discovery(one.ask());
    let allowed = used.iter().filter(counts);
    let mut unexplained: Vec<String> =
        allowed.filter(|one| !is_explained(one)).map(|one| one.asked.said()).collect();
    unexplained.sort();
    unexplained.dedup();
    HoldsView {
        groups: caller.groups.clone(),
        masters,
        bindings,
        unexplained,
        gaps: gaps(snapshot, &aggregated),
    }
}

fn right(atom: &Atom, names: &[String]) -> String {
    shown(&named_too(&atom.said(), names))
}

fn named_too(what: &str, names: &[String]) -> String {
    if names.is_empty() { what.to_owned() } else { format!("{what} named {}", names.join(", ")) }
}

impl HoldsView {
    pub(super) fn is_whole(&self) -> bool {
        self.gaps.is_empty()
    }

    /// For people. `since`: how far back the logs reach, in microseconds of Unix time.
    pub(super) fn told(&self, since: Option<i64>) -> String {
        let since = since.map_or("in these logs".to_owned(), |at| format!("since {}", told(at)));
        let mut text = format!(
            "\nHeld, counting the groups {}; \"never used\" means never seen used {since}, as far as the audit policy \
             tells:\n",
            shown(&self.groups.join(", "))
        );
        if self.masters {
            text.push_str("  everything, being in system:masters, whatever is bound\n");
        }
        if self.bindings.is_empty() && !self.masters {
            text.push_str("  nothing, by the roles and bindings that were read\n");
        }
        for one in &self.bindings {
            let object = |view: &ObjectView| named(&view.kind, view.namespace.as_deref(), &view.name);
            // Writing to a String never fails.
            let _ = writeln!(text, "  {} gives {}", object(&one.binding), object(&one.role));
            if one.used.is_empty() && one.too_large == 0 {
                text.push_str("    none of it was ever used\n");
                continue;
            }
            for used in &one.used {
                let part = if used.is_wild { ", which are a part of it" } else { "" };
                let _ = writeln!(text, "    used: {} ({}{part})", used.right, calls(used.calls));
            }
            for (what, verbs) in one.by_resource.iter().take(LISTED) {
                let verbs: Vec<&str> = verbs.iter().map(String::as_str).collect();
                let _ = writeln!(text, "    never used: {what}: {}", verbs.join(", "));
            }
            if one.by_resource.len() > LISTED {
                let more = one.by_resource.len() - LISTED;
                let _ = writeln!(text, "    never used: {more} more resources, which -o json lists");
            }
            if one.too_large > 0 {
                let _ = writeln!(text, "    not looked at: {}, too large", count(one.too_large, "rule"));
            }
        }
        for said in self.unexplained.iter().take(LISTED) {
            let _ = writeln!(
                text,
                "  {said}: was allowed by none of these (another group, --group names it; or a binding that is gone)"
            );
        }
        if self.unexplained.len() > LISTED {
            let _ = writeln!(text, "  and {} more such", self.unexplained.len() - LISTED);
        }
        text.push_str(&crate::answer::told(&self.gaps));
        text
    }
}

pub(super) fn calls(number: u64) -> String {
    if number == 1 { "1 call".to_owned() } else { format!("{number} calls") }
}
