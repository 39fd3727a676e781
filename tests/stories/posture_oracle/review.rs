//! The API server's side: objects are made, read and removed, and questions asked, many at once.

use super::question::Question;
use anyhow::{Context, Result, bail, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::Client;
use kube::api::{Api, PostParams};
use sallyport_posture::Snapshot;
use sallyport_rbac::who::Caller;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Requests under way at once.
const MANY: usize = 24;
const SOON: Duration = Duration::from_secs(60);
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const KINDS: [&str; 4] = ["clusterroles", "roles", "clusterrolebindings", "rolebindings"];

pub(super) struct Server {
    client: Client,
    settled: AtomicUsize,
}

impl Server {
    pub(super) fn new(client: Client) -> Self {
        Self { client, settled: AtomicUsize::new(0) }
    }

    /// Makes objects; roles need not be there before their bindings.
    pub(super) async fn make(&self, objects: &[Value]) -> Result<()> {
        self.each(objects, async |object| {
            let request = http::Request::post(folder(object)?).header("content-type", "application/json");
            self.client.request::<Value>(request.body(serde_json::to_vec(object)?)?).await.context("make")?;
            Ok(())
        })
        .await
    }

    pub(super) async fn remove(&self, objects: &[Value]) -> Result<()> {
        self.each(objects, async |object| {
            let name = object.pointer("/metadata/name").and_then(Value::as_str).context("a name")?;
            let request = http::Request::delete(format!("{}/{name}", folder(object)?)).body(Vec::new())?;
            self.client.request::<Value>(request).await.context("remove")?;
            Ok(())
        })
        .await
    }

    async fn each(&self, objects: &[Value], act: impl AsyncFn(&Value) -> Result<()>) -> Result<()> {
        let act = &act;
        let acts =
            objects.iter().map(|object| async move { act(object).await.with_context(|| object.to_string()) });
        stream::iter(acts).buffer_unordered(MANY).try_collect::<Vec<()>>().await?;
        Ok(())
    }

    /// Waits until aggregated roles are filled, and then until the authorizer knows all that was made or removed until
    /// now: it hears of each of the four kinds in their order, so one more of each, made last, is enough.
    pub(super) async fn settled(&self) -> Result<()> {
        let began = Instant::now();
        while self.snapshot().await?.rbac().1 != Default::default() {
            ensure!(began.elapsed() < SOON, "no controller fills aggregated roles");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let number = self.settled.fetch_add(1, Ordering::Relaxed);
        let last = last(number);
        self.make(&last).await?;
        while !(self.knows(&format!("last-{number}-wide"), None).await?
            && self.knows(&format!("last-{number}-local"), Some("default")).await?)
        {
            ensure!(began.elapsed() < SOON, "the API server does not hear of what was made");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.remove(&last).await
    }

    async fn knows(&self, user: &str, namespace: Option<&str>) -> Result<bool> {
        let attributes = ResourceAttributes {
            verb: Some("last".to_owned()),
            resource: Some("last".to_owned()),
            namespace: namespace.map(str::to_owned),
            ..ResourceAttributes::default()
        };
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(user.to_owned()),
                resource_attributes: Some(attributes),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        self.review(&review).await
    }

    /// All roles and bindings, as a scan reads them.
    pub(super) async fn snapshot(&self) -> Result<Snapshot> {
        let mut snapshot = Snapshot::default();
        for kind in KINDS {
            let text = self
                .client
                .request_text(http::Request::get(format!("{RBAC}/{kind}")).body(Vec::new())?)
                .await?;
            let taken = snapshot.take(text.as_bytes())?;
            ensure!(taken.unread == 0 && taken.other == 0, "all {kind} can be read: {:?}", snapshot.problems);
        }
        Ok(snapshot)
    }

    /// What the API server says to each.
    pub(super) async fn answers(&self, questions: &[Question]) -> Result<Vec<bool>> {
        let asked = questions.iter().map(|question| async move {
            self.review(&question.review()).await.with_context(|| format!("{question:?}"))
        });
        stream::iter(asked).buffered(MANY).try_collect().await
    }

    /// Whether it takes each object from whoever tries to write it, without keeping it.
    pub(super) async fn tried(&self, tries: Vec<(&Caller, &Value)>) -> Result<Vec<bool>> {
        let tried = tries.into_iter().map(|(caller, object)| async move {
            let mut request = http::Request::post(format!("{}?dryRun=All", folder(object)?))
                .header("content-type", "application/json")
                .header("impersonate-user", &caller.user);
            for group in &caller.groups {
                request = request.header("impersonate-group", group);
            }
            match self.client.request::<Value>(request.body(serde_json::to_vec(object)?)?).await {
                Ok(_) => Ok(true),
                // A role that is not there can't be bound without `bind`.
                Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404) => Ok(false),
                Err(error) => Err(error).with_context(|| format!("{caller:?} tries {object}")),
            }
        });
        stream::iter(tried).buffered(MANY).try_collect().await
    }

    async fn review(&self, review: &SubjectAccessReview) -> Result<bool> {
        let api: Api<SubjectAccessReview> = Api::all(self.client.clone());
        let status = api.create(&PostParams::default(), review).await?.status.context("an answer")?;
        if let Some(error) = status.evaluation_error.filter(|_| !status.allowed) {
            // A role that is not there is such an error, and says no.
            ensure!(error.contains("not found"), "{error}");
        }
        Ok(status.allowed)
    }
}

/// Where objects of its kind are.
fn folder(object: &Value) -> Result<String> {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str);
    let namespace = || text("/metadata/namespace").context("a namespace");
    Ok(match text("/kind").context("a kind")? {
        "Namespace" => "/api/v1/namespaces".to_owned(),
        "ClusterRole" => format!("{RBAC}/clusterroles"),
        "ClusterRoleBinding" => format!("{RBAC}/clusterrolebindings"),
        "Role" => format!("{RBAC}/namespaces/{}/roles", namespace()?),
        "RoleBinding" => format!("{RBAC}/namespaces/{}/rolebindings", namespace()?),
        other => bail!("{other} is not made here"),
    })
}

/// One object of each kind.
fn last(number: usize) -> Vec<Value> {
    let version = "rbac.authorization.k8s.io/v1";
    let rules = json!([{"verbs": ["last"], "apiGroups": [""], "resources": ["last"]}]);
    let (wide, local) = (format!("last-{number}-wide"), format!("last-{number}-local"));
    let user = |name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name});
    let to =
        |kind: &str, name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
    vec![
        json!({"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": wide}, "rules": rules}),
        json!({"apiVersion": version, "kind": "Role", "metadata": {"name": local, "namespace": "default"}, "rules": rules}),
        json!({"apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": wide},
            "roleRef": to("ClusterRole", &wide), "subjects": [user(&wide)]}),
        json!({"apiVersion": version, "kind": "RoleBinding", "metadata": {"name": local, "namespace": "default"},
            "roleRef": to("Role", &local), "subjects": [user(&local)]}),
    ]
}
