//! What is proposed, as it is written as JSON.

use crate::objects::SubjectView;
use sallyport_posture::Patch;
use sallyport_posture::draft::Draft;
use sallyport_posture::effect::{Closes, Effect, Loses, Outcome};
use sallyport_posture::fix::{Fix, Proposed};
use sallyport_posture::path::Goal;
use schemars::JsonSchema;
use serde::Serialize;

/// What is proposed for a finding.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FixesView {
    /// The check's id.
    pub check: &'static str,
    /// What is wrong where it fails.
    pub title: &'static str,
    /// What was found.
    pub said: String,
    /// The finding's fingerprint.
    pub fingerprint: String,
    /// What to do about it in words.
    pub advice: &'static str,
    /// Exact changes, the one that takes least first.
    pub fixes: Vec<FixView>,
    /// Why nothing more is proposed.
    pub notes: Vec<String>,
    /// A profile instead, where it is about a person or a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileView>,
}

/// One fix.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FixView {
    /// What it does, as an order.
    pub title: String,
    /// The files, in the order they are to be applied.
    pub patches: Vec<PatchView>,
    /// What puts bindings and roles back as they were read.
    pub undo: Vec<String>,
    #[allow(missing_docs, reason = "its shape tells it, and a comment would stand in the schema")]
    pub effect: EffectView,
    #[allow(missing_docs, reason = "as above")]
    pub pull_request: PullRequestView,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatchView {
    /// What it does, as an order.
    pub said: String,
    /// What stands in it.
    pub yaml: String,
    /// The command, to which `-f FILE` is added, and `--dry-run=server` to try it.
    pub command: String,
}

/// What a fix does.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EffectView {
    /// What becomes of the finding, a sentence.
    pub outcome: String,
    /// What becomes of ways, a sentence each.
    pub closes: Vec<String>,
    /// Who loses something.
    pub loses: Vec<LosesView>,
    /// Other findings that are gone with it.
    pub also_gone: Vec<String>,
    /// What to know before.
    pub warnings: Vec<String>,
    /// What was not read.
    pub gaps: Vec<String>,
}

/// Who loses what.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LosesView {
    /// Who.
    pub subject: SubjectView,
    /// The same for people.
    #[serde(skip)]
    pub said: String,
    /// What, in words, right by right and place by place.
    pub rights: Vec<String>,
    /// When they last used it, in words; none: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<String>,
}

/// Text of a pull request.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PullRequestView {
    #[allow(missing_docs, reason = "a comment would stand in the schema")]
    pub title: String,
    /// Markdown.
    pub body: String,
}

/// A drafted profile, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfileView {
    /// The AccessProfile, a ClusterRole where one is to be made, and who may ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub yaml: Option<String>,
    /// Why none is drafted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// What is still to do.
    pub notes: Vec<String>,
}

impl FixesView {
    /// What is proposed, and the profile where one was drafted or refused.
    pub fn of(proposed: &Proposed, profile: Option<&Result<Draft, String>>) -> Self {
        Self {
            check: proposed.finding.check,
            title: proposed.title,
            said: proposed.finding.said.clone(),
            fingerprint: proposed.finding.fingerprint(),
            advice: proposed.advice,
            fixes: proposed.fixes.iter().map(FixView::of).collect(),
            notes: proposed.notes.clone(),
            profile: profile.map(ProfileView::of),
        }
    }
}

impl FixView {
    /// One of what is proposed.
    pub fn of(fix: &Fix) -> Self {
        let patch = |patch: &Patch| PatchView {
            said: patch.said.clone(),
            yaml: patch.yaml.clone(),
            command: format!("kubectl {}", patch.verb),
        };
        Self {
            title: fix.title.clone(),
            patches: fix.patches.iter().map(patch).collect(),
            undo: fix.undo.clone(),
            effect: EffectView::of(&fix.effect),
            pull_request: PullRequestView {
                title: fix.request.title.clone(),
                body: fix.request.body.clone(),
            },
        }
    }
}

impl EffectView {
    fn of(effect: &Effect) -> Self {
        let outcome = match effect.outcome {
            Some(Outcome::Gone) => "The finding is gone.",
            Some(Outcome::Lesser(_)) => "The finding is less, and not gone.",
            Some(Outcome::Still) | None => "The finding stays.",
        };
        Self {
            outcome: outcome.to_owned(),
            closes: effect.closes.iter().map(closes).collect(),
            loses: effect.losses.iter().map(loses).collect(),
            also_gone: effect.also_gone.clone(),
            warnings: effect.warnings.clone(),
            gaps: effect.gaps.clone(),
        }
    }
}

fn loses(one: &Loses) -> LosesView {
    LosesView {
        subject: (&one.loss.subject).into(),
        said: crate::words::subject(&one.loss.subject),
        rights: one.said.clone(),
        used: crate::lately::lately(&one.lately),
    }
}

fn closes(one: &Closes) -> String {
    let goal = goal(&one.goal);
    let steps = |many: usize| crate::words::count(many, "step");
    let own = match one.after {
        None => format!("The way to {goal} in {} is closed", steps(one.before)),
        Some(after) if after > one.before => {
            format!("The way to {goal} is longer: {} instead of {}", steps(after), steps(one.before))
        }
        Some(after) => format!("A way to {goal} is left, in {}", steps(after)),
    };
    format!("{own}; of {} who have one, {} keep one.", one.everybody.0, one.everybody.1)
}

/// A goal, said for people.
pub fn goal(goal: &Goal) -> String {
    match goal {
        Goal::ClusterAdmin => "everything".to_owned(),
        Goal::NodeRoot => "the root of a node".to_owned(),
        Goal::KubeSystem => "everything in kube-system".to_owned(),
        Goal::SecretsOf(namespace) => format!("the Secrets of {}", crate::words::shown(namespace)),
    }
}

impl ProfileView {
    fn of(draft: &Result<Draft, String>) -> Self {
        match draft {
            Ok(draft) => {
                let parts: Vec<&str> = std::iter::once(&draft.profile)
                    .chain(&draft.role)
                    .chain([&draft.ask])
                    .map(String::as_str)
                    .collect();
                Self { yaml: Some(parts.join("---\n")), refused: None, notes: draft.notes.clone() }
            }
            Err(why) => Self { yaml: None, refused: Some(why.clone()), notes: Vec::new() },
        }
    }
}
