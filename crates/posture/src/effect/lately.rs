//! Who used lately what a change takes, as far as somebody kept that: never more is said than what was kept tells.

use crate::difference::Loss;
use sallyport_rbac::Ask;
use sallyport_rbac::who::{AUTHENTICATED, Caller, Subject, UNAUTHENTICATED};
use std::sync::Arc;

/// The group of all ServiceAccounts; with `:` and a namespace, of those there.
const ACCOUNTS: &str = "system:serviceaccounts";

/// What somebody did once or often, from the history of sessions or an audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Who, with the groups that they are known to be in.
    pub by: Arc<Caller>,
    /// When last, in seconds since 1970.
    pub last: i64,
    /// How often.
    pub times: u64,
    /// e.g. `create`.
    pub verb: String,
    /// The API group; empty for the core group.
    pub group: String,
    /// e.g. `pods`.
    pub resource: String,
    /// e.g. `exec`; empty for the resource itself.
    pub subresource: String,
    /// The object's name, where it had one.
    pub name: String,
    /// The namespace; none: what is in none.
    pub namespace: Option<String>,
}

/// Where uses were kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The history of a desktop: calls of its own people, through sessions.
    History,
    /// The API servers' own audit events: calls of everybody, as far as the audit policy has them written.
    AuditLog,
}

/// Uses over some time, as far as somebody kept them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uses {
    /// Where.
    pub source: Source,
    /// Since when all are there, in seconds since 1970.
    pub since: i64,
    /// Whose are there, with the groups that they are known to be in; none: everybody's, by their names: of a group that no
    /// name says who is in nothing is said then.
    pub of: Option<Vec<Arc<Caller>>>,
    /// Each.
    pub all: Vec<Use>,
}

/// When somebody last used what they would lose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lately {
    /// Nobody kept that.
    NotKnown,
    /// Not in what was kept.
    NotSince {
        /// From when on it is whole, in seconds since 1970.
        since: i64,
        /// Where it was kept.
        source: Source,
        /// Of a group: the only ones of it whose calls are kept, by name. Empty: everybody's are.
        only: Vec<String>,
    },
    /// Then.
    At {
        /// Who, by name: the last of those who did.
        by: String,
        /// When last, in seconds since 1970.
        at: i64,
        /// How often since the beginning of what was kept, all who did together.
        times: u64,
        /// Where it was kept.
        source: Source,
    },
}

/// Whether somebody acts as this subject: as that user, or as one of the group.
fn is(caller: &Caller, subject: &Subject) -> bool {
    match subject {
        Subject::User(name) => *name == caller.user,
        Subject::Group(name) => caller.groups.contains(name),
    }
}

/// Whether the name of a user alone says whether they are in this group.
fn is_told_by_names(group: &str) -> bool {
    matches!(group, AUTHENTICATED | UNAUTHENTICATED | ACCOUNTS)
        || group.strip_prefix(ACCOUNTS).is_some_and(|rest| rest.starts_with(':'))
}

/// What opens a stream of these needs `create`, `get` or both, by the server's version and the client's way: a call that went
/// through used whichever of them is lost.
const STREAMS: [&str; 3] = ["exec", "attach", "portforward"];

fn has_used(loss: &Loss, one: &Use) -> bool {
    let is_lost = |verb: &str| {
        let Use { group, resource, subresource, name, .. } = one;
        loss.has(Ask::Resource { verb, group, resource, subresource, name }, one.namespace.as_deref())
    };
    match STREAMS.contains(&one.subresource.as_str()) {
        true => is_lost("create") || is_lost("get"),
        false => is_lost(&one.verb),
    }
}

/// When whoever loses something last used it.
pub(super) fn lately(loss: &Loss, uses: Option<&Uses>) -> Lately {
    let Some(uses) = uses else { return Lately::NotKnown };
    let used = || uses.all.iter().filter(|one| is(&one.by, &loss.subject) && has_used(loss, one));
    let Some(last) = used().max_by_key(|one| one.last) else {
        let known = |all: &Vec<Arc<Caller>>| {
            let theirs = all.iter().filter(|one| is(one, &loss.subject));
            theirs.map(|one| one.user.clone()).collect::<Vec<_>>()
        };
        let only = match (uses.of.as_ref().map(known), &loss.subject) {
            // Of somebody whose calls nobody keeps there is nothing to say.
            (Some(known), _) if known.is_empty() => return Lately::NotKnown,
            (Some(known), Subject::Group(_)) => known,
            (None, Subject::Group(name)) if !is_told_by_names(name) => return Lately::NotKnown,
            _ => Vec::new(),
        };
        return Lately::NotSince { since: uses.since, source: uses.source, only };
    };
    Lately::At {
        by: last.by.user.clone(),
        at: last.last,
        times: used().map(|one| one.times).sum(),
        source: uses.source,
    }
}
