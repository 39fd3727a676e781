use crate::Hub;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::{
    authorization::v1::{
        ResourceAttributes, ResourceRule, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
        SelfSubjectRulesReview, SelfSubjectRulesReviewSpec, SubjectRulesReviewStatus,
    },
    core::v1::Namespace,
};
use kube::{
    Api, ResourceExt as _,
    api::{ListParams, PostParams},
};
use sallyport_api::{GROUP, REQUESTS_LABEL};
use sallyport_client::{Fault, within};
use sallyport_model::{NamespaceName, ProfileName, RoleName};
use sallyport_rbac::{Ask, Rule, allows};
use std::collections::BTreeMap;

/// What one may do with a profile, for the window to show. The API server decides again at every write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProfileRights {
    /// Ask under it.
    pub request: bool,
    /// Say yes or no to others' requests under it.
    pub approve: bool,
    /// End others' access under it.
    pub revoke: bool,
}

/// What one may do with holds, for the window to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HoldRights {
    /// Make one.
    pub make: bool,
    /// End one that is not on oneself.
    pub remove: bool,
}

/// What one may do with what is in no namespace of the hub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// With each profile that was asked about.
    pub profiles: BTreeMap<ProfileName, ProfileRights>,
    /// With holds.
    pub holds: HoldRights,
    /// Whether one may ask what others may do (SubjectAccessReviews).
    pub reviews: bool,
}

/// A team's namespace on the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Its name.
    pub name: NamespaceName,
    /// Whether one may ask there.
    pub may_ask: bool,
    /// Whether one may read its requests.
    pub may_read: bool,
}

/// A namespace that need not exist: nothing but cluster-wide rights, which are what profiles need, show in it.
const NOWHERE: &str = "sallyport-rights";

const AUTHORIZATION: &str = "authorization.k8s.io";
const REVIEWS: &str = "subjectaccessreviews";

/// Questions asked at the same time: each takes a connection while it runs.
const AT_ONCE: usize = 4;

impl Hub {
    /// What one may do with each of these profiles, and with holds: one question, or one for each verb where the hub's
    /// authorizers can't list what they would allow.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn rights(&self, profiles: &[ProfileName]) -> Result<Rights, Fault> {
        let status = self.own_rules().await?;
        let rules: Vec<Rule> = status.resource_rules.into_iter().map(rule).collect();
        if !status.incomplete {
            let profiles = profiles.iter().map(|name| (name.clone(), of_rules(&rules, name))).collect();
            let may = |verb| listed(&rules, verb, "accessholds", "");
            let holds = HoldRights { make: may("create"), remove: may("delete") };
            return Ok(Rights { profiles, holds, reviews: may_review(&rules) });
        }
        let each = profiles.iter().cloned().map(|name| async move {
            let rights = ProfileRights {
                request: self.may("request", "accessprofiles", Some(name.as_str()), None).await?,
                approve: self.may("approve", "accessprofiles", Some(name.as_str()), None).await?,
                revoke: self.may("revoke", "accessprofiles", Some(name.as_str()), None).await?,
            };
            Ok::<_, Fault>((name, rights))
        });
        let profiles = stream::iter(each).buffered(AT_ONCE).try_collect().await?;
        let make = self.may("create", "accessholds", None, None).await?;
        let remove = self.may("delete", "accessholds", None, None).await?;
        let reviews = self.is_allowed(reviews()).await?;
        Ok(Rights { profiles, holds: HoldRights { make, remove }, reviews })
    }

    /// What one may do, as far as the hub's authorizers list it.
    async fn own_rules(&self) -> Result<SubjectRulesReviewStatus, Fault> {
        let api: Api<SelfSubjectRulesReview> = Api::all(self.client.clone());
        let asked = SelfSubjectRulesReview {
            spec: SelfSubjectRulesReviewSpec { namespace: Some(NOWHERE.to_owned()) },
            ..SelfSubjectRulesReview::default()
        };
        let review = within(self.deadline, api.create(&PostParams::default(), &asked)).await?;
        Ok(review.status.unwrap_or_default())
    }

    /// Whether an authorizer that does not list what it allows (a webhook) has a say beside RBAC.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn others_authorize(&self) -> Result<bool, Fault> {
        Ok(self.own_rules().await?.incomplete)
    }

    /// The namespaces that take requests, and what one may do there.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn teams(&self) -> Result<Vec<Team>, Fault> {
        let names = self.team_names().await?;
        let each = names.into_iter().map(|name| async move {
            let may_ask = self.may("create", "accessrequests", None, Some(&name));
            let may_read = self.may("watch", "accessrequests", None, Some(&name));
            let (may_ask, may_read) = futures::try_join!(may_ask, may_read)?;
            Ok::<_, Fault>(Team { name, may_ask, may_read })
        });
        stream::iter(each).buffered(AT_ONCE).try_collect().await
    }

    /// The namespaces that take requests.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn team_names(&self) -> Result<Vec<NamespaceName>, Fault> {
        let api: Api<Namespace> = Api::all(self.client.clone());
        let labelled = ListParams::default().labels(&format!("{REQUESTS_LABEL}=true"));
        let found = within(self.deadline, api.list(&labelled)).await?;
        Ok(found.items.iter().filter_map(|n| n.name_any().parse().ok()).collect())
    }

    /// Whether the hub would allow one thing (SelfSubjectAccessReview).
    pub(crate) async fn may(
        &self,
        verb: &str,
        resource: &str,
        name: Option<&str>,
        namespace: Option<&NamespaceName>,
    ) -> Result<bool, Fault> {
        let attributes = ResourceAttributes {
            group: Some(GROUP.to_owned()),
            resource: Some(resource.to_owned()),
            verb: Some(verb.to_owned()),
            name: name.map(str::to_owned),
            namespace: namespace.map(ToString::to_string),
            ..ResourceAttributes::default()
        };
        self.is_allowed(attributes).await
    }

    async fn is_allowed(&self, attributes: ResourceAttributes) -> Result<bool, Fault> {
        let api: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let asked = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(attributes),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let review = within(self.deadline, api.create(&PostParams::default(), &asked)).await?;
        Ok(review.status.is_some_and(|s| s.allowed && !s.denied.unwrap_or(false)))
    }
}

/// Asking what others may do.
fn reviews() -> ResourceAttributes {
    ResourceAttributes {
        group: Some(AUTHORIZATION.to_owned()),
        resource: Some(REVIEWS.to_owned()),
        verb: Some("create".to_owned()),
        ..ResourceAttributes::default()
    }
}

fn may_review(rules: &[Rule]) -> bool {
    let ask =
        Ask::Resource { verb: "create", group: AUTHORIZATION, resource: REVIEWS, subresource: "", name: "" };
    allows(rules, ask)
}

fn of_rules(rules: &[Rule], profile: &ProfileName) -> ProfileRights {
    let may = |verb| listed(rules, verb, "accessprofiles", profile.as_str());
    ProfileRights { request: may("request"), approve: may("approve"), revoke: may("revoke") }
}

/// Whether a list of rules allows a verb on one of Sallyport's objects; without a name, on all of them.
fn listed(rules: &[Rule], verb: &str, resource: &str, name: &str) -> bool {
    allows(rules, Ask::Resource { verb, group: GROUP, resource, subresource: "", name })
}

/// For a rule of which it is not known, or not looked at, which role it stands in.
pub(crate) fn no_role() -> RoleName {
    "self".parse().expect("self is a role name")
}

fn rule(rule: ResourceRule) -> Rule {
    Rule {
        // The review does not say which role a rule comes from.
        role: no_role(),
        verbs: rule.verbs,
        api_groups: rule.api_groups.unwrap_or_default(),
        resources: rule.resources.unwrap_or_default(),
        resource_names: rule.resource_names.unwrap_or_default(),
        non_resource_urls: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `app` runs these in tasks of their own. Never called: it compiles or it does not.
    #[allow(dead_code)]
    fn calls_can_be_spawned(hub: &'static Hub) {
        fn spawnable(_: impl Future + Send + 'static) {}
        spawnable(hub.rights(&[]));
        spawnable(hub.teams());
        spawnable(hub.clusters());
    }

    #[test]
    fn rights_follow_names_and_verbs() {
        let texts = |list: &[&str]| Some(list.iter().map(|t| t.to_string()).collect::<Vec<_>>());
        let on = |verbs: &[&str], names: &[&str]| {
            rule(ResourceRule {
                verbs: verbs.iter().map(|v| v.to_string()).collect(),
                api_groups: texts(&[GROUP]),
                resources: texts(&["accessprofiles"]),
                resource_names: texts(names),
            })
        };
        let rules =
            [on(&["request"], &["debug"]), on(&["approve", "revoke"], &["admin"]), on(&["get", "list"], &[])];
        let debug = of_rules(&rules, &"debug".parse().unwrap());
        assert_eq!(debug, ProfileRights { request: true, ..ProfileRights::default() });
        let admin = of_rules(&rules, &"admin".parse().unwrap());
        assert_eq!(admin, ProfileRights { request: false, approve: true, revoke: true });
        assert_eq!(of_rules(&rules, &"other".parse().unwrap()), ProfileRights::default());
        let on_holds = |names: &[&str]| {
            rule(ResourceRule {
                verbs: vec!["create".into()],
                api_groups: texts(&[GROUP]),
                resources: texts(&["accessholds"]),
                resource_names: texts(names),
            })
        };
        assert!(listed(&[on_holds(&[])], "create", "accessholds", ""));
        assert!(!listed(&[on_holds(&[])], "delete", "accessholds", ""));
        assert!(!listed(&[on_holds(&["hold-1"])], "create", "accessholds", ""), "a new one has no name yet");
    }

    #[test]
    fn who_may_ask_about_others_is_told_from_who_may_ask_about_themselves() {
        let texts = |list: &[&str]| Some(list.iter().map(|t| t.to_string()).collect::<Vec<_>>());
        let on = |resource: &str| {
            rule(ResourceRule {
                verbs: vec!["create".into()],
                api_groups: texts(&["authorization.k8s.io"]),
                resources: texts(&[resource]),
                resource_names: None,
            })
        };
        assert!(may_review(&[on("subjectaccessreviews")]));
        assert!(!may_review(&[on("selfsubjectaccessreviews"), on("localsubjectaccessreviews")]));
    }
}
