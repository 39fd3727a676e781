use crate::{
    observed::{Observed, end_of},
    question::Question,
};
use k8s_openapi::{
    api::{
        core::v1::ServiceAccount,
        rbac::v1::{ClusterRoleBinding, RoleBinding, RoleRef, Subject},
    },
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use kube::Resource;
use sallyport_api::{
    AccessGrant, AccessGrantSpec, GRANT_LABEL, GrantRecord, RequestReference, SESSIONS_NAMESPACE,
};
use sallyport_model::{
    Digest, ProfileName, ProfileRevision, RequestUid, RoleName, Scope, SessionAccount, Ttl, UserName,
};
use sallyport_policy::Permit;
use sallyport_rbac::Rule;
use serde::Serialize;
use std::collections::BTreeMap;

/// Seconds a token ends before its session: the caller's idea of the target's clock is whole seconds old.
pub const MINT_SLACK: i64 = 2;

/// Seconds below which the API server makes no token, and so no session is begun or resumed.
pub const SHORTEST_MINT: i64 = 600;

/// What a permit asks for, in the words of the target.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    pub(crate) request: RequestReference,
    pub(crate) user: UserName,
    pub(crate) duration: Ttl,
    pub(crate) profile: ProfileName,
    pub(crate) revision: ProfileRevision,
    pub(crate) roles: Vec<RoleName>,
    pub(crate) scope: Scope,
    pub(crate) offer: Digest,
    pub(crate) rules: Vec<Rule>,
}

/// What to do next for a permit, by what exists.
#[derive(Clone, Debug, Serialize)]
#[allow(clippy::large_enum_variant, reason = "one exists per reconciliation")]
pub enum Plan {
    /// Nothing exists: create this, then plan again; its creation time fixes the end.
    Grant(AccessGrant),
    /// The grant exists: record it, then make what hangs on it.
    Session(SessionPlan),
    /// It can't be carried out, now or later.
    Unfit(Unfit),
}

/// What hangs on a grant.
#[derive(Clone, Debug, Serialize)]
pub struct SessionPlan {
    /// What the hub has to know before anything is bound.
    pub record: GrantRecord,
    /// The ServiceAccount's name, with the end in it.
    #[serde(serialize_with = "as_text")]
    pub account: SessionAccount,
    /// The ServiceAccount, where it is missing.
    pub create_account: Option<ServiceAccount>,
    /// The bindings that are missing in namespaces.
    pub bind: Vec<RoleBinding>,
    /// The bindings that are missing cluster-wide.
    pub bind_cluster: Vec<ClusterRoleBinding>,
    /// What the token must be allowed before anyone gets it.
    #[serde(serialize_with = "each_as_text")]
    pub questions: Vec<Question>,
}

/// Why a permit can't be carried out on this target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub enum Unfit {
    /// The grant is being deleted.
    #[error("its grant {name} is being deleted")]
    Going {
        /// Grant.
        name: String,
    },
    /// Something of the same name was made for something else, or was changed.
    #[error("{what} is not what was decided: {difference}")]
    Foreign {
        /// Kind and name.
        what: String,
        /// What differs.
        difference: String,
    },
    /// Its time is up.
    #[error("its time was up at {end}")]
    Over {
        /// Unix seconds.
        end: i64,
    },
    /// What is left is shorter than the shortest token.
    #[error("only {seconds} s are left, and no token is shorter than ten minutes")]
    TooLate {
        /// Left.
        seconds: i64,
    },
    /// The target made an object without what the API promises.
    #[error("grant {name} has no UID or creation time")]
    Incomplete {
        /// Grant.
        name: String,
    },
}

/// What is missing for `permit` on the target where `observed` exists. `rules` are the effective rules of the offer
/// that was decided on, to ask for; `now` is the target's clock in Unix seconds.
#[must_use]
pub fn plan(permit: &Permit, rules: &[Rule], observed: &Observed, now: i64) -> Plan {
    let goal = Goal {
        request: RequestReference {
            namespace: permit.namespace().to_owned(),
            name: permit.name().to_owned(),
            uid: permit.request().as_str().to_owned(),
        },
        user: permit.user().clone(),
        duration: permit.duration(),
        profile: permit.profile().clone(),
        revision: permit.revision().clone(),
        roles: permit.roles().to_vec(),
        scope: permit.scope().clone(),
        offer: *permit.offer(),
        rules: rules.to_vec(),
    };
    plan_goal(&goal, observed, now)
}

pub(crate) fn plan_goal(goal: &Goal, observed: &Observed, now: i64) -> Plan {
    let wanted = goal.grant();
    match &observed.grant {
        None => Plan::Grant(wanted),
        Some(found) => match session(goal, &wanted, found, observed, now) {
            Ok(session) => Plan::Session(session),
            Err(unfit) => Plan::Unfit(unfit),
        },
    }
}

fn session(
    goal: &Goal,
    wanted: &AccessGrant,
    found: &AccessGrant,
    observed: &Observed,
    now: i64,
) -> Result<SessionPlan, Unfit> {
    let name = goal.grant_name();
    if found.metadata.deletion_timestamp.is_some() {
        return Err(Unfit::Going { name });
    }
    if found.spec != wanted.spec {
        let difference = "it was made for another request or decision".to_owned();
        return Err(Unfit::Foreign { what: format!("AccessGrant {name}"), difference });
    }
    let incomplete = || Unfit::Incomplete { name: name.clone() };
    let uid = found.metadata.uid.clone().ok_or_else(incomplete)?;
    let end = end_of(found).ok_or_else(incomplete)?;
    if now >= end {
        return Err(Unfit::Over { end });
    }
    if end - now - MINT_SLACK < SHORTEST_MINT {
        return Err(Unfit::TooLate { seconds: end - now });
    }
    let account = SessionAccount::derive(&goal.uid(), end);
    let owner = owner(&name, &uid);
    let at = jiff::Timestamp::from_second(end).map_err(|_| incomplete())?;
    let record = GrantRecord { name: name.clone(), uid, end: k8s_time(at), account: account.to_string() };
    let (bind, bind_cluster) = goal.bindings(&owner, &account);
    Ok(SessionPlan {
        record,
        create_account: missing(vec![service_account(&owner, &account)], &observed.accounts)?.pop(),
        bind: missing(bind, &observed.bindings)?,
        bind_cluster: missing(bind_cluster, &observed.cluster_bindings)?,
        questions: Question::for_roles(&goal.roles, &goal.rules, &goal.scope),
        account,
    })
}

/// Those of `wanted` that are not in `found`.
///
/// Everything found carries the grant's label, so whatever is not wanted, or differs, is an intruder: nothing is
/// granted beside it.
fn missing<K: Made>(wanted: Vec<K>, found: &[K]) -> Result<Vec<K>, Unfit> {
    for one in found {
        let what = || format!("{} {}", K::KIND, shown(one));
        let same = wanted.iter().find(|w| key(*w) == key(one));
        let difference = match same {
            None => Some("nothing of that name belongs to the grant".to_owned()),
            Some(same) => one.differs(same),
        };
        if let Some(difference) = difference {
            return Err(Unfit::Foreign { what: what(), difference });
        }
    }
    Ok(wanted.into_iter().filter(|w| !found.iter().any(|f| key(f) == key(w))).collect())
}

fn key<K: Made>(object: &K) -> (Option<&str>, Option<&str>) {
    (object.meta().namespace.as_deref(), object.meta().name.as_deref())
}

fn shown<K: Made>(object: &K) -> String {
    match key(object) {
        (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
        (_, name) => name.unwrap_or_default().to_owned(),
    }
}

impl Goal {
    fn uid(&self) -> RequestUid {
        RequestUid::new(self.request.uid.clone())
    }

    fn grant_name(&self) -> String {
        SessionAccount::derive_grant_name(&self.uid())
    }

    fn grant(&self) -> AccessGrant {
        let spec = AccessGrantSpec {
            request: self.request.clone(),
            user: self.user.to_string(),
            duration: self.duration.to_string(),
            profile: self.profile.to_string(),
            profile_revision: self.revision.to_string(),
            roles: self.roles.iter().map(ToString::to_string).collect(),
            namespaces: self.scope.to_list().iter().map(ToString::to_string).collect(),
            offer: self.offer.to_string(),
        };
        AccessGrant::new(&self.grant_name(), spec)
    }

    /// One binding per role and namespace, or per role cluster-wide; the number is the role's place in the profile.
    fn bindings(
        &self,
        owner: &OwnerReference,
        account: &SessionAccount,
    ) -> (Vec<RoleBinding>, Vec<ClusterRoleBinding>) {
        let (mut local, mut global) = (Vec::new(), Vec::new());
        for (number, role) in self.roles.iter().enumerate() {
            let metadata = ObjectMeta { name: Some(binding_name(&owner.name, number)), ..meta(owner) };
            let role_ref = RoleRef {
                api_group: Some("rbac.authorization.k8s.io".into()),
                kind: "ClusterRole".into(),
                name: role.to_string(),
            };
            let subjects = Some(vec![Subject {
                kind: "ServiceAccount".into(),
                namespace: Some(SESSIONS_NAMESPACE.into()),
                name: account.to_string(),
                api_group: None,
            }]);
            match &self.scope {
                Scope::ClusterWide => global.push(ClusterRoleBinding { metadata, role_ref, subjects }),
                Scope::Namespaces(names) => local.extend(names.iter().map(|namespace| RoleBinding {
                    metadata: ObjectMeta { namespace: Some(namespace.to_string()), ..metadata.clone() },
                    role_ref: role_ref.clone(),
                    subjects: subjects.clone(),
                })),
            }
        }
        (local, global)
    }
}

/// The name of a grant's binding of the profile's role with that number.
pub(crate) fn binding_name(grant: &str, number: usize) -> String {
    format!("{grant}-{number}")
}

fn owner(name: &str, uid: &str) -> OwnerReference {
    OwnerReference {
        api_version: AccessGrant::api_version(&()).into_owned(),
        kind: AccessGrant::kind(&()).into_owned(),
        name: name.to_owned(),
        uid: uid.to_owned(),
        // True would ask for rights on the grant's finalizers, and nothing should hold a deletion up.
        block_owner_deletion: Some(false),
        controller: None,
    }
}

fn meta(owner: &OwnerReference) -> ObjectMeta {
    ObjectMeta {
        labels: Some(BTreeMap::from([(GRANT_LABEL.to_owned(), owner.name.clone())])),
        owner_references: Some(vec![owner.clone()]),
        ..ObjectMeta::default()
    }
}

fn service_account(owner: &OwnerReference, account: &SessionAccount) -> ServiceAccount {
    ServiceAccount {
        metadata: ObjectMeta {
            name: Some(account.to_string()),
            namespace: Some(SESSIONS_NAMESPACE.into()),
            ..meta(owner)
        },
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}

/// What `plan` makes and compares.
pub(crate) trait Made {
    const KIND: &'static str;
    fn meta(&self) -> &ObjectMeta;
    /// What differs beyond the metadata that the API server adds.
    fn content_differs(&self, wanted: &Self) -> Option<String>;

    fn differs(&self, wanted: &Self) -> Option<String> {
        let (found, want) = (self.meta(), wanted.meta());
        if found.deletion_timestamp.is_some() {
            return Some("it is being deleted".to_owned());
        }
        if found.owner_references != want.owner_references {
            return Some("its owner is not the grant alone".to_owned());
        }
        if found.finalizers.as_ref().is_some_and(|f| !f.is_empty()) {
            return Some("it has finalizers".to_owned());
        }
        let label = |m: &ObjectMeta| m.labels.as_ref().and_then(|l| l.get(GRANT_LABEL)).cloned();
        if label(found) != label(want) {
            return Some("its label names another grant".to_owned());
        }
        self.content_differs(wanted)
    }
}

impl Made for ServiceAccount {
    const KIND: &'static str = "ServiceAccount";
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
    fn content_differs(&self, _: &Self) -> Option<String> {
        // Its content grants nothing: pods that could mount it can't exist in its namespace.
        None
    }
}

impl Made for RoleBinding {
    const KIND: &'static str = "RoleBinding";
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
    fn content_differs(&self, wanted: &Self) -> Option<String> {
        binding_differs((&self.role_ref, &self.subjects), (&wanted.role_ref, &wanted.subjects))
    }
}

impl Made for ClusterRoleBinding {
    const KIND: &'static str = "ClusterRoleBinding";
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
    fn content_differs(&self, wanted: &Self) -> Option<String> {
        binding_differs((&self.role_ref, &self.subjects), (&wanted.role_ref, &wanted.subjects))
    }
}

type Bound<'a> = (&'a RoleRef, &'a Option<Vec<Subject>>);

fn binding_differs(found: Bound<'_>, wanted: Bound<'_>) -> Option<String> {
    if found.0 != wanted.0 {
        return Some(format!("it binds {} {}", found.0.kind, sallyport_model::visible(&found.0.name)));
    }
    let bare = |subjects: &Option<Vec<Subject>>| -> Vec<_> {
        let subjects = subjects.iter().flatten();
        subjects.map(|s| (s.kind.clone(), s.namespace.clone(), s.name.clone())).collect()
    };
    (bare(found.1) != bare(wanted.1)).then(|| "it binds someone else".to_owned())
}

fn k8s_time(at: jiff::Timestamp) -> k8s_openapi::apimachinery::pkg::apis::meta::v1::Time {
    k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at)
}

fn as_text<T: ToString, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

fn each_as_text<T: ToString, S: serde::Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(ToString::to_string))
}

#[cfg(test)]
mod tests;
