//! `diff`: what is new and what is gone between two readings.

use crate::answer::json;
use crate::args::{self, Answer};
use crate::end::{End, Stop};
use crate::exceptions::Excepting;
use crate::finding::FindingView;
use crate::source;
use crate::view::{ReadView, ReportView};
use crate::words::{self, count};
use sallyport_posture::Severity;
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
}

fn view(before: &ReportView, after: &ReportView) -> DiffView {
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
    let (gone, not_known) =
        lost.partition(|one| after.check(one.check).is_some_and(|check| check.gaps.is_empty()));
    DiffView {
        before: before.read.clone(),
        after: after.read.clone(),
        new,
        gone,
        not_known,
        same: had.keys().filter(|one| has.contains_key(*one)).count() - worse.len(),
        worse,
    }
}

pub(crate) fn diff(args: &args::Diff) -> Result<(String, End), Stop> {
    let report = |path| {
        source::files(path, &args.whole).map(|reading| ReportView::judge(&reading, &Excepting::none()))
    };
    let view = view(&report(&args.before)?, &report(&args.after)?);
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
