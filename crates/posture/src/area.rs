//! What a fleet's grid has for columns: each check belongs to one area, and a cell says what its checks came to.

use crate::check::{Finding, Judged, Report, Verdict};
use crate::ground::Origin;
use crate::severity::Severity;
use serde::{Deserialize, Serialize};

/// A column of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Area {
    /// How the API server is reached, and by what TLS.
    Reach,
    /// How it finds out who somebody is.
    SignIn,
    /// What people and programs sign in with, and how long that lasts.
    Credentials,
    /// Who may do what.
    Rbac,
    /// What is refused, whoever asks.
    Admission,
    /// What is written down of it.
    Audit,
    /// What is stored unreadable.
    Encryption,
    /// Which versions run.
    Version,
}

impl Area {
    /// All, in the grid's order.
    pub const ALL: [Self; 8] = [
        Self::Reach,
        Self::SignIn,
        Self::Credentials,
        Self::Rbac,
        Self::Admission,
        Self::Audit,
        Self::Encryption,
        Self::Version,
    ];

    /// The column's title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Reach => "TLS & reach",
            Self::SignIn => "Sign-in",
            Self::Credentials => "Credentials",
            Self::Rbac => "RBAC",
            Self::Admission => "Admission",
            Self::Audit => "Audit",
            Self::Encryption => "Encryption",
            Self::Version => "Version",
        }
    }

    /// The area of a check, by its id: most by their family, some by what they are about. None: a family that has no
    /// column, as what is found across clusters alone.
    pub fn of(check: &str) -> Option<Self> {
        Some(match check {
            // Whoever gets in without signing in.
            "AP-01" | "RB-27" => Self::SignIn,
            // Which certificates of others it believes.
            "AP-06" => Self::SignIn,
            // Who decides beside RBAC.
            "AP-08" | "AP-09" | "AN-05" | "AN-10" => Self::Rbac,
            // How a kubeconfig reaches a server is no credential.
            "KC-01" | "KC-02" => Self::Reach,
            "AN-03" | "AN-04" | "AN-07" | "AN-11" => Self::Credentials,
            other => match other.split_once('-')?.0 {
                "AP" | "NP" => Self::Reach,
                "AN" => Self::SignIn,
                "KC" | "SA" => Self::Credentials,
                "RB" => Self::Rbac,
                "AD" => Self::Admission,
                "AU" => Self::Audit,
                "EN" => Self::Encryption,
                "VR" => Self::Version,
                _ => return None,
            },
        })
    }
}

/// What an area of a cluster came to. Whatever was not read is never a pass: one check that fails decides, then one that
/// is unknown, then one whose answer is a setting of the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CellVerdict {
    /// There is nothing here that its checks could be about.
    NotApplicable,
    /// All its checks passed.
    Pass,
    /// The answer is a setting of the cloud.
    Provider,
    /// Not all that its checks depend on was read, or no check looks at it.
    Unknown,
    /// Something was found.
    Fail,
}

/// One cell of the grid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cell {
    /// Which column.
    pub area: Area,
    /// What it came to.
    pub verdict: CellVerdict,
    /// How bad the worst finding is that nobody excepted; none: there is none.
    pub worst: Option<Severity>,
    /// How many findings are this bad.
    pub count: usize,
    /// How many findings nobody excepted, of every severity.
    pub findings: usize,
    /// How many somebody excepted, which they do not hide: an area where all are excepted still fails.
    pub excepted: usize,
    /// Checks that came to an answer, and all of the area's.
    pub covered: (usize, usize),
    /// Why, where it is unknown or a setting of the cloud: the first reason of several.
    pub why: Option<String>,
}

/// Whether a finding counts: what has no effect and what comes with Kubernetes is listed and is no weakness of a cluster.
pub fn counts(finding: &Finding) -> bool {
    !finding.inert && finding.origin != Origin::Default
}

/// The cells of a report, in the grid's order; `excepted` says of a finding whether somebody excepted it.
pub fn cells(report: &Report, excepted: impl Fn(&Finding) -> bool) -> Vec<Cell> {
    Area::ALL.into_iter().map(|area| cell(report, area, &excepted)).collect()
}

/// A check that only tries what another tells, and that other: where it tells, a try that nobody asked for leaves nothing
/// open.
const TRIES: (&str, &str) = ("AD-02", "AD-01");

fn cell(report: &Report, area: Area, excepted: &impl Fn(&Finding) -> bool) -> Cell {
    let of: Vec<&Judged> = report.checks.iter().filter(|one| Area::of(one.check.id) == Some(area)).collect();
    let (verdict, why) = worst_of(&without_tries(&of));
    let mut cell = Cell {
        area,
        verdict,
        worst: None,
        count: 0,
        findings: 0,
        excepted: 0,
        covered: (of.iter().filter(|one| is_answered(one)).count(), of.len()),
        why,
    };
    for finding in of.iter().flat_map(|one| &one.findings).filter(|one| counts(one)) {
        if excepted(finding) {
            cell.excepted += 1;
            continue;
        }
        cell.findings += 1;
        match cell.worst.cmp(&Some(finding.severity)) {
            std::cmp::Ordering::Less => (cell.worst, cell.count) = (Some(finding.severity), 1),
            std::cmp::Ordering::Equal => cell.count += 1,
            std::cmp::Ordering::Greater => {}
        }
    }
    cell
}

fn without_tries<'r>(of: &[&'r Judged]) -> Vec<&'r Judged> {
    let told = of.iter().any(|one| one.check.id == TRIES.1 && one.verdict == Verdict::Pass);
    let is_open = |one: &Judged| one.check.id == TRIES.0 && matches!(one.verdict, Verdict::Unknown(_));
    of.iter().copied().filter(|one| !(told && is_open(one))).collect()
}

/// Whether a check had all it depends on and came to an answer.
pub(crate) fn is_answered(judged: &Judged) -> bool {
    judged.gaps.is_empty() && !matches!(judged.verdict, Verdict::Unknown(_) | Verdict::Provider(_))
}

/// What several checks come to together, and why.
pub(crate) fn worst_of(checks: &[&Judged]) -> (CellVerdict, Option<String>) {
    let mut all = (CellVerdict::NotApplicable, None);
    if checks.is_empty() {
        return (CellVerdict::Unknown, Some("no check looks at it yet".to_owned()));
    }
    for judged in checks {
        let one = match &judged.verdict {
            Verdict::Fail => (CellVerdict::Fail, None),
            Verdict::Unknown(why) => (CellVerdict::Unknown, Some(why.clone())),
            Verdict::Provider(place) => (CellVerdict::Provider, Some(place.clone())),
            Verdict::Pass | Verdict::Inert => (CellVerdict::Pass, None),
            Verdict::NotApplicable(_) => (CellVerdict::NotApplicable, None),
        };
        if one.0 > all.0 {
            all = one;
        }
    }
    all
}
