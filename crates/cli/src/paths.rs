//! `paths`: ways of several steps.

use crate::answer::{self, gaps, json};
use crate::args::{self, Answer};
use crate::end::{End, Stop};
use crate::question;
use sallyport_posture::path::{Cut, Goal, Path};
use sallyport_posture::{Ground, Origin, Snapshot};
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

fn view(path: &Path) -> PathView {
    let hop = |hop: &sallyport_posture::path::Hop| HopView {
        from: hop.from.clone(),
        what: hop.what,
        namespace: hop.namespace.clone(),
        to: hop.to.clone(),
        certain: hop.certain,
        check: hop.check,
        evidence: hop.evidence.iter().map(EvidenceView::from).collect(),
        reviews: hop.reviews.iter().map(ReviewView::from).collect(),
    };
    PathView {
        subject: (&path.subject).into(),
        origin: path.origin.into(),
        hops: path.hops.iter().map(hop).collect(),
    }
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

pub(crate) fn paths(snapshot: &Snapshot, args: &args::Paths) -> Result<(String, End), Stop> {
    let (goal, reached) = goal(&args.to)?;
    let from = args.from.as_deref().map(question::subject).transpose()?;
    let ground = Ground::new(snapshot);
    let found = ground.paths(&goal);
    let gaps =
        found.as_ref().map_or_else(|| gaps(snapshot, &ground.aggregated), |found| found.gaps().to_vec());
    let all: Vec<Path> = match (&found, &from) {
        (None, _) => Vec::new(),
        (Some(found), Some(subject)) => found.of(subject).into_iter().collect(),
        (Some(found), None) => found.iter().collect(),
    };
    let before = all.len();
    let listed = |path: &Path| args.all || from.is_some() || path.origin != Origin::Default;
    let all: Vec<Path> = all.into_iter().filter(listed).collect();
    let cut = found.as_ref().filter(|_| from.is_none()).and_then(|found| found.cut());
    let view = PathsView {
        goal: reached.clone(),
        paths: all.iter().map(view).collect(),
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

fn told(view: &PathsView, all: &[Path]) -> String {
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
            let unsure =
                if hop.certain { "" } else { " (unless something that was not read stands in the way)" };
            text.push_str(&format!("    {}. can {}{place} → {}{unsure}\n", at + 1, hop.what, hop.to));
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
