//! What a finding is about, so that the same one is known again in another scan.

use crate::check::Finding;
use crate::evidence::Evidence;
use sallyport_model::Digest;
use sallyport_rbac::who::Subject;
use std::fmt::Write as _;

impl Finding {
    /// The same for the same finding of another scan, 32 hexadecimal digits: of check, subject, object and namespaces, and
    /// neither of how it is said nor by which of several bindings: those may change and it is still the same.
    pub fn fingerprint(&self) -> String {
        let object = self.object.as_ref().map(|object| (object.kind, &object.namespace, &object.name));
        // Without a subject or an object only the proof tells one from the other.
        let proof = (self.subject.is_none() && self.object.is_none()).then(|| format!("{:?}", self.evidence));
        digits(&format!("{:?}", (self.check, &self.subject, object, &self.namespaces, proof)))
    }

    /// The same without the namespaces where a subject says enough: whoever gets one namespace more has no other finding,
    /// but a worse one. To be compared within one run: nothing is written anew for it.
    pub(crate) fn about(&self) -> About<'_> {
        let object = self.object.as_ref();
        let by_subject = self.subject.is_some() && object.is_none();
        About {
            check: self.check,
            subject: self.subject.as_ref(),
            object: object.map(|one| (one.kind, one.namespace.as_deref(), one.name.as_str())),
            namespaces: self.namespaces.as_deref().filter(|_| !by_subject),
            proof: if self.subject.is_none() && object.is_none() { &self.evidence } else { &[] },
        }
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct About<'f> {
    check: &'static str,
    subject: Option<&'f Subject>,
    object: Option<(&'static str, Option<&'f str>, &'f str)>,
    namespaces: Option<&'f [String]>,
    proof: &'f [Evidence],
}

fn digits(about: &str) -> String {
    let mut text = String::new();
    for byte in Digest::of(about.as_bytes()).bytes().iter().take(16) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
