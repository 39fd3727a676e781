//! `paths`: ways of several steps.

use crate::answer::Answer;
use crate::answer::{self, gaps, json};
use crate::args;
use crate::end::{End, Stop};
use crate::question;
use sallyport_posture::crossing::{Crossing, crossings};
use sallyport_posture::path::{Cut, Goal, Hop, Path};
use sallyport_posture::{Ground, Origin, Snapshot};
use sallyport_rbac::who::Subject;
use sallyport_report::finding::OriginView;
use sallyport_report::objects::{EvidenceView, ReviewView, SubjectView};
use sallyport_report::words::{self, count, shown};
use schemars::JsonSchema;
use serde::Serialize;

/// Everybody's ways to a goal.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PathsView {
    /// What is reached.
    goal: String,
    /// Everybody's shortest way, the shortest first.
    paths: Vec<PathView>,
    /// How many begin with what comes with Kubernetes or its vendor and are left out.
    left_out: usize,
    /// The binding whose end closes the goal for most.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<CutView>,
    /// Why there may be more.
    gaps: Vec<String>,
}

/// One way.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PathView {
    subject: SubjectView,
    origin: OriginView,
    hops: Vec<HopView>,
    /// Which step leads into the other cluster, from 0: those after it are steps there.
    #[serde(skip_serializing_if = "Option::is_none")]
    across: Option<usize>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct HopView {
    /// Whose rights it takes.
    from: String,
    /// What they can do.
    what: &'static str,
    /// Where; none: everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// Whom or what that reaches.
    to: String,
    /// Whether roles and bindings alone decide it.
    certain: bool,
    /// The check that finds it.
    check: &'static str,
    evidence: Vec<EvidenceView>,
    /// SubjectAccessReviews whose yes shows it again.
    reviews: Vec<ReviewView>,
}

/// The binding to cut.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CutView {
    /// Its namespace; none: a ClusterRoleBinding.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// Its name.
    binding: String,
    /// For how many no way is left without it.
    closes: usize,
    /// Of how many that have one and are not part of Kubernetes or its vendor.
    of: usize,
}

impl From<Cut> for CutView {
    fn from(cut: Cut) -> Self {
        Self { namespace: cut.namespace, binding: cut.binding, closes: cut.closes, of: cut.of }
    }
}

fn view(subject: &Subject, origin: Origin, hops: &[Hop], across: Option<usize>) -> PathView {
    let hop = |hop: &Hop| HopView {
        from: hop.from.clone(),
        what: hop.what,
        namespace: hop.namespace.clone(),
        to: hop.to.clone(),
        certain: hop.certain,
        check: hop.check,
        evidence: hop.evidence.iter().map(EvidenceView::from).collect(),
        reviews: hop.reviews.iter().map(ReviewView::from).collect(),
    };
    let hops = hops.iter().map(hop).collect();
    PathView { subject: subject.into(), origin: origin.into(), hops, across }
}

fn goal(text: &str) -> Result<(Goal, String), Stop> {
    let said = |text: &str| text.to_owned();
    match text {
        "cluster-admin" => Ok((Goal::ClusterAdmin, said("everything"))),
        "node-root" => Ok((Goal::NodeRoot, said("the root of a node"))),
        "kube-system" => Ok((Goal::KubeSystem, said("everything in kube-system"))),
        text => match text.strip_prefix("secrets:").filter(|namespace| !namespace.is_empty()) {
            Some(namespace) => {
                let reached = format!("the Secrets of {}", shown(namespace));
                Ok((Goal::SecretsOf(namespace.to_owned()), reached))
            }
            None => Err(Stop(format!(
                "{} is no goal; write cluster-admin, node-root, kube-system or secrets:NAMESPACE",
                shown(text)
            ))),
        },
    }
}

/// A way, as it is told.
struct Told {
    subject: Subject,
    origin: Origin,
    hops: Vec<Hop>,
    across: Option<usize>,
}

impl From<Path> for Told {
    fn from(path: Path) -> Self {
        Self { subject: path.subject, origin: path.origin, hops: path.hops, across: None }
    }
}

pub(crate) fn paths(snapshot: &Snapshot, args: &args::Paths) -> Result<(String, End), Stop> {
    let (goal, mut reached) = goal(&args.to)?;
    let from = args.from.as_deref().map(question::subject).transpose()?;
    let ground = Ground::new(snapshot);
    let (all, cut, gaps) = match &args.into {
        Some(path) => {
            reached = format!("{reached} in {}", shown(&crate::source::name_of(path)));
            across(&ground, path, &goal, from.as_ref())?
        }
        None => within(&ground, &goal, from.as_ref()),
    };
    let before = all.len();
    let listed = |path: &Told| args.all || from.is_some() || path.origin != Origin::Default;
    let all: Vec<Told> = all.into_iter().filter(listed).collect();
    let view = PathsView {
        goal: reached,
        paths: all.iter().map(|one| view(&one.subject, one.origin, &one.hops, one.across)).collect(),
        left_out: before - all.len(),
        cut: cut.map(CutView::from),
        gaps,
    };
    let end = if all.is_empty() && !view.gaps.is_empty() { End::Unanswered } else { End::Good };
    match args.output {
        Answer::Json => Ok((json(&view)?, end)),
        Answer::Text => Ok((told(&view, &all), end)),
    }
}

type Found = (Vec<Told>, Option<Cut>, Vec<String>);

fn within(ground: &Ground<'_>, goal: &Goal, from: Option<&Subject>) -> Found {
    let Some(found) = ground.paths(goal) else {
        return (Vec::new(), None, gaps(ground.snapshot(), &ground.aggregated));
    };
    let all = match from {
        Some(subject) => found.of(subject).into_iter().map(Told::from).collect(),
        None => found.iter().map(Told::from).collect(),
    };
    let cut = if from.is_none() { found.cut() } else { None };
    (all, cut, found.gaps().to_vec())
}

fn across(
    here: &Ground<'_>,
    path: &std::path::Path,
    goal: &Goal,
    from: Option<&Subject>,
) -> Result<Found, Stop> {
    let reading = crate::source::files(path, &args::Whole::default())?;
    if reading.is_empty() {
        return Err(crate::source::nothing(&reading));
    }
    let other = reading.snapshot();
    let found = crossings(here, &Ground::new(&other), goal);
    let told = |way: Crossing| Told {
        subject: way.subject,
        origin: way.origin,
        hops: way.hops,
        across: Some(way.across),
    };
    let wanted = |way: &Crossing| from.is_none_or(|subject| way.subject == *subject);
    Ok((found.ways.into_iter().filter(wanted).map(told).collect(), None, found.gaps))
}

fn told(view: &PathsView, all: &[Told]) -> String {
    let mut text = format!("Ways to {}: {}\n", view.goal, count(all.len(), "subject"));
    if let Some(cut) = &view.cut {
        let kind = if cut.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
        text.push_str(&format!(
            "Cut first: {} closes it for {} of {}\n",
            words::named(kind, cut.namespace.as_deref(), &cut.binding),
            cut.closes,
            cut.of
        ));
    }
    for path in all {
        text.push_str(&format!(
            "\n  {}, {}\n",
            words::subject(&path.subject),
            count(path.hops.len(), "step")
        ));
        for (at, hop) in path.hops.iter().enumerate() {
            let place =
                hop.namespace.as_deref().map_or(String::new(), |place| format!(" in {}", shown(place)));
            let there = if path.across.is_some_and(|across| at >= across) { "there: " } else { "" };
            let unsure =
                if hop.certain { "" } else { " (unless something that was not read stands in the way)" };
            text.push_str(&format!("    {}. can {}{place} → {there}{}{unsure}\n", at + 1, hop.what, hop.to));
            for one in &hop.evidence {
                text.push_str(&format!("       by {}\n", words::evidence(one)));
            }
        }
    }
    if view.left_out > 0 {
        let left = count(view.left_out, "other");
        text.push_str(&format!("\n{left} by what comes with Kubernetes or its vendor; --all lists them.\n"));
    }
    text.push_str(&answer::told(&view.gaps));
    text
}
