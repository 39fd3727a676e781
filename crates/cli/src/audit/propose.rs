//! `propose`: the least rules that would have been enough for somebody's calls, and what they hold beside it.

mod held;
mod view;

use super::args::{Propose, Proposing};
use super::times::told;
use super::view::LacksView;
use super::{open, plain, stop};
use crate::answer;
use crate::args::Whole;
use crate::end::{End, Stop};
use crate::{question, source};
use sallyport_archive::{Answer, Archive, Bounds, Column, Combination, Filter, Whose};
use sallyport_model::{NamespaceName, RoleName, Scope};
use sallyport_rbac::propose::{Outcome, Place, Proposal, Seen, Wanted, propose};
use sallyport_rbac::who::Subject;
use sallyport_rbac::{Rule, dangers, describe};
use sallyport_report::proposed::{role_name, written};
use sallyport_report::words::shown;
use std::time::{Duration, Instant};
pub(crate) use view::ProposalView;
use view::{AddedView, AskedView, ReachView, RightView, RoleView};

/// Clusters that are named in an error.
const NAMED: usize = 10;
/// Clusters that are kept apart.
const APART_MOST: usize = 50_000;

pub(super) fn propose_for(args: &Propose) -> Result<(String, End), Stop> {
    let (whose, subject) = whose(args)?;
    let to = match &args.to {
        Some(to) => Some(question::subject(to)?),
        None => subject.clone(),
    };
    let archive = open(&args.archive, false)?;
    let mut asking = Asking::new(&archive, args.within);
    let now = jiff::Timestamp::now();
    let mut filter = Filter::default();
    filter = args.since.map_or(filter.clone(), |since| filter.from(since.at(now)));
    filter = args.until.map_or(filter.clone(), |until| filter.to(until.at(now)));
    let Some(cluster) = cluster(args, &mut asking, &whose, &filter)? else {
        return Ok(nothing(&asking, "no call of theirs was found in these logs: nothing is proposed\n"));
    };
    let filter = filter.only(Column::Cluster, &cluster);
    let seen = sallyport_archive::seen(&archive, &whose, &filter, &asking.left()).map_err(stop)?;
    asking.lacks.and(&seen);
    let seen = seen.value;
    let reach = asking.apart(&filter, &[Column::Cluster])?;
    let reach = reach.first().map(|row| (row.first, row.last));
    let role: RoleName = "proposed".parse().map_err(Stop::new)?;
    let names_most = usize::from(args.names);
    let wanted = Wanted { reads_together: !args.exact, names_most };
    let proposal = propose(&seen.used, &wanted, &role);
    let holds = match (&args.snapshot, &subject) {
        (Some(path), Some(subject)) => {
            let reading = source::files(path, &Whole { whole: args.whole.clone() })?;
            if reading.is_empty() {
                return Err(source::nothing(&reading));
            }
            let mut caller = subject.caller();
            caller.groups.extend(args.groups.iter().cloned());
            Some(held::holds(&reading.snapshot(), &caller, &seen.used))
        }
        _ => None,
    };
    let name = role_name(whose_name(&whose));
    let written = written(&proposal.roles, &name, to.as_ref());
    let yaml: Vec<&str> = written.iter().map(|one| one.yaml.as_str()).collect();
    let mut lacks = asking.lacks;
    let whole = Answer { is_whole: seen.others == 0, ..Answer::<()>::default() };
    lacks.and(&whole);
    let rules: Vec<Rule> = proposal.roles.iter().flat_map(|role| role.rules.clone()).collect();
    let view = ProposalView {
        whose: whose_name(&whose).to_owned(),
        to: to.as_ref().map(Into::into),
        calls: seen.calls,
        first: seen.range.map(|(first, _)| told(first)),
        last: seen.range.map(|(_, last)| told(last)),
        reach: reach.map(|(first, last)| ReachView { first: told(first), last: told(last) }),
        reaches_from: reach.map(|(first, _)| first),
        roles: proposal
            .roles
            .iter()
            .zip(&written)
            .map(|(role, written)| RoleView::of(role, written))
            .collect(),
        yaml: yaml.join("---\n"),
        refused: proposal.refused.iter().map(AskedView::from).collect(),
        odd: proposal.odd.iter().map(AskedView::from).collect(),
        untold: proposal.untold.iter().map(AskedView::from).collect(),
        discovery: proposal.discovery,
        allows: describe(&rules).into_iter().map(RightView::from).collect(),
        dangers: dangers_of(&proposal),
        not_known: not_known(&seen, &whose, subject.as_ref(), &proposal),
        added: proposal.added.into_iter().map(AddedView::from).collect(),
        cluster,
        holds,
        lacks,
    };
    let is_whole = view.lacks.is_nothing() && view.holds.as_ref().is_none_or(held::HoldsView::is_whole);
    let text = match args.output {
        Proposing::Text => view.told(),
        Proposing::Json => plain::json(&answer::json(&view)?),
        Proposing::Yaml => view.written(),
    };
    let end = match (is_whole, seen.used.iter().any(|one| one.outcome == Outcome::Allowed)) {
        (false, _) => End::Unanswered,
        (true, true) => End::Good,
        (true, false) => End::Found,
    };
    Ok((text, end))
}

/// Whose calls, and who that is where it is somebody who can hold something.
fn whose(args: &Propose) -> Result<(Whose, Option<Subject>), Stop> {
    match (&args.person, &args.account, &args.session) {
        (Some(name), _, _) => Ok((Whose::Person(name.clone()), Some(Subject::User(name.clone())))),
        (_, Some(account), _) => match account.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
                let subject = Subject::account(namespace, name);
                Ok((Whose::Person(subject.name().to_owned()), Some(subject)))
            }
            _ => Err(Stop(format!("{} is no account; write NAMESPACE/NAME", shown(account)))),
        },
        (_, _, Some(session)) => Ok((Whose::Session(session.clone()), None)),
        _ => Err(Stop::new("say whose calls: --person, --account or --session")),
    }
}

fn whose_name(whose: &Whose) -> &str {
    match whose {
        Whose::Person(name) | Whose::Session(name) => name,
    }
}

/// The cluster that was named, or the only one there are calls on. Rights on one say nothing of another.
fn cluster(
    args: &Propose,
    asking: &mut Asking<'_>,
    whose: &Whose,
    filter: &Filter,
) -> Result<Option<String>, Stop> {
    let rows = asking.apart(&whose.filter(filter.clone()), &[Column::Cluster])?;
    let mut names: Vec<String> = rows.into_iter().filter_map(|row| row.texts.into_iter().next()).collect();
    if let Some(cluster) = &args.cluster {
        return Ok(names.contains(cluster).then(|| cluster.clone()));
    }
    if names.len() > 1 {
        let listed: Vec<String> = names.iter().take(NAMED).map(|name| shown(name)).collect();
        return Err(Stop(format!(
            "there are calls of {} on {} clusters ({}{}): say which with --cluster",
            shown(whose_name(whose)),
            names.len(),
            listed.join(", "),
            if names.len() > NAMED { ", …" } else { "" }
        )));
    }
    Ok(names.pop())
}

fn nothing(asking: &Asking<'_>, why: &str) -> (String, End) {
    let end = if asking.lacks.is_nothing() { End::Found } else { End::Unanswered };
    (format!("{why}{}", asking.lacks.told()), end)
}

/// What no session may have, role by role: for an account or a person it is a warning.
fn dangers_of(proposal: &Proposal) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for role in &proposal.roles {
        let scope = match &role.place {
            Place::Everywhere => Scope::ClusterWide,
            Place::In(names) => {
                Scope::from_list(names.iter().filter_map(|name| name.parse::<NamespaceName>().ok()))
            }
        };
        all.extend(dangers(&role.rules, &scope).iter().map(ToString::to_string));
    }
    all.dedup();
    all
}

/// What these logs cannot tell, a sentence each.
fn not_known(seen: &Seen, whose: &Whose, subject: Option<&Subject>, proposal: &Proposal) -> Vec<String> {
    let is_account = subject.is_some_and(|subject| subject.as_account().is_some());
    let mut all = seen.not_known(proposal, is_account);
    if seen.others > 0 || seen.has_more_paths {
        all.push("--since and --until make the time shorter.".to_owned());
    }
    if matches!(whose, Whose::Session(_)) {
        all.push("A session's account is gone when the session is: bind the role in a profile.".to_owned());
    }
    all
}

/// An archive, with the time that is left for it.
struct Asking<'a> {
    archive: &'a Archive,
    began: Instant,
    within: Duration,
    lacks: LacksView,
}

impl<'a> Asking<'a> {
    fn new(archive: &'a Archive, within: u64) -> Self {
        let whole = Answer { value: (), is_whole: true, damaged: 0, unread_segments: 0 };
        let lacks = LacksView::of(&whole);
        Self { archive, began: Instant::now(), within: Duration::from_secs(within), lacks }
    }

    fn left(&self) -> Bounds {
        Bounds { within: self.within.saturating_sub(self.began.elapsed()), ..Bounds::default() }
    }

    /// Which texts occur together.
    fn apart(&mut self, filter: &Filter, columns: &[Column]) -> Result<Vec<Combination>, Stop> {
        let answer = self.archive.combinations(filter, columns, APART_MOST, &self.left()).map_err(stop)?;
        self.lacks.and(&answer);
        Ok(answer.value.rows)
    }
}
