//! `diff`: what is new and what is gone between two readings.

use crate::answer::Answer;
use crate::answer::json;
use crate::args;
use crate::end::{End, Stop};
use crate::source;
use sallyport_posture::drift::{Drift, Right, drift};
use sallyport_posture::{Ground, Severity};
use sallyport_report::exceptions::Excepting;
use sallyport_report::finding::FindingView;
use sallyport_report::objects::SubjectView;
use sallyport_report::view::{CheckView, ReadView, ReportView, VerdictView};
use sallyport_report::words::{self, count};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashMap;

/// What is new and what is gone. What comes with Kubernetes is left out.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DiffView {
    /// What the earlier one read.
    before: ReadView,
    /// What the later one read.
    after: ReadView,
    /// Found by the later one alone.
    new: Vec<FindingView>,
    /// Found by both, and graver by now.
    worse: Vec<FindingView>,
    /// Found by the earlier one alone, where the later one had all that the check depends on.
    gone: Vec<FindingView>,
    /// Found by the earlier one alone, where the later one had not: it may be there still.
    not_known: Vec<FindingView>,
    /// How many both found, as grave as before or less.
    same: usize,
    /// What people and programs may do by now, and what they may not do any more.
    rights: RightsView,
}

/// Rights that changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RightsView {
    /// What somebody may do by now.
    may: Vec<RightView>,
    /// What somebody may not do any more.
    may_not: Vec<RightView>,
    /// How many more there are than are told.
    left_out: usize,
    /// Why they cannot be compared: what was not read in one of the two. With one, nothing is told.
    gaps: Vec<String>,
}

/// A right that somebody has by one reading and not by the other.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RightView {
    subject: SubjectView,
    /// The namespace; none: everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// What, a sentence.
    said: String,
    /// Verbs and resources.
    detail: String,
}

impl From<&Right> for RightView {
    fn from(right: &Right) -> Self {
        Self {
            subject: (&right.subject).into(),
            namespace: right.namespace.clone(),
            said: right.said.clone(),
            detail: right.detail.clone(),
        }
    }
}

impl From<Drift> for RightsView {
    fn from(drift: Drift) -> Self {
        Self {
            may: drift.may.all.iter().map(RightView::from).collect(),
            may_not: drift.may_not.all.iter().map(RightView::from).collect(),
            left_out: drift.may.left_out + drift.may_not.left_out,
            gaps: drift.rights_gaps,
        }
    }
}

fn view(before: &ReportView, after: &ReportView, rights: RightsView) -> DiffView {
    let known = |report: &ReportView| {
        let each = |one: &FindingView| (one.fingerprint.clone(), Severity::from(one.severity));
        report.counted().map(each).collect::<HashMap<_, _>>()
    };
    let (had, has) = (known(before), known(after));
    let new = after.counted().filter(|one| !had.contains_key(&one.fingerprint)).cloned().collect();
    let graver = |one: &&FindingView| {
        had.get(&one.fingerprint).is_some_and(|before| Severity::from(one.severity) > *before)
    };
    let worse: Vec<FindingView> = after.counted().filter(graver).cloned().collect();
    let lost = before.counted().filter(|one| !has.contains_key(&one.fingerprint)).cloned();
    let (gone, not_known) = lost.partition(|one| after.check(one.check).is_some_and(is_answered));
    DiffView {
        before: before.read.clone(),
        after: after.read.clone(),
        new,
        gone,
        not_known,
        same: had.keys().filter(|one| has.contains_key(*one)).count() - worse.len(),
        worse,
        rights,
    }
}

/// Whether what a check does not find is not there.
fn is_answered(check: &CheckView) -> bool {
    check.gaps.is_empty() && !matches!(check.verdict, VerdictView::Unknown | VerdictView::Provider)
}

pub(crate) fn diff(args: &args::Diff) -> Result<(String, End), Stop> {
    let read = |path| source::files(path, &args.whole);
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    let (had, has) = (before.snapshot(), after.snapshot());
    let (earlier, later) = (Ground::new(&had), Ground::new(&has));
    let (was, is) = (earlier.report(), later.report());
    let rights = drift((&earlier, &was), (&later, &is)).into();
    let none = Excepting::none();
    let view = view(
        &ReportView::of(&before, &was, &none, |kind| had.coverage(kind)),
        &ReportView::of(&after, &is, &none, |kind| has.coverage(kind)),
        rights,
    );
    let counts = |list: &[FindingView]| list.iter().any(|one| args.fail_on.holds(one.severity.into()));
    let end = if counts(&view.new) || counts(&view.worse) {
        End::Found
    } else if counts(&view.not_known) {
        // It may be there still.
        End::Unanswered
    } else {
        End::Good
    };
    match args.output {
        Answer::Json => Ok((json(&view)?, end)),
        Answer::Text => Ok((told(&view), end)),
    }
}

fn told(view: &DiffView) -> String {
    let when = |read: &ReadView| match &read.taken {
        Some(taken) => format!("{} of {}", words::shown(&read.source), words::shown(taken)),
        None => words::shown(&read.source),
    };
    let mut text = format!("{} → {}\n", when(&view.before), when(&view.after));
    let lists = [
        ("NEW", &view.new),
        ("WORSE", &view.worse),
        ("GONE", &view.gone),
        ("NOT KNOWN ANY MORE", &view.not_known),
    ];
    for (title, list) in lists {
        if list.is_empty() {
            continue;
        }
        text.push_str(&format!("\n{title}\n"));
        for one in list {
            let severity = words::severity(one.severity.into());
            text.push_str(&format!("  {severity:8}  {}  {}\n", one.check, one.said));
        }
    }
    told_rights(&mut text, &view.rights);
    text.push_str(&format!(
        "\n{} new, {} worse, {} gone, {} not known any more, {} as before\n",
        count(view.new.len(), "finding"),
        view.worse.len(),
        view.gone.len(),
        view.not_known.len(),
        view.same
    ));
    text
}

/// Rights in words; how many are told.
const RIGHTS: usize = 40;

fn told_rights(text: &mut String, rights: &RightsView) {
    for (title, list) in [("MAY NOW", &rights.may), ("MAY NO LONGER", &rights.may_not)] {
        if list.is_empty() {
            continue;
        }
        text.push_str(&format!("\n{title}\n"));
        for one in list.iter().take(RIGHTS) {
            text.push_str(&format!("  {} ({})\n", one.said, words::shown(&one.detail)));
        }
        if list.len() > RIGHTS {
            text.push_str(&format!("  … and {} more\n", list.len() - RIGHTS));
        }
    }
    if !rights.gaps.is_empty() {
        text.push_str("\nRights are not compared:\n");
        rights.gaps.iter().for_each(|gap| text.push_str(&format!("  {gap}\n")));
    }
}
