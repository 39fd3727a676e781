//! Exceptions on the command line: which findings somebody answers for, and which exceptions are findings themselves.

use crate::end::Stop;
use crate::finding::SeverityView;
use crate::objects::ExceptedView;
use crate::words::shown;
use sallyport_posture::exception::{Exceptions, Stale};
use sallyport_posture::{Finding, Report};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;

/// An exception that is a finding itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StaleView {
    /// `EX-01`: it has ended. `EX-02`: it is about nothing that is found.
    pub(crate) check: &'static str,
    /// How bad.
    pub(crate) severity: SeverityView,
    /// What is wrong, a sentence.
    pub(crate) said: String,
    /// What to do about it.
    pub(crate) fix: &'static str,
    /// The file it stands in.
    pub(crate) file: String,
    /// The line it begins in, from 1.
    pub(crate) line: u32,
}

/// The exceptions of a cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Excepting {
    exceptions: Exceptions,
    cluster: String,
    file: String,
    now: i64,
}

impl Excepting {
    /// None at all.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// Those of a file.
    pub(crate) fn read(file: Option<&Path>, cluster: &str) -> Result<Self, Stop> {
        let now = jiff::Timestamp::now().as_second();
        let Some(path) = file else {
            return Ok(Self { cluster: cluster.to_owned(), now, ..Self::default() });
        };
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Stop(format!("{} can't be read: {error}", shown(&name))))?;
        let exceptions =
            Exceptions::parse(&text, now).map_err(|error| Stop(format!("{}: {error}", shown(&name))))?;
        Ok(Self { exceptions, cluster: cluster.to_owned(), file: name, now })
    }

    /// The same for another cluster.
    pub(crate) fn for_cluster(&self, cluster: &str) -> Self {
        Self { cluster: cluster.to_owned(), ..self.clone() }
    }

    /// Who answers for a finding.
    pub(crate) fn of(&self, finding: &Finding) -> Option<ExceptedView> {
        self.exceptions.of(&self.cluster, finding, self.now).map(ExceptedView::from)
    }

    /// Those that are findings themselves, by one cluster alone: one that is for others is not judged by it.
    pub(crate) fn stale(&self, report: &Report) -> Vec<StaleView> {
        self.stale_in(&[(self.cluster.as_str(), report)])
    }

    /// The same by several clusters.
    pub(crate) fn stale_in(&self, seen: &[(&str, &Report)]) -> Vec<StaleView> {
        self.exceptions.audit(seen, self.now).iter().map(|one| self.view(one)).collect()
    }

    fn view(&self, one: &Stale) -> StaleView {
        StaleView {
            check: one.check,
            severity: one.severity.into(),
            said: one.said.clone(),
            fix: one.fix(),
            file: self.file.clone(),
            line: one.exception.line,
        }
    }
}
