//! What each practice comes to.

use super::{Ours, Practice};
use crate::area::{counts, is_answered};
use crate::check::{Finding, Judged, Report, Verdict};
use crate::said::capital;
use crate::severity::Severity;
use sallyport_rbac::who::{MASTERS, Subject};
use serde::{Deserialize, Serialize};

/// What says most, of evidence and gaps.
const TOLD: usize = 6;

/// A practice and what it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Practised {
    /// Which.
    pub practice: Practice,
    /// What it came to. `Inert` and `NotApplicable` are not among the answers.
    pub verdict: Verdict,
    /// What shows it, a sentence each.
    pub evidence: Vec<String>,
    /// What is missing, a sentence each: what was found, and what is not known.
    pub gaps: Vec<String>,
    /// What to do next; none where nothing is missing.
    pub next: Option<String>,
    /// How bad the worst is that was found and that nobody excepted.
    pub worst: Option<Severity>,
    /// The fingerprint of the finding to begin with.
    pub first: Option<String>,
    /// Checks that came to an answer, and all that are asked.
    pub covered: (usize, usize),
}

/// The ten, of a report. `ours`: what Sallyport has proven of this cluster; `now`: seconds since 1970.
pub fn practices(
    report: &Report,
    ours: &Ours,
    now: i64,
    excepted: impl Fn(&Finding) -> bool,
) -> Vec<Practised> {
    let standing = Standing::of(report);
    Practice::ALL
        .into_iter()
        .map(|practice| judge(report, practice, ours, now, &standing, &excepted))
        .collect()
}

fn judge(
    report: &Report,
    practice: Practice,
    ours: &Ours,
    now: i64,
    standing: &Standing,
    excepted: &impl Fn(&Finding) -> bool,
) -> Practised {
    let checks: Vec<&Judged> =
        report.checks.iter().filter(|one| practice.is_answered_by(one.check.id)).collect();
    let mut found: Vec<&Finding> =
        checks.iter().flat_map(|one| &one.findings).filter(|one| counts(one)).collect();
    // An exception hides nothing: what it is about is still so, and comes after what nobody excepted.
    found.sort_by_key(|one| (excepted(one), std::cmp::Reverse(one.severity)));
    let decides = |one: &&&Finding| practice != Practice::InboundClosed || one.check != "AP-05";
    let all = found.iter().filter(decides).map(|one| one.severity).max();
    let worst = found.iter().find(|one| !excepted(one)).map(|one| one.severity);
    let mut evidence: Vec<String> = Vec::new();
    let told = |one: &&Finding| format!("{}{}", one.said, if excepted(one) { " (Excepted.)" } else { "" });
    let mut gaps: Vec<String> = found.iter().take(TOLD).map(told).collect();
    if found.len() > TOLD {
        gaps.push(format!("{} more findings.", found.len() - TOLD));
    }
    let passed: Vec<&str> = checks
        .iter()
        .filter(|one| matches!(one.verdict, Verdict::Pass | Verdict::Inert))
        .map(|one| one.check.id)
        .collect();
    if !passed.is_empty() {
        evidence.push(format!("{} found nothing.", listed(&passed)));
    }
    let (mut open, mut provider) = reasons(practice, &checks);
    open.extend(missing(practice, &checks));
    // A public address is not an open door: which networks get through to it is said elsewhere.
    if practice == Practice::InboundClosed && found.iter().any(|one| one.check == "AP-05") {
        provider.push(FIREWALL.to_owned());
    }
    let fact = ours.of(practice);
    let counted = fact.filter(|fact| fact.is_fresh(now));
    match (fact, counted) {
        (_, Some(fact)) if fact.holds => evidence.push(format!("Sallyport has seen it hold: {}.", fact.how)),
        (_, Some(fact)) => gaps.push(format!("Sallyport has seen it fail: {}.", fact.how)),
        (Some(_), None) => {
            gaps.push("What Sallyport last proved of it is older than a day: prove it again.".to_owned())
        }
        (None, None) => {}
    }
    let rests = practice.may_rest_on_ours() && counted.is_some_and(|fact| fact.holds);
    let past = if practice.may_rest_on_ours() { standing.past() } else { Vec::new() };
    // How one person signed in says nothing of the others.
    if practice == Practice::TwoFactors && !(rests && past.is_empty()) {
        open.push(OTHERS.to_owned());
    }
    let verdict = if counted.is_some_and(|fact| !fact.holds) || all >= Some(Severity::Medium) {
        Verdict::Fail
    } else if rests && past.is_empty() {
        Verdict::Pass
    } else if !open.is_empty() || checks.is_empty() {
        Verdict::Unknown(open.first().cloned().unwrap_or_else(|| "no check looks at it yet".to_owned()))
    } else if let Some(place) = provider.first() {
        Verdict::Provider(place.clone())
    } else if passed.is_empty() && all.is_none() {
        Verdict::Unknown("none of its checks had anything to look at".to_owned())
    } else {
        Verdict::Pass
    };
    if verdict != Verdict::Pass {
        gaps.extend(past);
        gaps.extend(open.into_iter().chain(provider).take(TOLD).map(|why| sentence(&why)));
    }
    Practised {
        practice,
        next: next(practice, &verdict, &gaps, found.first().copied(), &checks),
        evidence,
        gaps,
        worst,
        first: found.first().map(|one| one.fingerprint()),
        covered: (checks.iter().filter(|one| is_answered(one)).count(), checks.len()),
        verdict,
    }
}

fn next(
    practice: Practice,
    verdict: &Verdict,
    gaps: &[String],
    first: Option<&Finding>,
    checks: &[&Judged],
) -> Option<String> {
    if *verdict == Verdict::Pass && gaps.is_empty() {
        return None;
    }
    let fix = first.and_then(|one| checks.iter().find(|judged| judged.check.id == one.check));
    Some(fix.map_or_else(
        || practice.next().to_owned(),
        |judged| format!("{}: {}", judged.check.id, judged.check.fix),
    ))
}

/// Where to look for what no API client sees.
const FIREWALL: &str = "the API server has a public address, and which networks get through to it is a setting of the \
                        cloud or of a firewall: look there at its authorized networks";

/// What one sign-in leaves open.
const OTHERS: &str = "how others sign in is known to the identity provider, and where Sallyport has proven that the hub \
                      asks for a second factor: prove that, or look there";

/// What nobody asks that it depends on.
fn missing(practice: Practice, checks: &[&Judged]) -> Vec<String> {
    let asked = |id: &&str| checks.iter().any(|one| one.check.id == *id);
    let nobody = practice.needed().iter().filter(|group| !group.iter().any(&asked));
    nobody.map(|group| format!("no check looks at it here ({})", group.join(" or "))).collect()
}

/// Whether another of the checks of which one is enough came to an answer.
fn is_made_up_for(practice: Practice, check: &str, checks: &[&Judged]) -> bool {
    let answered = |id: &&str| {
        *id != check
            && checks
                .iter()
                .any(|one| one.check.id == *id && is_answered(one) && one.verdict == Verdict::Pass)
    };
    practice.needed().iter().any(|group| group.contains(&check) && group.iter().any(&answered))
}

/// Why checks are open, each reason once: what was not read, and what is set at the provider.
fn reasons(practice: Practice, checks: &[&Judged]) -> (Vec<String>, Vec<String>) {
    let (mut open, mut provider): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for judged in checks.iter().filter(|one| !is_made_up_for(practice, one.check.id, checks)) {
        let list = match &judged.verdict {
            Verdict::Unknown(why) => (&mut open, std::slice::from_ref(why)),
            Verdict::Provider(place) => (&mut provider, std::slice::from_ref(place)),
            _ => (&mut open, judged.gaps.as_slice()),
        };
        for why in list.1 {
            if !list.0.contains(why) {
                list.0.push(why.clone());
            }
        }
    }
    (open, provider)
}

/// What people hold for good, and so past Sallyport.
struct Standing {
    /// How many people and groups of people; none: not known.
    many: Option<usize>,
}

impl Standing {
    fn of(report: &Report) -> Self {
        // What has to be answered before nobody is said to hold anything.
        let about_people = [
            "RB-01", "RB-02", "RB-04", "RB-05", "RB-07", "RB-09", "RB-10", "RB-11", "RB-12", "RB-13", "RB-35",
        ];
        let of: Vec<&Judged> =
            report.checks.iter().filter(|one| about_people.contains(&one.check.id)).collect();
        let everybody = ["system:authenticated", "system:unauthenticated", "system:anonymous"];
        let mut people: Vec<&Subject> = report
            .checks
            .iter()
            .filter(|one| one.check.id.starts_with("RB-"))
            .flat_map(|one| &one.findings)
            .filter(|one| counts(one))
            .filter_map(|one| one.subject.as_ref())
            .filter(|subject| subject.as_account().is_none() && subject.name() != MASTERS)
            // Parts of Kubernetes are nobody who signs in; whoever signs in, or does not even, is.
            .filter(|subject| !subject.name().starts_with("system:") || everybody.contains(&subject.name()))
            .collect();
        people.sort();
        people.dedup();
        let known = of.len() == about_people.len()
            && of.iter().all(|one| one.gaps.is_empty() && !matches!(one.verdict, Verdict::Unknown(_)));
        let many = people.len();
        Self { many: (known || many > 0).then_some(many) }
    }

    fn past(&self) -> Vec<String> {
        match self.many {
            Some(0) => Vec::new(),
            Some(1) => vec!["One person or group holds rights for good, past Sallyport.".to_owned()],
            Some(many) => vec![format!("{many} people or groups hold rights for good, past Sallyport.")],
            None => vec!["Whether people hold rights for good, past Sallyport, is not known.".to_owned()],
        }
    }
}

fn listed(ids: &[&str]) -> String {
    match ids {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] if ids.len() <= 8 => format!("{} and {last}", most.join(", ")),
        many => format!("{} checks", many.len()),
    }
}

fn sentence(why: &str) -> String {
    let text = capital(why);
    if text.ends_with('.') { text } else { text + "." }
}

/// A practice over a fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Across {
    /// Which.
    pub practice: Practice,
    /// Clusters where it holds.
    pub pass: usize,
    /// Clusters where it does not, by name in order.
    pub fail: Vec<String>,
    /// Clusters where that is not known.
    pub unknown: usize,
    /// Clusters where it is a setting of the cloud.
    pub provider: usize,
}

/// The ten over a fleet. One that fails in a single cluster does not hold for the fleet; one that is unknown in one is not
/// known for it.
pub fn across<'a>(clusters: impl Iterator<Item = (&'a str, &'a [Practised])>) -> Vec<Across> {
    let empty = |practice| Across { practice, pass: 0, fail: Vec::new(), unknown: 0, provider: 0 };
    let mut all: Vec<Across> = Practice::ALL.into_iter().map(empty).collect();
    for (cluster, practised) in clusters {
        for one in &mut all {
            match practised.iter().find(|own| own.practice == one.practice).map(|own| &own.verdict) {
                Some(Verdict::Pass | Verdict::Inert | Verdict::NotApplicable(_)) => one.pass += 1,
                Some(Verdict::Fail) => one.fail.push(cluster.to_owned()),
                Some(Verdict::Provider(_)) => one.provider += 1,
                Some(Verdict::Unknown(_)) | None => one.unknown += 1,
            }
        }
    }
    all.iter_mut().for_each(|one| one.fail.sort());
    all
}
