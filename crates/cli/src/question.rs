//! Subjects and questions as they are written on the command line.

use crate::args;
use crate::end::Stop;
use sallyport_rbac::question::Asked;
use sallyport_rbac::who::{Caller, Subject};
use sallyport_report::words::shown;

/// `user:NAME`, `group:NAME`, `sa:NAMESPACE/NAME`; also `system:serviceaccount:NAMESPACE:NAME`, as logs have it.
pub(crate) fn subject(text: &str) -> Result<Subject, Stop> {
    let wrong =
        || Stop(format!("{} names nobody; write user:NAME, group:NAME or sa:NAMESPACE/NAME", shown(text)));
    if text.starts_with("system:serviceaccount:") {
        return Ok(Subject::User(text.to_owned()));
    }
    let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty()).ok_or_else(wrong)?;
    match kind {
        "user" => Ok(Subject::User(name.to_owned())),
        "group" => Ok(Subject::Group(name.to_owned())),
        "sa" => match name.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
                Ok(Subject::account(namespace, name))
            }
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

/// Somebody with the groups they are said to be in.
pub(crate) fn caller(who: &args::Who) -> Result<(Subject, Caller), Stop> {
    let subject = subject(&who.subject)?;
    let mut caller = subject.caller();
    caller.groups.extend(who.groups.iter().cloned());
    Ok((subject, caller))
}

/// A question as it was written on the command line.
pub(crate) fn asked(question: &args::Question) -> Result<Asked, Stop> {
    let (name, namespace) = (question.name.as_deref(), question.namespace.as_deref());
    Asked::parse(&question.verb, &question.resource, name, namespace).map_err(|why| Stop(why.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_a_user_a_group_or_an_account() {
        assert_eq!(subject("user:alice").unwrap(), Subject::User("alice".to_owned()));
        assert_eq!(subject("group:oidc:devs").unwrap(), Subject::Group("oidc:devs".to_owned()));
        assert_eq!(subject("sa:ci/deployer").unwrap(), Subject::account("ci", "deployer"));
        assert_eq!(subject("system:serviceaccount:ci:deployer").unwrap(), Subject::account("ci", "deployer"));
        for wrong in ["", "alice", "user:", "sa:ci", "sa:/x", "sa:ci/", "role:x"] {
            assert!(subject(wrong).is_err(), "{wrong}");
        }
    }
}
