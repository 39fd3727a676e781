//! What no reading of a cluster can tell, and what would: AN-08, AN-09 and AU-05. They are asked so that nobody takes their
//! absence for an answer.

use super::answer::Answer;
use super::audit;
use crate::decides::names;
use crate::ground::Ground;
use sallyport_rbac::who::Subject;
use std::collections::BTreeSet;

/// AN-08.
pub(super) fn people(ground: &Ground<'_>) -> Answer {
    let people: BTreeSet<&str> = ground
        .rights
        .subjects
        .iter()
        .filter(|one| matches!(one, Subject::User(name) if !name.starts_with("system:")))
        .map(Subject::name)
        .collect();
    if people.is_empty() {
        return Answer::nothing("no binding names a person");
    }
    let some: Vec<String> = people.iter().take(5).map(|name| (*name).to_owned()).collect();
    Answer::unknown(format!(
        "whether everybody whom bindings name still comes is not told by the API server ({} by name: {}): look in the audit \
         log or at the identity provider, or bind groups, which people leave by themselves",
        people.len(),
        names(&some)
    ))
}

/// AN-09.
pub(super) fn reviewed(_: &Ground<'_>) -> Answer {
    Answer::unknown(
        "when somebody last looked through who may do what here is written down nowhere that Sallyport reads: do it with \
         `sallyport posture report`, and keep the page with its date",
    )
}

/// AU-05.
pub(super) fn shown_by_log(ground: &Ground<'_>) -> Answer {
    if audit::is_off(ground) {
        return Answer::nothing("audit is off, which AU-02 says");
    }
    Answer::unknown(
        "what the audit log itself holds (levels, bodies of Secrets, gaps) is seen in it alone, and none is attached: look \
         whether its policy records Secrets and tokens at Metadata and nothing above",
    )
}
