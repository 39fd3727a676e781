//! What is planted, how it is read, and what the API server is asked about it.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::api::{Api, PostParams};
use sallyport_posture::difference::Loss;
use sallyport_posture::{Review, Snapshot};
use sallyport_rbac::Rule;
use sallyport_rbac::who::Caller;
use sallyport_testkit::Plane;

/// devs mint tokens in ci, where the deployer binds any role; and one weakness for each other kind of fix.
pub(super) const PLANTED: &str = include_str!("planted.yaml");

/// Lists of what fixes are about. An admin may read Secrets; only their metadata is kept.
const LISTS: [&str; 12] = [
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/rbac.authorization.k8s.io/v1/roles",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "/apis/rbac.authorization.k8s.io/v1/rolebindings",
    "/api/v1/namespaces",
    "/api/v1/serviceaccounts",
    "/api/v1/pods",
    "/api/v1/secrets",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/replicasets",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
];

pub(super) async fn read(plane: &Plane) -> Result<Snapshot> {
    let client = plane.admin()?;
    let mut snapshot = Snapshot::default();
    for list in LISTS {
        let text = client.request_text(http::Request::get(list).body(Vec::new())?).await?;
        snapshot.take(text.as_bytes())?;
    }
    ensure!(snapshot.problems.is_empty(), "{:?}", snapshot.problems);
    ensure!(snapshot.rbac().1 == Default::default(), "the controller filled all roles");
    Ok(snapshot)
}

/// A question to the API server.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    caller: Caller,
    namespace: Option<String>,
    verb: String,
    group: String,
    resource: String,
    subresource: String,
    name: String,
}

impl Seen {
    pub(super) fn of(review: &Review) -> Self {
        Self {
            caller: review.caller.clone(),
            namespace: review.namespace.clone(),
            verb: review.verb.clone(),
            group: review.group.clone(),
            resource: review.resource.clone(),
            subresource: review.subresource.clone(),
            name: review.name.clone(),
        }
    }

    /// One question for each verb and resource that somebody loses.
    pub(super) fn lost(loss: &Loss) -> Vec<Self> {
        let wide = loss.everywhere.iter().map(|rule| (None, rule));
        let inside = loss.inside.iter();
        let inside =
            inside.flat_map(|(place, rules)| rules.iter().map(move |rule| (Some(place.clone()), rule)));
        let each = |(namespace, rule): (Option<String>, &Rule)| {
            let mut all = Vec::new();
            for verb in &rule.verbs {
                for group in &rule.api_groups {
                    for entry in &rule.resources {
                        let (resource, subresource) = entry.split_once('/').unwrap_or((entry, ""));
                        all.push(Self {
                            caller: loss.subject.caller(),
                            namespace: namespace.clone(),
                            verb: verb.clone(),
                            group: group.clone(),
                            resource: resource.to_owned(),
                            subresource: subresource.to_owned(),
                            name: rule.resource_names.first().cloned().unwrap_or_default(),
                        });
                    }
                }
            }
            all
        };
        wide.chain(inside).flat_map(each).collect()
    }
}

pub(super) async fn allowed(plane: &Plane, seen: &Seen) -> Result<bool> {
    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
    let attributes = ResourceAttributes {
        verb: some(&seen.verb),
        group: some(&seen.group),
        resource: some(&seen.resource),
        subresource: some(&seen.subresource),
        name: some(&seen.name),
        namespace: seen.namespace.clone(),
        ..ResourceAttributes::default()
    };
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            // Nobody is called so who is known by a group alone.
            user: Some(if seen.caller.user.is_empty() {
                "somebody".to_owned()
            } else {
                seen.caller.user.clone()
            }),
            groups: Some(seen.caller.groups.clone()),
            resource_attributes: Some(attributes),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let api: Api<SubjectAccessReview> = Api::all(plane.admin()?);
    let answer = api.create(&PostParams::default(), &review).await?;
    Ok(answer.status.context("an answer")?.allowed)
}
