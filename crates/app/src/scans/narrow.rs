//! What somebody holds beside what they were seen to use, and a role that would have been enough.

use super::detail::{failed, found, gone};
use super::words::subject_named;
use super::{Scans, proposed::lined};
use crate::desk::AppError;
use crate::evidence::SeenOn;
use sallyport_ipc::{HeldUse, LacksView, Shown, UseView};
use sallyport_model::{NamespaceName, RoleName, Scope};
use sallyport_posture::{Ground, Kind, Snapshot};
use sallyport_rbac::propose::{Outcome, Place, Proposal, Proposed, Wanted, propose, rule_use};
use sallyport_rbac::who::{Held, MASTERS, Subject};
use sallyport_rbac::{Rule, dangers};
use sallyport_report::proposed::{role_name, written};
use sallyport_report::role::rule_lines;
use std::collections::BTreeSet;

/// Bindings that are listed, and rights of each.
const BINDINGS: usize = 20;
const RIGHTS: usize = 12;
/// Lines of a difference.
const LINES: usize = 600;

/// WhoCalled calls a finding's are.
pub(crate) enum WhoCalled {
    /// Somebody's who calls by a name of their own.
    Calls(Subject),
    /// Nobody's that a log could tell of; why, and what to do.
    Nobodys(Box<UseView>),
}

impl Scans {
    /// Whom a finding is about.
    ///
    /// # Errors
    /// When nobody is signed in, nothing is kept of the cluster, or there is no such finding.
    pub(crate) async fn whose(&self, cluster: &str, finding: String) -> Result<WhoCalled, AppError> {
        let signed = self.person.signed()?;
        let open = self.open(&signed).await?;
        let reading = self.reading(&open, cluster).await?;
        let looked = tokio::task::spawn_blocking(move || {
            let snapshot = reading.snapshot();
            let report = Ground::new(&snapshot).report();
            found(&report, &finding).map(|(_, found)| whose(found.subject.as_ref()))
        });
        looked.await.map_err(|e| failed().because(e))?.ok_or_else(gone)
    }

    /// What somebody holds, by the kept scan, beside what was seen.
    ///
    /// # Errors
    /// When nobody is signed in, or nothing is kept of the cluster.
    pub(crate) async fn narrowed(
        &self,
        cluster: String,
        subject: Subject,
        seen: Option<SeenOn>,
    ) -> Result<UseView, AppError> {
        let signed = self.person.signed()?;
        let open = self.open(&signed).await?;
        let reading = self.reading(&open, &cluster).await?;
        let looked =
            tokio::task::spawn_blocking(move || narrowed(&cluster, &reading.snapshot(), &subject, seen));
        looked.await.map_err(|e| failed().because(e))
    }
}

fn whose(subject: Option<&Subject>) -> WhoCalled {
    let (subject, why, next) = match subject {
        Some(subject @ Subject::User(_)) => return WhoCalled::Calls(subject.clone()),
        Some(group @ Subject::Group(_)) => (
            Some(group),
            "It is held by a group. An audit log tells who called and in which groups they were; what is kept of it here \
             tells who called.",
            "Ask for its people one by one: `sallyport audit propose --person NAME` says what each used.",
        ),
        None => (
            None,
            "It is about an object and nobody's rights, so that nobody's calls belong to it.",
            "What to do about it stands above.",
        ),
    };
    WhoCalled::Nobodys(Box::new(none(subject, why.to_owned(), next)))
}

/// No proposal, and why.
fn none(subject: Option<&Subject>, why: String, next: &str) -> UseView {
    UseView {
        subject: subject.map(|subject| subject_named(subject).into()),
        why: Some(why.into()),
        next: Some(next.into()),
        ..empty()
    }
}

fn empty() -> UseView {
    UseView {
        subject: None,
        why: None,
        next: None,
        calls: 0,
        refused: 0,
        first_us: None,
        last_us: None,
        reach_from_us: None,
        reach_to_us: None,
        held: Vec::new(),
        held_more: 0,
        role: Vec::new(),
        role_rules: 0,
        difference: Vec::new(),
        dangers: Vec::new(),
        not_known: Vec::new(),
        lacks: LacksView::default(),
    }
}

fn narrowed(cluster: &str, snapshot: &Snapshot, subject: &Subject, seen: Option<SeenOn>) -> UseView {
    const NAME: &str = "Name its audit log as a source in Audit (S there), let it be read, and ask again. `sallyport audit policy` says \
         what an API server has to write.";
    let Some(SeenOn { seen, reach, lacks }) = seen else {
        return none(Some(subject), "No audit log of any cluster was read on this desktop.".to_owned(), NAME);
    };
    let Some((reach_from, reach_to)) = reach else {
        let why = if lacks == LacksView::default() {
            format!("No audit log of {cluster} was read on this desktop.")
        } else {
            format!("What is kept of the audit log of {cluster} could not be looked at.")
        };
        return UseView { lacks, ..none(Some(subject), why, NAME) };
    };
    let (rbac, aggregated) = snapshot.rbac();
    let caller = subject.caller();
    let mut held = rbac.held_anywhere(&caller);
    held.sort_by_key(|one| (&one.binding.namespace, &one.binding.name));
    let proposal = match "proposed".parse::<RoleName>() {
        Ok(role) => propose(&seen.used, &Wanted::default(), &role),
        Err(_) => Proposal::default(),
    };
    let is_used = !proposal.roles.is_empty();
    let documents: Vec<String> = written(&proposal.roles, &role_name(subject.name()), Some(subject))
        .into_iter()
        .map(|one| one.yaml)
        .collect();
    let refused = seen.used.iter().filter(|one| one.outcome == Outcome::Refused).map(|one| one.calls).sum();
    let is_account = subject.as_account().is_some();
    let mut not_known = seen.not_known(&proposal, is_account);
    if !is_account {
        not_known.push(
            "In which groups they are is not known here: what they hold by a group is neither compared nor taken from them."
                .to_owned(),
        );
    }
    if caller.groups.iter().any(|group| group == MASTERS) {
        not_known.push("Being in system:masters they may do everything, whatever is bound.".to_owned());
    }
    let odd: u64 = proposal.odd.iter().chain(&proposal.untold).map(|one| one.calls).sum();
    if odd > 0 {
        not_known.push(format!(
            "{odd} calls are not in the role: nothing says what came of them, or as a rule their words would mean more."
        ));
    }
    not_known.extend(snapshot.gaps(Kind::RBAC));
    not_known.extend(snapshot.nobody_can_gaps(&aggregated));
    let why = (!is_used).then(|| {
        Shown::from("Nothing that a role gives was seen to be used, as far as this log was read: there is no role to propose.")
    });
    let next = (!is_used).then(|| {
        Shown::from("Where the log reaches back over all that they do now and then, the grant may go: the fix says how.")
    });
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let rules: usize = proposal.roles.iter().map(|role| role.rules.len()).sum();
    UseView {
        subject: Some(subject_named(subject).into()),
        why,
        next,
        calls: number(seen.calls),
        refused: number(refused),
        first_us: seen.range.map(|(first, _)| first),
        last_us: seen.range.map(|(_, last)| last),
        reach_from_us: Some(reach_from),
        reach_to_us: Some(reach_to),
        held: held.iter().take(BINDINGS).map(|one| held_use(one, &seen.used)).collect(),
        held_more: count(held.len().saturating_sub(BINDINGS)),
        role: lined(&documents.join("---\n")),
        role_rules: count(rules),
        difference: difference(&held, &proposal.roles).iter().map(Shown::from).collect(),
        dangers: dangers_of(&proposal).iter().map(Shown::from).collect(),
        not_known: not_known.iter().map(Shown::from).collect(),
        lacks,
    }
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

/// What a binding gives, and what of it was used.
fn held_use(one: &Held<'_>, calls: &[sallyport_rbac::propose::Used]) -> HeldUse {
    let place = one.binding.namespace.as_deref();
    let (mut used, mut unused, mut too_large) = (BTreeSet::new(), BTreeSet::new(), 0);
    for rule in &one.role.rules {
        let is = rule_use(rule, place, calls);
        too_large += usize::from(is.is_too_large);
        let named = |what: String| match rule.resource_names.as_slice() {
            [] => what,
            names => format!("{what} named {}", names.join(", ")),
        };
        used.extend(is.used.iter().map(|(atom, _)| named(atom.said())));
        unused.extend(is.unused.iter().map(|atom| named(atom.said())));
    }
    let more = |all: &BTreeSet<String>| count(all.len().saturating_sub(RIGHTS));
    let first = |all: &BTreeSet<String>| all.iter().take(RIGHTS).map(Shown::from).collect();
    HeldUse {
        binding: sallyport_report::words::binding(one.binding).into(),
        role: sallyport_report::words::role(one.role).into(),
        used_more: more(&used),
        unused_more: more(&unused),
        used: first(&used),
        unused: first(&unused),
        too_large: count(too_large),
    }
}

/// A rule with its lists in order, so that the same is the same.
fn in_order(rule: &Rule) -> Vec<String> {
    let mut rule = rule.clone();
    for list in [
        &mut rule.verbs,
        &mut rule.api_groups,
        &mut rule.resources,
        &mut rule.resource_names,
        &mut rule.non_resource_urls,
    ] {
        list.sort();
        list.dedup();
    }
    rule_lines(&rule)
}

/// The rules that they hold and those that would have been enough, as a difference: what goes, what stays as it is, what comes.
fn difference(held: &[Held<'_>], proposed: &[Proposed]) -> Vec<String> {
    let wanted: Vec<(Option<&str>, Vec<String>)> = proposed
        .iter()
        .flat_map(|role| {
            let places = match &role.place {
                Place::Everywhere => vec![None],
                Place::In(namespaces) => namespaces.iter().map(|name| Some(name.as_str())).collect(),
            };
            let rules = role.rules.iter().map(in_order);
            rules.flat_map(move |rule| places.clone().into_iter().map(move |place| (place, rule.clone())))
        })
        .collect();
    let mut lines = Vec::new();
    let mut kept = BTreeSet::new();
    let place_of = |place: Option<&str>| place.map_or("everywhere".to_owned(), |name| format!("in {name}"));
    let mark = |lines: &mut Vec<String>, sign: char, rule: &[String]| {
        lines.extend(rule.iter().map(|line| format!("{sign}{line}")));
    };
    for one in held {
        let place = one.binding.namespace.as_deref();
        let binding = sallyport_report::words::binding(one.binding);
        let role = sallyport_report::words::role(one.role);
        lines.push(format!("# {binding} gives {role} {}", place_of(place)));
        for rule in one.role.rules.iter().map(in_order) {
            match wanted.iter().position(|(at, wanted)| *at == place && *wanted == rule) {
                Some(at) => {
                    kept.insert(at);
                    mark(&mut lines, ' ', &rule);
                }
                None => mark(&mut lines, '-', &rule),
            }
        }
    }
    let mut place_before = None;
    for (at, (place, rule)) in wanted.iter().enumerate() {
        if kept.contains(&at) {
            continue;
        }
        if place_before != Some(*place) {
            lines.push(format!("# instead, {}", place_of(*place)));
            place_before = Some(*place);
        }
        mark(&mut lines, '+', rule);
    }
    if lines.len() > LINES {
        let more = lines.len() - LINES;
        lines.truncate(LINES);
        lines.push(format!("# {more} more lines"));
    }
    lines
}

/// What in the proposal no session may have.
fn dangers_of(proposal: &Proposal) -> Vec<String> {
    let of = |role: &Proposed| {
        let scope = match &role.place {
            Place::Everywhere => Scope::ClusterWide,
            Place::In(names) => {
                Scope::from_list(names.iter().filter_map(|name| name.parse::<NamespaceName>().ok()))
            }
        };
        dangers(&role.rules, &scope).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let all: BTreeSet<String> = proposal.roles.iter().flat_map(of).collect();
    all.into_iter().collect()
}

#[cfg(test)]
mod tests;
