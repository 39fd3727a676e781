//! One exception, in the form of the file that the command line reads, and read by the same parser. Pure.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use sallyport_ipc::Shown;
use sallyport_posture::exception::{ExceptionError, Exceptions};
use sallyport_posture::{Finding, Severity};
use sallyport_rbac::who::Subject;
use sallyport_report::exceptions::Excepting;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One exception, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) check: String,
    pub(super) cluster: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) object: Option<String>,
    /// How bad it was, and where: what is worse or in other places counts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) severity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) namespaces: Option<Vec<String>>,
    pub(super) owner: String,
    pub(super) reason: String,
    /// The last day on which it stands, UTC: `2027-01-31`.
    pub(super) until: String,
}

impl Entry {
    pub(super) fn id(&self) -> String {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        super::words::id(&[&self.check, &self.cluster, &part(&self.subject), &part(&self.object)])
    }
}

/// Whom and what a finding is about, how bad it is, and where.
#[derive(Default)]
pub(super) struct About {
    pub(super) subject: Option<String>,
    pub(super) object: Option<String>,
    pub(super) severity: Option<String>,
    pub(super) namespaces: Option<Vec<String>>,
}

impl About {
    pub(super) fn of(found: &Finding) -> Self {
        let severity = match found.severity {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        };
        Self {
            subject: found.subject.as_ref().map(subject),
            object: found.object.as_ref().map(object),
            severity: Some(severity.to_owned()),
            namespaces: found.namespaces.clone(),
        }
    }
}

/// A line for each, so that a problem's line says which it is.
fn file(entries: &[Entry]) -> Result<String, serde_json::Error> {
    let lines: Vec<String> = entries.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    Ok(format!("{{\"exceptions\": [\n{}\n]}}", lines.join(",\n")))
}

pub(super) fn parse(entries: &[Entry], now: i64) -> Result<Exceptions, ExceptionError> {
    let text = file(entries).unwrap_or_default();
    Exceptions::parse(&text, now)
}

/// The same for a page. `now`: Unix seconds. One that can't be read excepts nothing, as in [`Standing::of`].
pub(super) fn excepting(entries: &[Entry], now: i64) -> Excepting {
    let text = file(entries).unwrap_or_default();
    Excepting::parse(&text, "the exceptions of this window", "", now).unwrap_or_else(|error| {
        tracing::warn!(%error, "the exceptions that are kept can't be read");
        Excepting::none()
    })
}

/// Those that stand at a moment.
pub(super) struct Standing {
    exceptions: Exceptions,
    ids: Vec<String>,
    now: i64,
}

impl Standing {
    /// `now`: Unix seconds. One that can't be read excepts nothing, and takes the others with it: too much is found rather than
    /// too little.
    pub(super) fn of(entries: &[Entry], now: i64) -> Self {
        let exceptions = parse(entries, now).unwrap_or_else(|error| {
            tracing::warn!(%error, "the exceptions that are kept can't be read");
            Exceptions::default()
        });
        Self { exceptions, ids: entries.iter().map(Entry::id).collect(), now }
    }

    pub(super) fn covers(&self, cluster: &str, finding: &Finding) -> bool {
        self.exceptions.of(cluster, finding, self.now).is_some()
    }

    /// Who answers for a finding, and until when.
    pub(super) fn said(&self, cluster: &str, finding: &Finding) -> Option<Shown> {
        let one = self.exceptions.of(cluster, finding, self.now)?;
        Some(format!("{} answers for it until {}: {}", one.owner, one.until, one.reason).into())
    }

    /// How many of these each is for, by its id.
    pub(super) fn counts<'f>(
        &self,
        cluster: &str,
        findings: impl Iterator<Item = &'f Finding>,
    ) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for finding in findings {
            let of = self.exceptions.of(cluster, finding, self.now);
            // A line of the file each, from the second on.
            let at = of.and_then(|one| usize::try_from(one.line).ok()?.checked_sub(2));
            if let Some(id) = at.and_then(|at| self.ids.get(at)) {
                *counts.entry(id.clone()).or_insert(0) += 1;
            }
        }
        counts
    }
}

/// The end of a day, UTC, Unix seconds.
pub(super) fn last_moment(day: &str) -> Option<i64> {
    let day: Date = day.parse().ok()?;
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second() + 24 * 3600 - 1)
}

fn subject(subject: &Subject) -> String {
    match (subject, subject.as_account()) {
        (_, Some((namespace, name))) => format!("sa:{namespace}/{name}"),
        (Subject::Group(name), _) => format!("group:{name}"),
        (Subject::User(name), _) => format!("user:{name}"),
    }
}

fn object(object: &sallyport_posture::Object) -> String {
    match &object.namespace {
        Some(namespace) => format!("{}/{namespace}/{}", object.kind, object.name),
        None => format!("{}/{}", object.kind, object.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_exceptions_of_the_window_and_one_that_cannot_be_read_excepts_nothing() {
        let entry = |reason: &str| -> Entry {
            let entry = serde_json::json!({
                "check": "RB-01", "cluster": "*", "subject": "group:devs",
                "owner": "sre@example.test", "reason": reason, "until": "2027-01-31",
            });
            serde_json::from_value(entry).unwrap()
        };
        let now = "2027-01-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
        assert!(!excepting(&[entry("break glass")], now).is_empty());
        assert!(excepting(&[entry("break glass"), entry("")], now).is_empty());
        assert!(excepting(&[], now).is_empty());
    }
}
