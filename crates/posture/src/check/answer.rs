//! What a check comes to that looks at how an API server lets people in, and not at roles: the answer and its reason are
//! found together, since what it was read from decides what may be said (promise P21).

use super::{Finding, Verdict};
use crate::evidence::Object;
use crate::ground::Origin;
use crate::severity::Severity;
use sallyport_model::{clip, visible};

/// A text from outside, to be shown.
pub(super) fn shown(text: &str) -> String {
    clip(&visible(text), 120)
}

/// What a check found, and what it comes to where it found nothing.
pub(crate) struct Answer {
    found: Vec<Found>,
    otherwise: Verdict,
}

/// Something that was found.
pub(super) struct Found {
    severity: Severity,
    kind: &'static str,
    namespace: Option<String>,
    name: String,
    said: String,
}

impl Found {
    /// `kind` and `name` say what it is about and stay the same from scan to scan: `flag` and `profiling`.
    pub(super) fn new(
        severity: Severity,
        kind: &'static str,
        name: impl Into<String>,
        said: impl Into<String>,
    ) -> Self {
        Self { severity, kind, namespace: None, name: name.into(), said: said.into() }
    }

    /// Under another name, where a check has two things to say of one.
    pub(super) fn named(mut self, name: String) -> Self {
        self.name = name;
        self
    }

    /// In a namespace.
    pub(super) fn within(mut self, namespace: Option<&str>) -> Self {
        self.namespace = namespace.map(str::to_owned);
        self
    }
}

impl Answer {
    /// Nothing was found, and all was read.
    pub(super) fn pass() -> Self {
        Self { found: Vec::new(), otherwise: Verdict::Pass }
    }

    /// It is not known, and why.
    pub(super) fn unknown(why: impl Into<String>) -> Self {
        Self { found: Vec::new(), otherwise: Verdict::Unknown(why.into()) }
    }

    /// There is nothing that it could be about, and why.
    pub(super) fn nothing(why: impl Into<String>) -> Self {
        Self { found: Vec::new(), otherwise: Verdict::NotApplicable(why.into()) }
    }

    /// It is a setting of a cloud, and where to look.
    pub(super) fn provider(look: impl Into<String>) -> Self {
        Self { found: Vec::new(), otherwise: Verdict::Provider(look.into()) }
    }

    /// Unknown for these reasons; with none, a pass.
    pub(super) fn unless(gaps: Vec<String>) -> Self {
        if gaps.is_empty() { Self::pass() } else { Self::unknown(gaps.join("; ")) }
    }

    /// With what was found. Without anything it stays what it was.
    pub(super) fn with(mut self, found: impl IntoIterator<Item = Found>) -> Self {
        self.found.extend(found);
        self
    }

    /// What was found.
    pub(super) fn findings(self, check: &'static str) -> Vec<Finding> {
        let finding = |one: Found| Finding {
            check,
            inert: false,
            severity: one.severity,
            subject: None,
            namespaces: one.namespace.clone().map(|own| vec![own]),
            object: Some(Object {
                kind: one.kind,
                namespace: one.namespace,
                name: one.name,
                uid: None,
                resource_version: None,
            }),
            evidence: Vec::new(),
            said: one.said,
            origin: Origin::Own,
        };
        self.found.into_iter().map(finding).collect()
    }

    /// What it comes to where nothing was found; none: it passes.
    pub(super) fn verdict(self) -> Option<Verdict> {
        (self.otherwise != Verdict::Pass).then_some(self.otherwise)
    }
}
