//! A cluster at a glance, before any long list: the ten practices and the areas of the grid.

use crate::exceptions::Excepting;
use crate::finding::SeverityView;
use crate::verdict::VerdictView;
use crate::words::shown;
use sallyport_posture::area::{Area, Cell, CellVerdict, cells};
use sallyport_posture::practice::{Ours, Practised, practices};
use sallyport_posture::{Report, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

/// One of the ten practices of zero trust.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PracticeView {
    /// Its name.
    pub name: &'static str,
    /// What it came to.
    pub verdict: VerdictView,
    /// What shows it.
    pub evidence: Vec<String>,
    /// What is missing, or not known.
    pub gaps: Vec<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An area of the grid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CellView {
    /// Its title.
    pub area: &'static str,
    /// What it came to.
    pub verdict: VerdictView,
    /// The worst that nobody excepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst: Option<SeverityView>,
    /// How many findings are this bad.
    pub count: usize,
    /// How many findings nobody excepted.
    pub findings: usize,
    /// How many somebody excepted.
    pub excepted: usize,
    /// Checks that came to an answer.
    pub answered: usize,
    /// All checks of the area.
    pub of: usize,
    /// Why, where it is unknown or a setting of the cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Both, of a report. The command line knows nothing that Sallyport has proven.
pub fn glance(report: &Report, excepting: &Excepting) -> (Vec<PracticeView>, Vec<CellView>) {
    let excepted = |one: &sallyport_posture::Finding| excepting.of(one).is_some();
    let practices = practices(report, &Ours::default(), 0, excepted);
    (practices.iter().map(practice).collect(), cells(report, excepted).iter().map(cell).collect())
}

fn practice(one: &Practised) -> PracticeView {
    PracticeView {
        name: one.practice.title(),
        verdict: match &one.verdict {
            Verdict::Pass | Verdict::Inert => VerdictView::Pass,
            Verdict::Fail => VerdictView::Fail,
            Verdict::Unknown(_) => VerdictView::Unknown,
            Verdict::Provider(_) => VerdictView::Provider,
            Verdict::NotApplicable(_) => VerdictView::NotApplicable,
        },
        evidence: one.evidence.clone(),
        gaps: one.gaps.clone(),
        next: one.next.clone(),
    }
}

fn cell(cell: &Cell) -> CellView {
    CellView {
        area: Area::title(cell.area),
        verdict: match cell.verdict {
            CellVerdict::Pass => VerdictView::Pass,
            CellVerdict::Fail => VerdictView::Fail,
            CellVerdict::Unknown => VerdictView::Unknown,
            CellVerdict::Provider => VerdictView::Provider,
            CellVerdict::NotApplicable => VerdictView::NotApplicable,
        },
        worst: cell.worst.map(SeverityView::from),
        count: cell.count,
        findings: cell.findings,
        excepted: cell.excepted,
        answered: cell.covered.0,
        of: cell.covered.1,
        why: cell.why.clone(),
    }
}

/// The ten for people, a line each; what is missing stands below, as findings and as what is not known.
pub fn told(practices: &[PracticeView]) -> String {
    let mut text = "\nTEN PRACTICES\n".to_owned();
    for one in practices {
        let verdict = match one.verdict {
            VerdictView::Pass | VerdictView::Inert => "pass",
            VerdictView::Fail => "fail",
            VerdictView::Unknown => "unknown",
            VerdictView::Provider => "provider",
            VerdictView::NotApplicable => "n/a",
        };
        text.push_str(&format!("  {verdict:8}  {}\n", one.name));
        if let (VerdictView::Fail | VerdictView::Provider, Some(next)) = (one.verdict, &one.next) {
            text.push_str(&format!("            {}\n", shown(next)));
        }
    }
    text
}
