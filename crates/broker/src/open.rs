//! What an open session may do by now beyond what was decided: roles that grew, bindings of everybody, bindings that nobody
//! planned, namespaces that take no sessions any more. It closes, or what was added goes.

use crate::{
    broker::{Broker, grant_name, label},
    failure::Failure,
    hubside::Write,
};
use k8s_openapi::api::rbac::v1::Subject;
use kube::ResourceExt;
use sallyport_api::{AccessGrant, AccessRequest, SESSIONS_NAMESPACE};
use sallyport_model::{EndReason, RoleName, Scope, SessionAccount, clip, visible};
use sallyport_provision::{Observed, is_of_session, strays};
use sallyport_rbac::{Rule, dangers, effective, growth};

/// How often bindings that nobody planned are removed from one session; then whoever makes them has the longer breath.
const REMOVALS_MOST: u32 = 3;

impl Broker {
    /// Why an open session can't stay as it is, in words; `None` while it is what was decided.
    pub(crate) fn widened(&self, request: &AccessRequest, grant: &AccessGrant) -> Option<String> {
        self.growth(request, grant)
            .map(|grown| format!("what it allows has grown on the cluster: {grown}"))
            .or_else(|| {
                let standing = self.standing()?;
                Some(format!(
                    "a standing binding adds rights to every session: {}",
                    clip(&visible(&standing), 300)
                ))
            })
            .or_else(|| self.foreign_binding(request).map(|name| format!("{name} adds rights to it")))
            .or_else(|| {
                let gone = self.not_open(grant)?;
                Some(format!(
                    "namespace {gone} takes no sessions any more: its label is gone, or the namespace is"
                ))
            })
    }

    /// What the bound roles allow by now that the offer did not say, in words (P11, attack 5).
    fn growth(&self, request: &AccessRequest, grant: &AccessGrant) -> Option<String> {
        let offer = request.offer()?;
        let roles: Vec<RoleName> = grant.spec.roles.iter().filter_map(|name| name.parse().ok()).collect();
        // Left out, a name that is none would turn a few namespaces into the whole cluster.
        let names: Result<Vec<_>, _> = grant.spec.namespaces.iter().map(|name| name.parse()).collect();
        let Ok(names) = names else {
            return Some("its grant names something that is no namespace".to_owned());
        };
        let scope = Scope::from_list(names);
        // Of an offer for the whole cluster, what holds where less was given.
        let offered = offer.rules.iter().filter_map(|rule| Rule::try_from(rule).ok());
        let (before, after) = (effective(offered, &scope), effective(self.seen_rules(&roles), &scope));
        if let Some(danger) = dangers(&after, &scope).first() {
            return Some(danger.to_string());
        }
        let more = growth(&before, &after);
        let rule = more.first()?;
        let on = if rule.resources.is_empty() { &rule.non_resource_urls } else { &rule.resources };
        Some(format!("ClusterRole {}: {} on {}", rule.role, rule.verbs.join(", "), on.join(", ")))
    }

    /// The first of the grant's namespaces that its cluster's admin has closed for sessions since.
    fn not_open<'g>(&self, grant: &'g AccessGrant) -> Option<&'g String> {
        let open = &self.stores.namespaces;
        grant.spec.namespaces.iter().find(|name| open.is_synced() && open.get("", name).is_none())
    }

    /// A binding of this session's account that is not the broker's to remove: not labelled as the grant's, or naming it as a
    /// user.
    fn foreign_binding(&self, request: &AccessRequest) -> Option<String> {
        let account = account_of(request)?;
        let (stores, grant) = (&self.stores, grant_name(request));
        let theirs = |found: Option<&str>, place: Option<&str>, subjects: &Option<Vec<Subject>>| {
            let ours = found == Some(grant.as_str()) && is_of_session(subjects.as_ref());
            !ours && subjects.iter().flatten().any(|subject| names(subject, place, &account))
        };
        let local = stores.bindings.filtered(|one| theirs(label(one), place(one), &one.subjects)).into_iter();
        let local = local
            .map(|one| format!("RoleBinding {}/{}", one.namespace().unwrap_or_default(), one.name_any()));
        let wide =
            stores.cluster_bindings.filtered(|one| theirs(label(one), None, &one.subjects)).into_iter();
        let wide = wide.map(|one| format!("ClusterRoleBinding {}", one.name_any()));
        // The same one each time, whatever order the stores are in.
        local.chain(wide).min().map(|name| clip(&visible(&name), 300))
    }

    /// Bindings under the grant's label that the grant does not say.
    pub(crate) fn strays(&self, request: &AccessRequest, observed: &Observed) -> Observed {
        match (&observed.grant, account_of(request)) {
            (Some(grant), Some(account)) => strays(grant, &account, observed),
            _ => Observed::default(),
        }
    }

    /// Forgets bindings that are gone, unless the watch has seen others of their names by now.
    fn forget_bindings(&self, gone: &Observed) {
        let (local, wide) = (&self.stores.bindings, &self.stores.cluster_bindings);
        for one in &gone.bindings {
            let (namespace, name) = (one.namespace().unwrap_or_default(), one.name_any());
            if local.get(&namespace, &name).is_some_and(|known| known.uid() == one.uid()) {
                local.forget(&(namespace, name));
            }
        }
        for one in &gone.cluster_bindings {
            let name = one.name_any();
            if wide.get("", &name).is_some_and(|known| known.uid() == one.uid()) {
                wide.forget(&(String::new(), name));
            }
        }
    }

    /// Removes what nobody planned from a session that goes on, and says so; one whose bindings can't be removed, or come
    /// back again and again, is more than was decided and ends.
    pub(crate) async fn unbind(&self, request: &AccessRequest) -> Result<AccessRequest, Failure> {
        let grant = grant_name(request);
        let strays = self.strays(request, &self.observed(&grant));
        let named = clip(&visible(&strays.names().join(", ")), 300);
        let ends = |why: String| Failure::Final { reason: EndReason::Revoked, message: why };
        if self.memory.removed_strays(&grant) > REMOVALS_MOST {
            return Err(ends(format!(
                "closed because somebody makes bindings for it again and again: {named}"
            )));
        }
        let refused = self.target.unbind(&strays).await;
        if !refused.is_empty() {
            let refused = clip(&refused.join("; "), 500);
            return Err(ends(format!(
                "closed because a binding that nobody planned adds rights to it and can't be removed: {refused}"
            )));
        }
        // That its removal was taken, or that it was not found, does not mean that it is gone: a finalizer may hold it, and
        // it goes on adding rights.
        let after = self.target.observe(&grant).await?;
        let held = still_there(&strays, &after);
        if !held.is_empty() {
            let held = clip(&visible(&held.join(", ")), 300);
            return Err(ends(format!(
                "closed because a binding that nobody planned adds rights to it and can't be removed: {held} is still there"
            )));
        }
        self.forget_bindings(&strays);
        tracing::warn!(grant, bindings = named, "removed what nobody planned from an open session");
        let message = format!("a binding that nobody planned added rights to it and was removed: {named}");
        self.write(request, Write::default().message(Some(&message))).await
    }
}

/// Names of the bindings in `strays` that were seen again `after` their removal: the same objects, since what was made anew
/// is another one's turn.
fn still_there(strays: &Observed, after: &Observed) -> Vec<String> {
    let mut held = Observed { bindings: strays.bindings.clone(), ..Observed::default() };
    held.cluster_bindings.clone_from(&strays.cluster_bindings);
    held.bindings.retain(|one| after.bindings.iter().any(|seen| seen.uid() == one.uid()));
    held.cluster_bindings.retain(|one| after.cluster_bindings.iter().any(|seen| seen.uid() == one.uid()));
    held.names()
}

fn account_of(request: &AccessRequest) -> Option<String> {
    request.status.as_ref()?.grant.as_ref().map(|record| record.account.clone())
}

/// The namespace of a binding.
fn place<K: ResourceExt>(binding: &K) -> Option<&str> {
    binding.meta().namespace.as_deref()
}

/// Whether the subject is an account of the sessions' namespace. Without a namespace it is one of the namespace that its
/// RoleBinding is in.
fn in_sessions(subject: &Subject, place: Option<&str>) -> bool {
    let own = subject.namespace.as_deref().filter(|named| !named.is_empty());
    subject.kind == "ServiceAccount" && own.or(place) == Some(SESSIONS_NAMESPACE)
}

/// Whether the subject of a binding in namespace `place` is that session's account, in any way RBAC can name it.
fn names(subject: &Subject, place: Option<&str>, account: &str) -> bool {
    match subject.kind.as_str() {
        "ServiceAccount" => in_sessions(subject, place) && subject.name == account,
        "User" => subject.name == format!("system:serviceaccount:{SESSIONS_NAMESPACE}:{account}"),
        _ => false,
    }
}

/// The sessions that a binding in namespace `place` names, as an account or as a user.
pub(crate) fn sessions_named(
    subjects: Option<&Vec<Subject>>,
    place: Option<&str>,
) -> impl Iterator<Item = SessionAccount> {
    subjects.into_iter().flatten().filter_map(move |subject| {
        let name = match subject.kind.as_str() {
            "ServiceAccount" if in_sessions(subject, place) => subject.name.as_str(),
            "User" => {
                let user = subject.name.strip_prefix("system:serviceaccount:");
                user.and_then(|rest| rest.strip_prefix(SESSIONS_NAMESPACE)?.strip_prefix(':'))
                    .unwrap_or_default()
            }
            _ => "",
        };
        name.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(kind: &str, namespace: Option<&str>, name: &str) -> Subject {
        Subject {
            kind: kind.into(),
            namespace: namespace.map(Into::into),
            name: name.into(),
            api_group: None,
        }
    }

    #[test]
    fn fault_c12_a_session_is_known_by_its_account_and_by_its_user_name() {
        let (account, user) =
            ("s-abcd-1795503600", "system:serviceaccount:sallyport-sessions:s-abcd-1795503600");
        for (same, one) in [
            (true, subject("ServiceAccount", Some(SESSIONS_NAMESPACE), account)),
            (true, subject("User", None, user)),
            (false, subject("ServiceAccount", Some("payments"), account)),
            (false, subject("User", None, account)),
            (false, subject("Group", None, user)),
            (false, subject("ServiceAccount", Some(SESSIONS_NAMESPACE), "default")),
        ] {
            assert_eq!(names(&one, Some("payments"), account), same, "{one:?}");
            let found: Vec<_> = sessions_named(Some(&vec![one.clone()]), Some("payments"))
                .map(|account| account.to_string())
                .collect();
            assert_eq!(found == [account], same, "{one:?}: {found:?}");
        }
        assert!(!names(&subject("User", None, user), None, "s-abcd-1795503601"));
        let bare = subject("ServiceAccount", None, account);
        for (same, place) in [(true, Some(SESSIONS_NAMESPACE)), (false, Some("payments")), (false, None)] {
            assert_eq!(names(&bare, place, account), same, "{place:?}");
            assert_eq!(sessions_named(Some(&vec![bare.clone()]), place).count() == 1, same, "{place:?}");
        }
    }
}
