//! What a scan came to, as it is written as JSON and as the other outputs are made of.

use crate::exceptions::{Excepting, StaleView};
use crate::finding::{FindingView, SeverityView, finding};
use crate::glance::{CellView, PracticeView, glance};
use sallyport_posture::check::{Area, Check, Judged};
use sallyport_posture::snapshot::Part;
use sallyport_posture::{Coverage, Ground, Kind, Report, Verdict};
use sallyport_scan::Reading;
use schemars::JsonSchema;
use serde::Serialize;

pub use crate::verdict::VerdictView;

/// The version of the shape; another one would be incompatible.
pub const VERSION: &str = "posture.sallyport.dev/report/v1";

/// What a scan came to.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportView {
    /// `posture.sallyport.dev/report/v1`. Fields may be added under it; none changes its meaning.
    pub schema: &'static str,
    /// What was read.
    pub read: ReadView,
    /// How many findings of each severity, those that come with Kubernetes left out.
    pub summary: Summary,
    /// How many checks had all that they depend on.
    pub covered: Covered,
    /// The ten practices of zero trust.
    pub practices: Vec<PracticeView>,
    /// The areas of the grid.
    pub areas: Vec<CellView>,
    /// What is to be known of all answers.
    pub notes: Vec<String>,
    /// Every check, in the catalogue's order.
    pub checks: Vec<CheckView>,
    /// What was found, the worst first.
    pub findings: Vec<FindingView>,
    /// Exceptions that have ended or are about nothing, where some were given.
    pub stale_exceptions: Vec<StaleView>,
}

/// What was read, and how far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadView {
    /// From where: an address, a folder.
    pub source: String,
    /// As whom, where the API server said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// When, RFC 3339, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// The API server's version, where it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Kind by kind.
    pub kinds: Vec<KindView>,
    /// What the API server tells of itself beside its objects, and what is seen of it without a credential.
    pub parts: Vec<PartView>,
    /// Files that could not be read, and why.
    pub unread: Vec<String>,
}

/// How far a kind was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KindView {
    /// e.g. `ClusterRole`.
    pub kind: &'static str,
    /// How many objects.
    pub objects: usize,
    /// How far.
    pub coverage: CoverageView,
    /// Why it was not read whole, a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How far something was read that is no kind of objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartView {
    /// e.g. `/metrics`.
    pub part: &'static str,
    /// How far.
    pub coverage: CoverageView,
    /// Why it was not read whole, a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How far a kind was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CoverageView {
    /// All of it.
    Read,
    /// The API server said no.
    Forbidden,
    /// A part of it.
    Cut,
    /// The API server does not have it.
    NotServed,
    /// Nobody asked for it.
    NotAsked,
}

/// How many findings of each severity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Summary {
    /// It ends in everything, in the root of a node, or with whoever did not sign in.
    pub critical: usize,
    /// In many places, or where it hurts.
    pub high: usize,
    /// More than they should, in one place.
    pub medium: usize,
    /// To be tidied up.
    pub low: usize,
    /// Good to know.
    pub info: usize,
    /// Those that come with Kubernetes and count in none of the others.
    pub shipped: usize,
    /// Of the others, those that somebody answers for.
    pub excepted: usize,
}

/// How many of how many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Covered {
    /// Checks that had all they depend on.
    pub checks: usize,
    /// All checks.
    pub of: usize,
}

/// A check and what it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckView {
    /// e.g. `RB-04`.
    pub id: &'static str,
    /// What is wrong where it fails.
    pub title: &'static str,
    /// What it is about.
    pub area: AreaView,
    /// What it came to.
    pub verdict: VerdictView,
    /// Why, where the verdict has a reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What to do about it.
    pub fix: &'static str,
    /// What was not read that it depends on; with a `fail` it may hide more.
    pub gaps: Vec<String>,
    /// Ids of other catalogues.
    pub maps: MapsView,
}

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AreaView {
    /// Who may do what.
    Rights,
    /// Accounts of programs, and their tokens.
    Accounts,
    /// What is refused, whoever asks.
    Admission,
    /// How its API server is reached and configured.
    Server,
    /// How a person's kubeconfig gets them in.
    Credential,
    /// Who is believed to be whom.
    SignIn,
    /// What is written down of who did what.
    Audit,
    /// How Secrets are kept.
    Encryption,
    /// What is still looked after.
    Version,
}

/// What a check is known as elsewhere; empty where it is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MapsView {
    /// CIS Kubernetes Benchmark.
    pub cis: &'static str,
    /// NSA/CISA guide.
    pub nsa: &'static str,
    /// OWASP Kubernetes Top Ten.
    pub owasp: &'static str,
    /// MITRE ATT&CK for Containers.
    pub mitre: &'static str,
}

impl ReportView {
    /// A report on a reading, with the exceptions that hold for it.
    pub fn of(
        reading: &Reading,
        report: &Report,
        excepting: &Excepting,
        coverage: impl Fn(Kind) -> Coverage,
    ) -> Self {
        let checks = report.checks.iter().map(check).collect();
        let mut findings: Vec<FindingView> = report
            .checks
            .iter()
            .flat_map(|judged| &judged.findings)
            .map(|found| FindingView { excepted: excepting.of(found), ..finding(found, reading) })
            .collect();
        // The checks' own order decides between equals.
        findings.sort_by_key(|found| std::cmp::Reverse(found.severity));
        let (practices, areas) = glance(report, excepting);
        Self {
            practices,
            areas,
            schema: VERSION,
            read: read(reading, coverage),
            summary: Summary::of(&findings),
            covered: Covered { checks: report.covered.0, of: report.covered.1 },
            notes: reading.assumed.iter().chain(&report.notes).cloned().collect(),
            checks,
            findings,
            stale_exceptions: excepting.stale(report),
        }
    }

    /// What a reading comes to: every check asked.
    pub fn judge(reading: &Reading, excepting: &Excepting) -> Self {
        let snapshot = reading.snapshot();
        let report = Ground::new(&snapshot).report();
        Self::of(reading, &report, excepting, |kind| snapshot.coverage(kind))
    }

    /// Findings that are the team's or the vendor's.
    pub fn counted(&self) -> impl Iterator<Item = &FindingView> {
        self.findings.iter().filter(|found| found.counts())
    }

    /// A check by its id.
    pub fn check(&self, id: &str) -> Option<&CheckView> {
        self.checks.iter().find(|check| check.id == id)
    }
}

impl Summary {
    fn of(findings: &[FindingView]) -> Self {
        let mut summary = Self::default();
        for found in findings {
            let place = match (found.counts(), found.severity) {
                (false, _) => &mut summary.shipped,
                (_, SeverityView::Critical) => &mut summary.critical,
                (_, SeverityView::High) => &mut summary.high,
                (_, SeverityView::Medium) => &mut summary.medium,
                (_, SeverityView::Low) => &mut summary.low,
                (_, SeverityView::Info) => &mut summary.info,
            };
            *place += 1;
            summary.excepted += usize::from(found.counts() && found.excepted.is_some());
        }
        summary
    }
}

fn read(reading: &Reading, coverage: impl Fn(Kind) -> Coverage) -> ReadView {
    let counts = reading.counts();
    let kind = |kind: &Kind| {
        let coverage = coverage(*kind);
        KindView {
            kind: kind.name(),
            objects: counts.get(kind).copied().unwrap_or_default(),
            why: coverage.gap(*kind),
            coverage: (&coverage).into(),
        }
    };
    ReadView {
        source: reading.source.clone(),
        user: reading.user.clone(),
        taken: reading.taken.clone(),
        version: reading.version.clone(),
        kinds: Kind::ALL.iter().map(kind).collect(),
        parts: parts(reading),
        unread: reading.unread.clone(),
    }
}

fn parts(reading: &Reading) -> Vec<PartView> {
    fn part<T>(name: &'static str, part: &Part<T>) -> PartView {
        PartView { part: name, coverage: (&part.coverage).into(), why: part.gap(name) }
    }
    let told = &reading.told;
    let seen = |name, is: bool| PartView {
        part: name,
        coverage: if is { CoverageView::Read } else { CoverageView::NotAsked },
        why: (!is).then(|| format!("{name} was not looked at")),
    };
    vec![
        part("/flagz", &told.flags),
        part("/metrics", &told.metrics),
        part("/readyz", &told.ready),
        part("/openid/v1/jwks", &told.keys),
        part("ConfigMap extension-apiserver-authentication", &told.authentication),
        part("ConfigMap aws-auth", &told.aws_auth),
        part("ConfigMap cluster-info", &told.cluster_info),
        part("ConfigMap kube-apiserver-legacy-service-account-token-tracking", &told.tracking_since),
        seen("its address without a credential", reading.door.is_some()),
        seen("the kubeconfig", reading.ways_in.is_some()),
    ]
}

impl From<&Coverage> for CoverageView {
    fn from(coverage: &Coverage) -> Self {
        match coverage {
            Coverage::Read => Self::Read,
            Coverage::Forbidden(_) => Self::Forbidden,
            Coverage::Cut(_) => Self::Cut,
            Coverage::NotServed => Self::NotServed,
            Coverage::NotAsked => Self::NotAsked,
        }
    }
}

fn check(judged: &Judged) -> CheckView {
    let Check { id, title, area, maps, fix, .. } = judged.check;
    let (verdict, why) = match &judged.verdict {
        Verdict::Pass => (VerdictView::Pass, None),
        Verdict::Fail => (VerdictView::Fail, None),
        Verdict::Inert => (VerdictView::Inert, None),
        Verdict::Unknown(why) => (VerdictView::Unknown, Some(why.clone())),
        Verdict::Provider(place) => (VerdictView::Provider, Some(place.clone())),
        Verdict::NotApplicable(why) => (VerdictView::NotApplicable, Some(why.clone())),
    };
    CheckView {
        id,
        title,
        area: match area {
            Area::Rights => AreaView::Rights,
            Area::Accounts => AreaView::Accounts,
            Area::Admission => AreaView::Admission,
            Area::Server => AreaView::Server,
            Area::Credential => AreaView::Credential,
            Area::SignIn => AreaView::SignIn,
            Area::Audit => AreaView::Audit,
            Area::Encryption => AreaView::Encryption,
            Area::Version => AreaView::Version,
        },
        verdict,
        why,
        fix,
        gaps: judged.gaps.clone(),
        maps: MapsView { cis: maps.cis, nsa: maps.nsa, owasp: maps.owasp, mitre: maps.mitre },
    }
}
