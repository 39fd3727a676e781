//! `who-can` and `why`.

use crate::answer::Answer;
use crate::answer::{self, gaps, json};
use crate::args;
use crate::end::{End, Stop};
use crate::question::{asked, caller};
use sallyport_posture::Snapshot;
use sallyport_rbac::question::{Asked, What};
use sallyport_rbac::who::{Rbac, Why};
use sallyport_report::objects::{ObjectView, SubjectView};
use sallyport_report::words;
use schemars::JsonSchema;
use serde::Serialize;

/// Who can do something.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WhoCanView {
    /// The question, as people say it.
    question: String,
    /// Whom bindings give it. `system:masters` needs none and is not among them.
    subjects: Vec<GivenView>,
    /// Names that rules on this resource are limited to: who is let at one of them alone is not among the subjects.
    limited_to: Vec<String>,
    /// Why there may be others.
    gaps: Vec<String>,
}

/// One subject, and what gives it to them.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GivenView {
    subject: SubjectView,
    binding: ObjectView,
    role: ObjectView,
    /// The place of the rule among the role's, from 0.
    rule: usize,
}

/// Why somebody may do something.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WhyView {
    /// The question, as people say it.
    question: String,
    /// Whether they may: `yes`, `no`, or `unknown` where no proof was read and not all was.
    allowed: Allowed,
    /// Whether they are in `system:masters`, who pass before RBAC is asked.
    masters: bool,
    /// Every proof: RBAC only ever adds, so one is enough.
    proofs: Vec<ProofView>,
    /// Why there may be other proofs.
    gaps: Vec<String>,
}

/// Whether they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Allowed {
    /// They may.
    Yes,
    /// They may not.
    No,
    /// Not all that it depends on was read.
    Unknown,
}

/// One proof.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProofView {
    binding: ObjectView,
    role: ObjectView,
    /// The place of the rule among the role's, from 0.
    rule: usize,
    /// The rule, as people say it.
    says: String,
}

pub(crate) fn who_can(snapshot: &Snapshot, args: &args::WhoCan) -> Result<(String, End), Stop> {
    let asked = asked(&args.question)?;
    let (rbac, aggregated) = snapshot.rbac();
    let mut given = rbac.who_can(asked.ask(), asked.namespace.as_deref());
    given.sort_by_key(|one| (one.subject, one.binding));
    given.dedup_by_key(|one| (one.subject, one.binding));
    let view = WhoCanView {
        question: asked.said(),
        subjects: given
            .iter()
            .map(|one| GivenView {
                subject: one.subject.into(),
                binding: ObjectView::binding(one.binding),
                role: ObjectView::role(one.role),
                rule: one.rule,
            })
            .collect(),
        limited_to: limited_to(&rbac, &asked),
        gaps: gaps(snapshot, &aggregated),
    };
    // Nobody that was read is no answer where not all was.
    let end = if view.subjects.is_empty() && !view.gaps.is_empty() { End::Unanswered } else { End::Good };
    if args.output == Answer::Json {
        return Ok((json(&view)?, end));
    }
    let mut text = format!("Who can {}:\n", view.question);
    let rows: Vec<(String, String)> = given
        .iter()
        .map(|one| {
            let by = format!(
                "by {} and {}, rule {}",
                words::binding(one.binding),
                words::role(one.role),
                one.rule + 1
            );
            (words::subject(one.subject), by)
        })
        .collect();
    let width = rows.iter().map(|(who, _)| who.chars().count()).max().unwrap_or_default().min(60);
    for (who, by) in &rows {
        text.push_str(&format!("  {who:width$}  {by}\n"));
    }
    if rows.is_empty() {
        text.push_str("  nobody, by the roles and bindings that were read\n");
    }
    text.push_str("  and whoever is in the group system:masters, who need no binding\n");
    if asked.namespace.is_none() && matches!(asked.what, What::Resource { .. }) {
        text.push_str("Only what holds everywhere is counted; -n names a namespace.\n");
    }
    if !view.limited_to.is_empty() {
        text.push_str(&format!(
            "Rules that are limited to names are not counted; these are named: {}.\n",
            words::shown(&view.limited_to.join(", "))
        ));
    }
    text.push_str(&answer::told(&view.gaps));
    Ok((text, end))
}

/// The names that are let at one by one, where the question has none.
fn limited_to(rbac: &Rbac, asked: &Asked) -> Vec<String> {
    match &asked.what {
        What::Resource { group, resource, name, .. } if name.is_empty() => rbac.names_on(group, resource),
        What::Resource { .. } | What::Path(_) => Vec::new(),
    }
}

pub(crate) fn why(snapshot: &Snapshot, args: &args::Why) -> Result<(String, End), Stop> {
    let asked = asked(&args.question)?;
    let (subject, caller) = caller(&args.who)?;
    let (rbac, aggregated) = snapshot.rbac();
    let whys = rbac.why(&caller, asked.ask(), asked.namespace.as_deref());
    let gaps = gaps(snapshot, &aggregated);
    let (allowed, end) = match (whys.is_empty(), gaps.is_empty()) {
        (false, _) => (Allowed::Yes, End::Good),
        (true, true) => (Allowed::No, End::Found),
        (true, false) => (Allowed::Unknown, End::Unanswered),
    };
    let proofs: Vec<ProofView> = whys
        .iter()
        .filter_map(|why| match why {
            Why::Masters => None,
            Why::Rule { binding, role, rule } => Some(ProofView {
                binding: ObjectView::binding(binding),
                role: ObjectView::role(role),
                rule: *rule,
                says: role.rules.get(*rule).map(words::rule).unwrap_or_default(),
            }),
        })
        .collect();
    let masters = whys.contains(&Why::Masters);
    let view = WhyView { question: asked.said(), allowed, masters, proofs, gaps };
    if args.output == Answer::Json {
        return Ok((json(&view)?, end));
    }
    let who = words::subject(&subject);
    let mut text = match allowed {
        Allowed::Yes => format!("Yes: {who} may {}.\n", view.question),
        Allowed::No => format!("No: {who} may not {}.\n", view.question),
        Allowed::Unknown => format!("Not known: nothing that was read lets {who} {}.\n", view.question),
    };
    if masters {
        text.push_str("  being in system:masters, who pass before RBAC is asked\n");
    }
    for why in &whys {
        if let Why::Rule { binding, role, rule } = why {
            let says = role.rules.get(*rule).map(words::rule).unwrap_or_default();
            text.push_str(&format!(
                "  by {} and {}, rule {}: {says}\n",
                words::binding(binding),
                words::role(role),
                rule + 1
            ));
        }
    }
    text.push_str(&answer::told(&view.gaps));
    Ok((text, end))
}
