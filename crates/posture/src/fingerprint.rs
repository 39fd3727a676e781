//! What a finding is about, so that the same one is known again in another scan.

use crate::check::Finding;
use sallyport_model::Digest;
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
    /// but a worse one.
    pub(crate) fn about(&self) -> String {
        match &self.subject {
            Some(subject) if self.object.is_none() => digits(&format!("{:?}", (self.check, subject))),
            _ => self.fingerprint(),
        }
    }
}

fn digits(about: &str) -> String {
    let mut text = String::new();
    for byte in Digest::of(about.as_bytes()).bytes().iter().take(16) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
