//! Exceptions: a finding that somebody answers for, with a reason and an end. One hides nothing: the verdict stays as it
//! is, and the finding is shown with who answers for it. One that has ended, or that is about nothing any more, is a
//! finding itself.

mod read;
#[cfg(test)]
mod tests;

pub use read::ExceptionError;

use crate::check::{Finding, Report};
use crate::ground::said;
use crate::said::shown;
use crate::severity::Severity;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sallyport_model::glob_matches;
use sallyport_rbac::who::Subject;

/// The longest exception, in days from the day it is read.
pub const DAYS_MOST: i64 = 366;
/// The most exceptions of one file.
pub const MOST: usize = 2000;

/// One exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The check's id.
    pub check: String,
    /// Clusters it is for; `*` stands for any run of characters.
    pub cluster: String,
    /// Whom the finding is about; none: see `object`.
    pub subject: Option<Subject>,
    /// What it is about; without subject and object: a finding that is about neither.
    pub object: Option<Named>,
    /// How bad it may be; none: however bad.
    pub at_most: Option<Severity>,
    /// The namespaces it may be about; none: wherever.
    pub namespaces: Option<Vec<String>>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds, UTC.
    pub until: Date,
    /// Where it stands, from 1.
    pub line: u32,
}

/// An object by kind, namespace and name, as `RoleBinding/payments/devs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// e.g. `ClusterRoleBinding`.
    pub kind: String,
    /// Its namespace, where it is in one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// Exceptions, as a team keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions {
    all: Vec<Exception>,
}

/// What is wrong with an exception: a finding of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// `EX-01`: it has ended. `EX-02`: nothing is found that it is about.
    pub check: &'static str,
    /// How bad.
    pub severity: Severity,
    /// The exception.
    pub exception: Exception,
    /// What is wrong, a sentence.
    pub said: String,
}

impl Stale {
    /// What is wrong where one is found.
    pub fn title(&self) -> &'static str {
        if self.check == "EX-01" { "An exception has ended" } else { "An exception is about nothing" }
    }

    /// What to do about it.
    pub fn fix(&self) -> &'static str {
        match self.check {
            "EX-01" => "Fix what it was about, or have its owner answer for it again with a new end.",
            _ => "Remove it.",
        }
    }
}

impl Exceptions {
    /// Each, as they stand in the file.
    pub fn all(&self) -> &[Exception] {
        &self.all
    }

    /// The exception that a finding of a cluster falls under, if one holds. `now`: seconds since 1970.
    pub fn of(&self, cluster: &str, finding: &Finding, now: i64) -> Option<&Exception> {
        let today = day(now);
        self.all.iter().find(|one| one.holds(today) && one.is_about(cluster, finding))
    }

    /// What is wrong with them, given what was found: cluster and report. Of a cluster whose check was not answered it is
    /// not known that an exception is about nothing, and that is not said.
    pub fn audit(&self, seen: &[(&str, &Report)], now: i64) -> Vec<Stale> {
        let today = day(now);
        let mut stale = Vec::new();
        for one in &self.all {
            if !one.holds(today) {
                let said = format!("{} ended on {}: what it was about counts again.", one.said(), one.until);
                stale.push(Stale {
                    check: "EX-01",
                    severity: Severity::Medium,
                    exception: one.clone(),
                    said,
                });
                continue;
            }
            let (mut about, mut open, mut clusters) = (0, false, 0);
            for (cluster, report) in seen.iter().filter(|(cluster, _)| glob_matches(&one.cluster, cluster)) {
                clusters += 1;
                let Some(judged) = report.checks.iter().find(|judged| judged.check.id == one.check) else {
                    open = true;
                    continue;
                };
                open |= !crate::area::is_answered(judged);
                about += judged.findings.iter().filter(|finding| one.is_about(cluster, finding)).count();
            }
            // Of clusters that nobody looked at nothing is known.
            if about == 0 && !open && clusters > 0 {
                let said = format!("{} is about nothing that is found.", one.said());
                stale.push(Stale { check: "EX-02", severity: Severity::Low, exception: one.clone(), said });
            }
        }
        stale
    }
}

impl Exception {
    fn holds(&self, today: Date) -> bool {
        today <= self.until
    }

    fn is_about(&self, cluster: &str, finding: &Finding) -> bool {
        let object = || match (&self.object, &finding.object) {
            (None, _) => true,
            (Some(named), Some(object)) => {
                named.kind == object.kind && named.namespace == object.namespace && named.name == object.name
            }
            (Some(_), None) => false,
        };
        // Whoever answers for what was found does not answer for what becomes of it.
        let grown = self.at_most.is_some_and(|most| finding.severity > most)
            || self.namespaces.as_ref().is_some_and(|known| match &finding.namespaces {
                None => true,
                Some(own) => own.iter().any(|one| !known.contains(one)),
            });
        !grown
            && self.check == finding.check
            && glob_matches(&self.cluster, cluster)
            && match &self.subject {
                Some(subject) => finding.subject.as_ref() == Some(subject) && object(),
                None if self.object.is_some() => finding.subject.is_none() && object(),
                None => finding.subject.is_none() && finding.object.is_none(),
            }
    }

    /// Which it is, for people: "The exception of sre@example.test from RB-01 for group sre (line 3)".
    pub fn said(&self) -> String {
        let about = match (&self.subject, &self.object) {
            (Some(subject), _) => format!(" for {}", said(subject)),
            (None, Some(named)) => format!(" for {} {}", shown(&named.kind), shown(&named.name)),
            (None, None) => String::new(),
        };
        format!("The exception of {} from {}{about} (line {})", shown(&self.owner), self.check, self.line)
    }
}

/// The day it is, UTC.
fn day(now: i64) -> Date {
    let now = jiff::Timestamp::from_second(now).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    now.to_zoned(TimeZone::UTC).date()
}
