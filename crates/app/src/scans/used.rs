//! Who used what lately on a cluster, by the history of this desktop: sessions of its own people, and nothing else.
//!
//! A session's rights are its own, and no call through one needed the grant that a fix takes. What it shows is that the same
//! person does such a thing: that they will miss the right, or that a profile gives it to them already.

use crate::desk::AppError;
use crate::history::Called;
use crate::person::{Signed, SignedInAs};
use sallyport_audit::{Action, Entry, Outcome};
use sallyport_gateway::Target;
use sallyport_model::{ClusterName, UserName};
use sallyport_posture::effect::{Source, Use, Uses};
use sallyport_rbac::who::{AUTHENTICATED, Caller};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// How this app calls itself where it calls through a gateway: a scan reads all there is, and nobody used that.
const OURS: &str = "sallyport";

impl super::Scans {
    /// What the history tells of a cluster; none: nothing yet.
    ///
    /// # Errors
    /// When it can't be read.
    pub(super) async fn used(
        &self,
        signed: &Signed,
        cluster: &ClusterName,
    ) -> Result<Option<Uses>, AppError> {
        Ok(uses(&self.history.called(cluster).await?, &signed.who))
    }
}

/// Of users other than whoever is signed in the groups are not known, so that nothing is said of their groups.
///
/// People are matched by their name on the hub: where a cluster knows them by another, nothing is said of them.
fn uses(called: &Called, me: &SignedInAs) -> Option<Uses> {
    let since = called.since?.div_euclid(1_000_000);
    let mut people: BTreeMap<&UserName, Arc<Caller>> = BTreeMap::new();
    let mut groups = me.groups.clone();
    if !groups.iter().any(|group| group == AUTHENTICATED) {
        groups.push(AUTHENTICATED.to_owned());
    }
    people.insert(&me.user, Arc::new(Caller { user: me.user.to_string(), groups }));
    let mut seen: HashSet<&str> = HashSet::new();
    let mut all: HashMap<(&UserName, Target), (i64, u64)> = HashMap::new();
    for entry in &called.entries {
        let Some(user) = &entry.user else { continue };
        people.entry(user).or_insert_with(|| Arc::new(Caller { user: user.to_string(), groups: Vec::new() }));
        // A stream's start and its end are one call.
        let is_known = entry.audit_id.as_ref().is_some_and(|id| !seen.insert(id.as_str()));
        let Some(target) = target(entry).filter(|_| !is_known) else { continue };
        let (last, times) = all.entry((user, target)).or_default();
        *last = (*last).max(entry.at.div_euclid(1_000_000));
        *times += 1;
    }
    let one = |((user, target), (last, times)): ((&UserName, Target), (i64, u64))| {
        let Target { verb, group, resource, subresource, namespace, name, .. } = target;
        let by = people.get(user)?.clone();
        let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
        Some(Use { by, last, times, verb, group, resource, subresource, name, namespace })
    };
    let all = all.into_iter().filter_map(one).collect();
    Some(Uses { source: Source::History, since, of: Some(people.values().cloned().collect()), all })
}

/// What a call was about that was let through as the person themselves, if it was about a resource.
fn target(entry: &Entry) -> Option<Target> {
    let text = |key: &str| entry.detail.text(key);
    // A call that goes on may yet be refused.
    let is_stream = entry.action == Action::StreamStart && entry.detail.get("slow").is_none();
    let status = entry.detail.number("status");
    let was_allowed = is_stream || status.is_some_and(|status| !matches!(status, 401 | 403));
    if entry.outcome == Outcome::Refused
        || !was_allowed
        || text("via") == Some(OURS)
        || text("impersonates").is_some()
    {
        return None;
    }
    let method = text("method")?.parse().ok()?;
    let (path, query) = text("uri").map(|uri| match uri.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (uri, None),
    })?;
    let target = Target::of(&method, path, query);
    // What is told without an object's version is not held apart by it: rights do not name one.
    (!target.resource.is_empty()).then_some(Target { version: String::new(), ..target })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_audit::Draft;
    use sallyport_model::AuditId;

    const DAY: i64 = 24 * 3_600_000_000;

    fn me() -> SignedInAs {
        SignedInAs {
            user: "dana".parse().unwrap(),
            groups: vec!["devs".to_owned()],
            acr: Vec::new(),
            amr: Vec::new(),
            auth_time: None,
            says_issued: false,
        }
    }

    fn call(action: Action, user: &str, id: &str, method: &str, uri: &str) -> Draft {
        Draft::new(action)
            .user(&user.parse().unwrap())
            .audit_id(&AuditId::new(id))
            .detail("method", method)
            .detail("uri", uri)
    }

    fn told(drafts: Vec<Draft>) -> Uses {
        let place = |(at, draft): (usize, Draft)| draft.place(at as u64 + 1, (at as i64 + 10) * DAY);
        let entries = drafts.into_iter().enumerate().map(place).collect();
        uses(&Called { since: Some(5 * DAY), entries }, &me()).unwrap()
    }

    #[test]
    fn a_call_is_a_use_once_and_only_if_it_was_let_through_as_oneself() {
        const EXEC: &str = "/api/v1/namespaces/ci/pods/web/exec?command=ls";
        let ok = |draft: Draft| draft.detail("status", 200);
        let uses = told(vec![
            // One stream, and the same again.
            call(Action::StreamStart, "dana", "a", "GET", EXEC),
            call(Action::StreamEnd, "dana", "a", "GET", EXEC).detail("status", 101),
            call(Action::StreamStart, "dana", "b", "GET", EXEC),
            // Not let through, by nobody known, as somebody else, by a scan, about nothing, and nonsense.
            call(Action::Call, "dana", "c", "GET", "/api/v1/secrets")
                .detail("status", 403)
                .outcome(Outcome::Refused),
            call(Action::Call, "dana", "d", "GET", "/api/v1/secrets"),
            ok(call(Action::Call, "dana", "e", "GET", "/api/v1/secrets")).detail("impersonates", "eve"),
            ok(call(Action::Call, "dana", "f", "GET", "/api/v1/secrets")).detail("via", "sallyport"),
            ok(call(Action::Call, "dana", "g", "GET", "/version")),
            ok(call(Action::Call, "dana", "h", "G T", "\u{202e}%ff?")),
            ok(call(Action::Call, "lee", "i", "DELETE", "/apis/apps/v1/namespaces/ci/deployments/web")),
        ]);
        assert_eq!((uses.since, uses.source), (5 * 86_400, Source::History));
        let mut all: Vec<_> = uses
            .all
            .iter()
            .map(|one| {
                let what = [&one.verb, &one.group, &one.resource, &one.subresource, &one.name];
                (one.by.user.as_str(), what.map(String::as_str), one.namespace.as_deref(), one.times)
            })
            .collect();
        all.sort();
        assert_eq!(
            all,
            [
                ("dana", ["get", "", "pods", "exec", "web"], Some("ci"), 2),
                ("lee", ["delete", "apps", "deployments", "", "web"], Some("ci"), 1),
            ]
        );
        let dana = uses.all.iter().find(|one| one.by.user == "dana").unwrap();
        assert_eq!(dana.last, 12 * 86_400, "the last of them");
        assert_eq!(dana.by.groups, ["devs", AUTHENTICATED]);
        let of: Vec<_> = uses.of.iter().flatten().map(|one| (one.user.as_str(), one.groups.len())).collect();
        assert_eq!(of, [("dana", 2), ("lee", 0)], "of others no group is known");
    }

    #[test]
    fn an_empty_history_says_that_nothing_was_used_and_none_says_nothing() {
        assert!(uses(&Called { since: None, entries: Vec::new() }, &me()).is_none());
        let uses = told(Vec::new());
        assert!(uses.all.is_empty() && uses.of.is_some_and(|of| of.len() == 1));
    }
}
