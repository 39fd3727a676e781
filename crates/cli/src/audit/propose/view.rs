//! A proposal, as JSON and for people.

use super::super::times::told;
use super::super::view::LacksView;
use super::held::{HoldsView, calls};
use crate::held::RuleView;
use sallyport_rbac::Right;
use sallyport_rbac::propose::{Added, Proposed, Used};
use sallyport_report::objects::SubjectView;
use sallyport_report::proposed::Written;
use sallyport_report::words::{self, shown};
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Write as _;

/// Entries of a list for people.
const LISTED: usize = 20;

/// The rules that would have been enough for the calls that were seen.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProposalView {
    /// The cluster that the calls were made on.
    pub(super) cluster: String,
    /// Whose calls: a name as API servers know it, or a session's account.
    pub(super) whose: String,
    /// To whom the roles are bound in `yaml`; none: to nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<SubjectView>,
    /// How many calls were seen.
    pub(super) calls: u64,
    /// The first of them: RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first: Option<String>,
    /// The last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<String>,
    /// The first and the last moment of which there is any call on that cluster in the time that was asked for: how far
    /// the logs reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reach: Option<ReachView>,
    /// The roles, those that hold everywhere first.
    pub(super) roles: Vec<RoleView>,
    /// All of them with their bindings, as kubectl takes them.
    pub(super) yaml: String,
    /// Verbs in it that no call had, or that are for more objects than calls named, and why.
    pub(super) added: Vec<AddedView>,
    /// Calls that were refused, and that it does not allow.
    pub(super) refused: Vec<AskedView>,
    /// Calls that were let through and that it does not allow, since as a rule their words would mean more.
    pub(super) odd: Vec<AskedView>,
    /// Calls of which nothing says what came of them, and that it does not allow.
    pub(super) untold: Vec<AskedView>,
    /// Calls that asked what the API server can do, as everybody who signed in may.
    pub(super) discovery: u64,
    /// What it allows, in words: what is strong first.
    pub(super) allows: Vec<RightView>,
    /// What in it no session may have.
    pub(super) dangers: Vec<String>,
    /// With `--snapshot`: what they hold, and what of it was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) holds: Option<HoldsView>,
    /// What cannot be known from these logs.
    pub(super) not_known: Vec<String>,
    #[serde(flatten)]
    pub(super) lacks: LacksView,
    #[serde(skip)]
    pub(super) reaches_from: Option<i64>,
}

/// How far logs reach.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReachView {
    pub(super) first: String,
    pub(super) last: String,
}

/// A proposed role.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoleView {
    /// `Role` or `ClusterRole`.
    kind: &'static str,
    name: String,
    /// The namespaces it is bound in; empty: everywhere.
    namespaces: Vec<String>,
    rules: Vec<RuleView>,
    #[serde(skip)]
    told: Vec<String>,
}

/// A verb that no call had, or that is for more objects than calls named.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AddedView {
    /// Where; none: everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    verb: String,
    resource: String,
    because: &'static str,
    /// The names that calls had of what it is for all of; of many the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
    /// How many names those are in all.
    #[serde(skip_serializing_if = "is_none")]
    names_in_all: usize,
    #[serde(skip)]
    told: String,
}

/// Calls that asked for the same.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AskedView {
    /// As people say it: `get pods named a in payments`.
    what: String,
    calls: u64,
    /// The last of them: RFC 3339, UTC.
    last: String,
}

/// A right in words.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RightView {
    title: String,
    detail: String,
    /// It changes something, or shows what is secret.
    strong: bool,
}

impl RoleView {
    pub(super) fn of(role: &Proposed, written: &Written) -> Self {
        Self {
            kind: written.kind,
            name: written.name.clone(),
            namespaces: written.namespaces.clone(),
            rules: role.rules.iter().map(RuleView::from).collect(),
            told: role.rules.iter().map(words::rule).collect(),
        }
    }
}

impl From<Added> for AddedView {
    fn from(added: Added) -> Self {
        Self {
            told: words::added(&added),
            namespace: added.namespace,
            verb: added.verb,
            resource: added.resource,
            because: added.because.words(),
            names: added.names,
            names_in_all: added.names_in_all,
        }
    }
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

impl From<&Used> for AskedView {
    fn from(used: &Used) -> Self {
        Self { what: used.asked.said(), calls: used.calls, last: told(used.last) }
    }
}

impl From<Right> for RightView {
    fn from(right: Right) -> Self {
        Self { title: right.title, detail: right.detail, strong: right.strong }
    }
}

impl ProposalView {
    /// For people.
    pub(super) fn told(&self) -> String {
        let range = match (&self.first, &self.last) {
            (Some(first), Some(last)) => format!(", from {first} to {last}"),
            _ => String::new(),
        };
        let mut text =
            format!("{} on {}: {}{range}\n", shown(&self.whose), shown(&self.cluster), calls(self.calls));
        // Writing to a String never fails.
        if let Some(reach) = &self.reach {
            let _ = writeln!(text, "The logs of that cluster reach from {} to {}.", reach.first, reach.last);
        }
        text.push_str("\nWhat would have been enough:\n");
        if self.roles.is_empty() {
            text.push_str("  nothing beside what everybody who signs in may\n");
        }
        for role in &self.roles {
            let places: Vec<String> = role.namespaces.iter().map(|name| shown(name)).collect();
            let place =
                if places.is_empty() { "everywhere".to_owned() } else { format!("in {}", places.join(", ")) };
            let _ = writeln!(text, "  {place} ({} {})", role.kind, role.name);
            for rule in &role.told {
                let _ = writeln!(text, "    {rule}");
            }
        }
        for danger in &self.dangers {
            let _ = writeln!(text, "  STRONG: {danger}");
        }
        if !self.added.is_empty() {
            text.push_str("\nIn it, though no call had it:\n");
            for one in self.added.iter().take(LISTED) {
                let _ = writeln!(text, "  {}", one.told);
            }
            more(&mut text, self.added.len());
        }
        let lists = [
            (&self.refused, "Refused, and not in it"),
            (&self.odd, "Let through and not in it, since a rule with these words would allow more"),
            (&self.untold, "Not in it, since nothing says what came of it"),
        ];
        for (list, title) in lists {
            if list.is_empty() {
                continue;
            }
            let _ = writeln!(text, "\n{title}:");
            for one in list.iter().take(LISTED) {
                let _ = writeln!(text, "  {} ({}, the last {})", one.what, calls(one.calls), one.last);
            }
            more(&mut text, list.len());
        }
        if let Some(holds) = &self.holds {
            text.push_str(&holds.told(self.reaches_from));
        }
        text.push_str("\nNot known:\n");
        for one in &self.not_known {
            let _ = writeln!(text, "  {one}");
        }
        text.push_str(&self.lacks.told());
        if !self.roles.is_empty() {
            text.push_str("\n-o yaml writes it for `kubectl create -f`.\n");
        }
        text
    }

    /// For kubectl: comments say whose it is and what is not known.
    pub(super) fn written(&self) -> String {
        let mut text = String::new();
        let mut comment = |line: &str| {
            let _ = writeln!(text, "# {line}");
        };
        comment(&format!(
            "The least that would have been enough for {} of {} on {}",
            calls(self.calls),
            shown(&self.whose),
            shown(&self.cluster)
        ));
        if let (Some(first), Some(last)) = (&self.first, &self.last) {
            comment(&format!("from {first} to {last}."));
        }
        match &self.to {
            Some(_) => {
                comment("`kubectl create -f` makes it, and refuses where something is called so already.")
            }
            None => comment("Bound to nobody: for a profile, which names ClusterRoles."),
        }
        for one in &self.dangers {
            comment(&format!("STRONG: {one}"));
        }
        for one in self.added.iter().take(LISTED) {
            comment(&format!("No call had it: {}", one.told));
        }
        if self.added.len() > LISTED {
            comment(&format!("No call had it: {} more, which -o json lists", self.added.len() - LISTED));
        }
        for one in &self.not_known {
            comment(&format!("Not known: {one}"));
        }
        let lacks = self.lacks.told();
        lacks.lines().for_each(&mut comment);
        text.push_str(&self.yaml);
        text
    }
}

fn more(text: &mut String, all: usize) {
    if all > LISTED {
        let _ = writeln!(text, "  and {} more, which -o json lists", all - LISTED);
    }
}
