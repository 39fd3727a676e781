//! Exceptions: which findings somebody answers for, and which exceptions are findings themselves.

use crate::finding::SeverityView;
use crate::objects::ExceptedView;
use sallyport_posture::exception::{ExceptionError, Exceptions, Stale};
use sallyport_posture::{Finding, Report};
use schemars::JsonSchema;
use serde::Serialize;

/// An exception that is a finding itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StaleView {
    /// `EX-01`: it has ended. `EX-02`: it is about nothing that is found.
    pub check: &'static str,
    /// How bad.
    pub severity: SeverityView,
    /// What is wrong, a sentence.
    pub said: String,
    /// What to do about it.
    pub fix: &'static str,
    /// The file it stands in.
    pub file: String,
    /// The line it begins in, from 1.
    pub line: u32,
}

/// The exceptions of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Excepting {
    exceptions: Exceptions,
    cluster: String,
    file: String,
    now: i64,
}

impl Excepting {
    /// None at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Those of a file's text, for a cluster. `file`: its name, for people; `now`: Unix seconds.
    ///
    /// # Errors
    /// When the text holds something that is no exception; the error names the line.
    pub fn parse(text: &str, file: &str, cluster: &str, now: i64) -> Result<Self, ExceptionError> {
        let exceptions = Exceptions::parse(text, now)?;
        Ok(Self { exceptions, cluster: cluster.to_owned(), file: file.to_owned(), now })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.exceptions.all().is_empty()
    }

    /// The same for another cluster.
    pub fn for_cluster(&self, cluster: &str) -> Self {
        Self { cluster: cluster.to_owned(), ..self.clone() }
    }

    /// Who answers for a finding.
    pub fn of(&self, finding: &Finding) -> Option<ExceptedView> {
        self.exceptions.of(&self.cluster, finding, self.now).map(ExceptedView::from)
    }

    /// Those that are findings themselves, by one cluster alone: one that is for others is not judged by it.
    pub fn stale(&self, report: &Report) -> Vec<StaleView> {
        self.stale_in(&[(self.cluster.as_str(), report)])
    }

    /// The same by several clusters.
    pub fn stale_in(&self, seen: &[(&str, &Report)]) -> Vec<StaleView> {
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
