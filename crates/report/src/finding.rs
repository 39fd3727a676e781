//! One finding, as it is written as JSON.

use crate::objects::{EvidenceView, ExceptedView, ObjectView, SubjectView};
use sallyport_posture::{Finding, Origin, Severity};
use sallyport_scan::Reading;
use schemars::JsonSchema;
use serde::Serialize;

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SeverityView {
    /// Good to know.
    Info,
    /// To be tidied up.
    Low,
    /// More than they should, in one place.
    Medium,
    /// In many places, or where it hurts.
    High,
    /// It ends in everything, in the root of a node, or with whoever did not sign in.
    Critical,
}

/// Where something comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OriginView {
    /// It comes with Kubernetes, and says what it said there.
    Default,
    /// Its names or labels say that it is the cloud's or the distribution's.
    Vendor,
    /// All others.
    Own,
}

/// Something that a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindingView {
    /// The check's id.
    pub check: &'static str,
    /// The same for the same finding of another scan: of check, subject, object and namespaces.
    pub fingerprint: String,
    /// How bad, by what it reaches.
    pub severity: SeverityView,
    /// Whether it has no effect.
    pub inert: bool,
    /// Where it comes from.
    pub origin: OriginView,
    /// What was found, a sentence; hidden characters are visible.
    pub said: String,
    /// Who holds it, where it is about somebody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectView>,
    /// What it is about, where it is about an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectView>,
    /// The namespaces it is about; none: everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<Vec<String>>,
    /// What proves it.
    pub evidence: Vec<EvidenceView>,
    /// Who answers for it, where somebody does: it counts for no exit code, and is hidden nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excepted: Option<ExceptedView>,
}

impl From<Severity> for SeverityView {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Low => Self::Low,
            Severity::Medium => Self::Medium,
            Severity::High => Self::High,
            Severity::Critical => Self::Critical,
        }
    }
}

impl From<SeverityView> for Severity {
    fn from(severity: SeverityView) -> Self {
        match severity {
            SeverityView::Info => Self::Info,
            SeverityView::Low => Self::Low,
            SeverityView::Medium => Self::Medium,
            SeverityView::High => Self::High,
            SeverityView::Critical => Self::Critical,
        }
    }
}

impl From<Origin> for OriginView {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Default => Self::Default,
            Origin::Vendor => Self::Vendor,
            Origin::Own => Self::Own,
        }
    }
}

impl FindingView {
    /// What comes with Kubernetes is listed and counts for nothing.
    pub fn counts(&self) -> bool {
        self.origin != OriginView::Default
    }
}

/// A finding, with the file that each object stands in.
pub fn finding(found: &Finding, reading: &Reading) -> FindingView {
    let mut object = found.object.as_ref().map(ObjectView::from);
    let mut evidence: Vec<EvidenceView> = found.evidence.iter().map(EvidenceView::from).collect();
    let place_in_file = |object: &mut ObjectView| {
        let place = (object.kind.clone(), object.namespace.clone().unwrap_or_default(), object.name.clone());
        object.file = reading.files.get(&place).cloned();
    };
    object.iter_mut().for_each(place_in_file);
    for one in &mut evidence {
        one.binding.iter_mut().for_each(place_in_file);
        place_in_file(&mut one.role);
    }
    FindingView {
        check: found.check,
        fingerprint: found.fingerprint(),
        severity: found.severity.into(),
        inert: found.inert,
        origin: found.origin.into(),
        said: found.said.clone(),
        subject: found.subject.as_ref().map(SubjectView::from),
        object,
        namespaces: found.namespaces.clone(),
        evidence,
        excepted: None,
    }
}
