//! What a change does, worked out before anybody makes it: who loses what, which ways it closes, and who used that lately.

mod lately;
#[cfg(test)]
mod tests;

pub use lately::{Lately, Source, Use, Uses};

use crate::change::{Change, Refusal};
use crate::check::{Finding, Report};
use crate::difference::{Loss, losses};
use crate::fingerprint::About;
use crate::ground::{Ground, Origin, said};
use crate::path::Goal;
use crate::said::capital;
use crate::severity::Severity;
use crate::snapshot::{Kind, Snapshot};
use sallyport_rbac::Ask;
use sallyport_rbac::who::{Caller, MASTERS, Subject};
use std::collections::HashSet;

/// Somebody who loses something.
#[derive(Clone, Debug, PartialEq)]
pub struct Loses {
    /// What, and what they keep of it.
    pub loss: Loss,
    /// In words: "group devs: Run commands in pods, in payments".
    pub said: Vec<String>,
    /// When they last used it.
    pub lately: Lately,
}

/// Whether a way to a goal is closed.
#[derive(Clone, Debug, PartialEq)]
pub struct Closes {
    /// Where it leads.
    pub goal: Goal,
    /// Whose way the finding tells; none: it is about nobody.
    pub subject: Option<Subject>,
    /// Steps of their shortest way before.
    pub before: usize,
    /// And after; none: there is none any more, as far as was read.
    pub after: Option<usize>,
    /// How many of the team's own have a way there, before and after.
    pub everybody: (usize, usize),
}

/// What becomes of the finding it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is not found any more.
    Gone,
    /// It is found still, and this bad or in fewer places.
    Lesser(Severity),
    /// It is found as before.
    Still,
}

/// What a change does.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// Who loses something, the most first. Complete.
    pub losses: Vec<Loses>,
    /// Who would gain something: a change that is a fix has none.
    pub gains: Vec<Loss>,
    /// The ways it is to close.
    pub closes: Vec<Closes>,
    /// What becomes of the finding; none: it is for none.
    pub outcome: Option<Outcome>,
    /// Other findings that are gone with it, a sentence each.
    pub also_gone: Vec<String>,
    /// Findings that come with it, a sentence each.
    pub new: Vec<String>,
    /// What to know before making it.
    pub warnings: Vec<String>,
    /// Why it may be more or less than this: what was not read, and who else decides.
    pub gaps: Vec<String>,
}

/// Works out what changes do together. `finding`: the one they are for; `asker`: whoever would make them, with all groups,
/// so that they are told when they would lock themselves out.
///
/// # Errors
/// [`Refusal`] of the first change that is none to make.
pub fn effect(
    before: &Ground<'_>,
    changes: &[Change],
    finding: Option<&Finding>,
    uses: Option<&Uses>,
    asker: Option<&Caller>,
) -> Result<Effect, Refusal> {
    let mut snapshot: Snapshot = before.snapshot.clone();
    for change in changes {
        change.apply(&mut snapshot)?;
    }
    let after = Ground::new(&snapshot);
    let (had, has) = (before.report(), after.report());
    let glance = Glance::of(before, &Open::of(before, finding), &after, finding);
    let both = Both { before, had: &had, known: &abouts(&had), after: &after, has: &has };
    Ok(both.effect(changes, finding, glance, uses, asker))
}

/// The ways that whoever a finding is about has to what matters to them: each goal, their steps, and how many of the
/// team's own have one.
pub(crate) struct Open(Vec<(Goal, usize, usize)>);

impl Open {
    pub(crate) fn of(before: &Ground<'_>, finding: Option<&Finding>) -> Self {
        let subject = finding.and_then(|finding| Some((finding, finding.subject.as_ref()?)));
        let of = |(finding, subject)| {
            let goals = goals(finding).into_iter();
            let open = goals.filter_map(|goal| {
                let paths = before.paths(&goal)?;
                let steps = paths.steps_of(subject)?;
                Some((goal, steps, paths.own()))
            });
            open.collect::<Vec<_>>()
        };
        Self(subject.map(of).unwrap_or_default())
    }
}

/// What is seen of a change without asking all checks again: enough to tell whether it helps.
pub(crate) struct Glance {
    gains: Vec<Loss>,
    closes: Vec<Closes>,
    outcome: Option<Outcome>,
}

impl Glance {
    pub(crate) fn of(
        before: &Ground<'_>,
        open: &Open,
        after: &Ground<'_>,
        finding: Option<&Finding>,
    ) -> Self {
        let closes = |(goal, steps, own): &(Goal, usize, usize)| {
            let left = after.paths(goal);
            let subject = finding.and_then(|finding| finding.subject.clone());
            Closes {
                goal: goal.clone(),
                before: *steps,
                after: left
                    .as_ref()
                    .zip(subject.as_ref())
                    .and_then(|(paths, subject)| paths.steps_of(subject)),
                everybody: (*own, left.as_ref().map_or(0, |paths| paths.own())),
                subject,
            }
        };
        let outcome = |finding: &Finding| outcome(&after.found_by(finding.check), finding);
        Self {
            gains: losses(after.rbac(), before.rbac()),
            closes: open.0.iter().map(closes).collect(),
            outcome: finding.map(outcome),
        }
    }

    /// Whether the finding is gone or less, or a way closed, and nobody gains by it.
    pub(crate) fn helps(&self) -> bool {
        let helps = match self.outcome {
            Some(Outcome::Gone | Outcome::Lesser(_)) => true,
            _ => self.closes.iter().any(|one| one.after.is_none()),
        };
        helps && self.gains.is_empty()
    }
}

/// A cluster without a change and with it, worked out.
pub(crate) struct Both<'a> {
    pub(crate) before: &'a Ground<'a>,
    pub(crate) had: &'a Report,
    /// What that is about.
    pub(crate) known: &'a Abouts<'a>,
    pub(crate) after: &'a Ground<'a>,
    pub(crate) has: &'a Report,
}

impl Both<'_> {
    /// What makes the difference does: `changes`.
    pub(crate) fn effect(
        &self,
        changes: &[Change],
        finding: Option<&Finding>,
        glance: Glance,
        uses: Option<&Uses>,
        asker: Option<&Caller>,
    ) -> Effect {
        let Self { before, had, known, after, has } = *self;
        let Glance { gains, closes, outcome } = glance;
        let mut lost = losses(before.rbac(), after.rbac());
        lost.sort_by_key(|loss| std::cmp::Reverse(loss.weight()));
        let mut gaps = before.snapshot.gaps(Kind::RBAC);
        gaps.extend(before.nobody_can_gaps());
        let left = abouts(has);
        let own = finding.map(Finding::about);
        let gone = each(had).filter(|one| !left.contains(&one.about()) && own.as_ref() != Some(&one.about()));
        let also_gone = gone.map(|one| one.said.clone()).collect();
        let new = each(has).filter(|one| !known.contains(&one.about())).map(|one| one.said.clone()).collect();
        Effect {
            gains,
            closes,
            outcome,
            also_gone,
            new,
            warnings: warnings(before, after, &lost, asker, changes),
            losses: lost.into_iter().map(|loss| loses(loss, uses)).collect(),
            gaps,
        }
    }
}

fn each(report: &Report) -> impl Iterator<Item = &Finding> {
    report.checks.iter().flat_map(|judged| &judged.findings).filter(|one| crate::area::counts(one))
}

/// What the findings that count are about.
pub(crate) type Abouts<'r> = HashSet<About<'r>>;

pub(crate) fn abouts(report: &Report) -> Abouts<'_> {
    each(report).map(Finding::about).collect()
}

/// The finding among those of its check in another look, if it is found there.
pub(crate) fn same<'r>(found: &'r [Finding], finding: &Finding) -> Option<&'r Finding> {
    let about = finding.about();
    found.iter().find(|one| one.about() == about && one.inert == finding.inert)
}

fn outcome(found: &[Finding], finding: &Finding) -> Outcome {
    let Some(one) = same(found, finding) else { return Outcome::Gone };
    let fewer = match (&one.namespaces, &finding.namespaces) {
        (Some(now), Some(was)) => now.len() < was.len(),
        (Some(_), None) => true,
        (None, _) => false,
    };
    if one.severity < finding.severity || fewer { Outcome::Lesser(one.severity) } else { Outcome::Still }
}

fn loses(loss: Loss, uses: Option<&Uses>) -> Loses {
    Loses { said: in_words(&loss), lately: lately::lately(&loss, uses), loss }
}

/// What somebody loses, a line for each place and right.
pub(crate) fn in_words(loss: &Loss) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, rights) in loss.words() {
        let place = place.map_or("everywhere".to_owned(), |name| format!("in {}", crate::said::shown(name)));
        for right in rights {
            lines.push(format!("{}, {place} ({})", right.title, right.detail));
        }
    }
    lines
}

/// The goals that matter to whoever a finding is about.
fn goals(finding: &Finding) -> Vec<Goal> {
    let mut goals = vec![Goal::ClusterAdmin, Goal::NodeRoot, Goal::KubeSystem];
    let places = finding.namespaces.iter().flatten().filter(|name| *name != "kube-system").take(4);
    goals.extend(places.map(|name| Goal::SecretsOf(name.clone())));
    goals
}

fn warnings(
    before: &Ground<'_>,
    after: &Ground<'_>,
    lost: &[Loss],
    asker: Option<&Caller>,
    changes: &[Change],
) -> Vec<String> {
    let mut warnings = Vec::new();
    let all = Ask::Resource { verb: "*", group: "*", resource: "*", subresource: "", name: "" };
    let others = |ground: &Ground<'_>| {
        let given = ground.rbac().who_can(all, None);
        given.iter().filter(|one| *one.subject != Subject::Group(MASTERS.to_owned())).count()
    };
    if others(before) > 0 && others(after) == 0 {
        warnings.push(
            "Nobody but system:masters can do everything after it: keep a certificate of that group, or somebody to \
             whom a profile gives a way in, or the cluster cannot be mended."
                .to_owned(),
        );
    }
    if let Some(asker) = asker {
        let is_theirs = |subject: &Subject| match subject {
            Subject::User(name) => *name == asker.user,
            Subject::Group(name) => asker.groups.contains(name),
        };
        for loss in lost.iter().filter(|loss| is_theirs(&loss.subject)) {
            warnings.push(format!("You lose rights yourself, as {}.", said(&loss.subject)));
        }
    }
    let of_ours = |name: &str| name.starts_with("sallyport");
    for loss in lost {
        let is_ours = match loss.subject.as_account() {
            Some((namespace, name)) => of_ours(namespace) || of_ours(name),
            None => of_ours(loss.subject.name()),
        };
        if is_ours {
            warnings.push(format!(
                "{} is Sallyport's own: sessions on this cluster may not open, or not end as they should.",
                capital(&said(&loss.subject))
            ));
        }
    }
    for change in changes {
        let vendor = before.rights.rbac.bindings().iter().enumerate().any(|(at, (binding, _))| {
            before.origin(at) == Origin::Vendor
                && binding.name == change.object().name
                && binding.namespace == change.object().namespace
                && change.object().kind.ends_with("Binding")
        });
        if vendor {
            warnings.push(format!(
                "{} is named as the cloud's or the distribution's: it may be put back, or be missed.",
                crate::change::named(change.object())
            ));
        }
        match change {
            Change::Unmount { .. } => warnings.push(
                "Pods that run keep their token until they are made anew, and those that ask for it in their own \
                 spec go on to have one."
                    .to_owned(),
            ),
            Change::UnmountPods { workload } => warnings.extend(crate::change::unmounted(workload)),
            Change::Enforce { .. } => warnings.push(
                "Pods that run go on; those that need more than baseline are refused when they are made anew. The \
                 server-side dry run lists them."
                    .to_owned(),
            ),
            Change::FailClosed { .. } => warnings.push(
                "While what answers the webhook is away, what it is asked about is refused: let more than one copy of \
                 it run first."
                    .to_owned(),
            ),
            Change::DeleteSecret { .. } => warnings.push(
                "Whatever signs in with this token is refused from then on, and who that is cannot be seen from \
                 here."
                    .to_owned(),
            ),
            _ => {}
        }
    }
    warnings.dedup();
    warnings
}
