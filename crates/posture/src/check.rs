//! What is looked for: each check as data and a small pure function, and what came of it.

mod admission;
mod answer;
mod audit;
mod bindings;
mod bounded;
mod catalogue;
mod configuration;
mod credential;
mod door;
mod encryption;
mod ended;
mod flow;
mod granted;
mod inert;
mod others;
mod pods;
mod policies;
mod shipped;
mod sign_in;
mod unseen;
mod unused;
mod version;
mod ways;
mod webhooks;
mod wildcard;
mod workloads;

#[cfg(test)]
mod tests;

pub use catalogue::{Area, Check, Maps, catalogue};

use crate::evidence::{Evidence, Object};
use crate::ground::{Ground, Origin};
use crate::severity::Severity;
use crate::snapshot::Authorizers;
use sallyport_rbac::who::Subject;
use serde::{Deserialize, Serialize};

/// What a check came to (promise P21).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// All that it depends on was read, and nothing was found.
    Pass,
    /// Something was found. What was not read may hide more: the report's gaps say so.
    Fail,
    /// What was found has no effect: a grant that gives nothing where it is.
    Inert,
    /// Nothing was found in what was read, and not all was: why.
    Unknown(String),
    /// The answer is a setting of the cloud: where to look.
    Provider(String),
    /// There is nothing here that it could be about: why.
    NotApplicable(String),
}

/// Something that a check found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The check.
    pub check: &'static str,
    /// Whether it has no effect.
    pub inert: bool,
    /// How bad it is, by what it reaches.
    pub severity: Severity,
    /// Who holds it, where it is about somebody.
    pub subject: Option<Subject>,
    /// What it is about, where it is about an object.
    pub object: Option<Object>,
    /// The namespaces it is about, in order; none: everywhere.
    pub namespaces: Option<Vec<String>>,
    /// What proves it: for each way and place the smallest set of bindings, roles and rules.
    pub evidence: Vec<Evidence>,
    /// What was found, as a sentence.
    pub said: String,
    /// Whether it comes with Kubernetes or a vendor: such are collapsed and not hidden.
    pub origin: Origin,
}

/// A check and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The check.
    pub check: &'static Check,
    /// What it came to.
    pub verdict: Verdict,
    /// What it found, the worst first.
    pub findings: Vec<Finding>,
    /// What was not read that it depends on, a sentence each.
    pub gaps: Vec<String>,
}

/// What came of all checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// By check, in the catalogue's order.
    pub checks: Vec<Judged>,
    /// How many checks had all they depend on and came to an answer, and how many there are: shown beside every score.
    pub covered: (usize, usize),
    /// What is to be known of all answers: who else may decide, what was computed.
    pub notes: Vec<String>,
}

impl Ground<'_> {
    /// Asks every check.
    pub fn report(&self) -> Report {
        let mut found = ways::by_check(self, |_| true);
        // Once: it looks at every binding.
        let others = self.nobody_can_gaps();
        let checks: Vec<Judged> = catalogue()
            .iter()
            .map(|check| {
                let findings = self.findings(check, found.remove(check.id).unwrap_or_default());
                let mut gaps = self.snapshot.gaps(check.reads);
                let verdict = self.verdict(check, &findings, &mut gaps, &others);
                Judged { check, verdict, findings, gaps }
            })
            .collect();
        let known = |one: &&Judged| one.gaps.is_empty() && !matches!(one.verdict, Verdict::Unknown(_));
        let covered = checks.iter().filter(known).count();
        Report { covered: (covered, checks.len()), notes: notes(self, others), checks }
    }

    /// What one check finds: as [`report`](Self::report) has it, without asking all others.
    pub(crate) fn found_by(&self, check: &str) -> Vec<Finding> {
        let Some(check) = catalogue().iter().find(|one| one.id == check) else { return Vec::new() };
        let mut found = ways::by_check(self, |id| id == check.id);
        self.findings(check, found.remove(check.id).unwrap_or_default())
    }

    /// With what it finds beside the ways, the worst first, and what is the team's own before what comes with the cluster.
    fn findings(&self, check: &Check, mut findings: Vec<Finding>) -> Vec<Finding> {
        findings.extend((check.looks.0)(self, check.id));
        findings.iter_mut().for_each(weigh);
        findings.sort_by(|a, b| {
            (b.severity, b.origin).cmp(&(a.severity, a.origin)).then_with(|| a.said.cmp(&b.said))
        });
        findings
    }

    fn verdict(
        &self,
        check: &Check,
        findings: &[Finding],
        gaps: &mut Vec<String>,
        others: &[String],
    ) -> Verdict {
        let about = (check.about.0)(self);
        // What comes with Kubernetes is how it works: it is listed, and no failure of this cluster.
        if findings.iter().any(|one| !one.inert && one.origin != Origin::Default) {
            // What was found is not all where the rest was not seen.
            if let Some(Verdict::Unknown(why)) = about {
                gaps.push(why);
            }
            return Verdict::Fail;
        }
        if !gaps.is_empty() {
            // Whoever is to give rights is told of all that are missing.
            if let Some(Verdict::Unknown(why)) = about
                && !gaps.contains(&why)
            {
                gaps.push(why);
            }
            return Verdict::Unknown(gaps.join("; "));
        }
        // That there is nothing it could be about is one server's word too.
        let is_own_word = !matches!(about, Some(Verdict::Unknown(_) | Verdict::Provider(_)));
        if let Some(why) = self.one_of_several(check).filter(|_| is_own_word) {
            return Verdict::Unknown(why);
        }
        if let Some(verdict) = about {
            return verdict;
        }
        if check.nobody_can && !others.is_empty() {
            return Verdict::Unknown(others.join("; "));
        }
        match findings.iter().any(|one| one.inert) {
            true => Verdict::Inert,
            false => Verdict::Pass,
        }
    }
}

/// Checks that go by what one API server tells of itself.
const TELLS_OF_ITSELF: [&str; 18] = [
    "AP-07", "AP-08", "AP-09", "AN-01", "AN-04", "AN-05", "AN-06", "SA-06", "AD-08", "AD-09", "AD-10",
    "AU-01", "AU-02", "AU-03", "AU-06", "EN-01", "EN-02", "VR-03",
];

impl Ground<'_> {
    /// Why what an API server tells of itself is not known of the others behind the same address.
    fn one_of_several(&self, check: &Check) -> Option<String> {
        if !TELLS_OF_ITSELF.contains(&check.id) {
            return None;
        }
        let servers: usize = self
            .snapshot
            .endpoints
            .iter()
            .filter(|one| one.service == "kubernetes" && one.meta.namespace.as_deref() == Some("default"))
            .map(|one| one.addresses.len())
            .sum();
        (servers > 1).then(|| {
            format!(
                "one of {servers} API servers behind one address told it; the others may be set up otherwise"
            )
        })
    }
}

/// What comes with Kubernetes, and what has no effect, is never above Low.
fn weigh(finding: &mut Finding) {
    if finding.inert {
        finding.severity = Severity::Info;
    }
    if finding.origin == Origin::Default {
        finding.severity = finding.severity.min(Severity::Low);
    }
}

fn notes(ground: &Ground<'_>, others: Vec<String>) -> Vec<String> {
    let mut notes = Vec::new();
    if ground.snapshot.authorizers == Authorizers::NotAsked {
        notes.push(
            "Nobody asked the API server whether something beside RBAC decides: where a check passes, it passes by \
             roles and bindings."
                .to_owned(),
        );
    }
    if let Some((major, minor)) = ground.snapshot.server.filter(|server| !crate::defaults::is_known(*server))
    {
        notes.push(format!(
            "The roles that Kubernetes {major}.{minor} ships are not known here: one that is named and bound as other \
             versions do it counts as shipped, whatever its rules, unless it allows everything."
        ));
    }
    if let Some(ahead) = ground.snapshot.clock_ahead {
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        notes.push(format!(
            "The clock of whoever read it was {} s {way} the API server's: what has ended or ends soon is judged by the \
             API server's. Set the clock that is wrong.",
            ahead.unsigned_abs()
        ));
    }
    if ground.snapshot.server.is_none() {
        notes.push(
            "The server's version is not known: rights that an older one would give count as given."
                .to_owned(),
        );
    }
    if !ground.aggregated.computed.is_empty() {
        notes.push(format!(
            "No controller has filled these aggregated ClusterRoles, so their rules were computed: {}.",
            crate::decides::names(&ground.aggregated.computed)
        ));
    }
    notes.extend(pods::notes(ground));
    notes.extend(others);
    notes
}
