//! Ends that something on the cluster stands in the way of (fault_a1, P13): what goes all the same, what stays and is named
//! for as long as it does, and that the request is closed, for its first reason, when it is gone.

use crate::ends::request_name;
use crate::lines::Lines;
use anyhow::{Context, Result, ensure};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, at_last, input, until};
use sallyport_ipc::SessionState;
use sallyport_testkit::kubectl::Kubectl;
use sallyport_testkit::repository::deploy;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The profile and the namespace of this story; sessions are in `payments` too.
const OWN: &str = "ends";
const GUARDRAIL: &str = "sessions-bindings.sallyport.dev";

/// Plays every obstacle.
pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    prepare(fleet).await?;
    let desktop = Desktop::signed_in(fleet, "dana").await?;
    refused_deletion(fleet, &desktop, lines).await?;
    webhook_down(fleet, &desktop, lines).await?;
    with_the_guardrail_away(fleet, &desktop, lines).await?;
    full_quota(fleet, &desktop, lines).await?;
    ending_namespace(fleet, &desktop, lines).await?;
    desktop.app.shut_down().await;
    clean_up(fleet).await
}

/// A namespace that can be spoilt, and a profile that reaches it.
async fn prepare(fleet: &Fleet) -> Result<()> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": OWN, "labels": {"access.sallyport.dev/sessions": "true"}}});
    fleet.target().plane.kubectl().apply(&namespace.to_string()).await?;
    fleet.hub.allow("story:ends", "oidc:payments-dev", &["request"], &[OWN]).await?;
    let profile = json!({"apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": OWN},
        "spec": {"clusters": ["*"], "roles": ["sallyport:debug"], "namespaces": ["payments", OWN], "maxDuration": "1h",
            "approvals": 0, "mfa": {"maxAge": "8h"}}});
    fleet.hub.make_profile(&profile).await?;
    // Admission's own watch of profiles takes a moment, and so does the broker's of namespaces.
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(())
}

async fn clean_up(fleet: &Fleet) -> Result<()> {
    fleet.hub.remove_profiles(&[OWN]).await?;
    fleet.hub.kubectl().ok(&["delete", "clusterrole,clusterrolebinding", "story:ends"]).await.map(drop)
}

/// A session on its way out.
struct Leaving<'f> {
    fleet: &'f Fleet,
    kubectl: Kubectl,
    session: String,
    request: String,
    grant: String,
    account: String,
}

/// What the hub says of it.
struct Word {
    phase: String,
    closing: Option<(String, String)>,
    ended: Option<(String, String, String)>,
}

impl<'f> Leaving<'f> {
    async fn open(fleet: &'f Fleet, desktop: &Desktop) -> Result<Self> {
        let target = fleet.target();
        let started = desktop.app.session_open(input(target.spec.name, OWN)).await?;
        let view = desktop.until(&started.id, |v| v.state != SessionState::Opening).await?;
        ensure!(view.state == SessionState::Open, "{:?}", view.error);
        let request = request_name(fleet, &view.request.clone().context("asked")?).await?;
        let mut this = Self {
            fleet,
            kubectl: target.plane.kubectl(),
            session: view.id,
            request,
            grant: String::new(),
            account: String::new(),
        };
        let live = this.live().await?;
        let recorded =
            |field: &str| live["status"]["grant"][field].as_str().map(str::to_owned).context("recorded");
        (this.grant, this.account) = (recorded("name")?, recorded("account")?);
        Ok(this)
    }

    async fn live(&self) -> Result<Value> {
        let args = ["get", "accessrequest", &self.request, "-n", "team-payments", "-o", "json"];
        Ok(serde_json::from_str(&self.fleet.hub.kubectl().ok(&args).await?)?)
    }

    async fn word(&self) -> Result<Word> {
        let live = self.live().await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let conditions = live["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let of = |type_: &str| conditions.iter().find(|one| one["type"] == type_);
        let closing = of("Closing").filter(|one| one["status"] == "True");
        Ok(Word {
            phase: text(&live["status"]["phase"]),
            closing: closing.map(|one| (text(&one["reason"]), text(&one["message"]))),
            ended: of("Ended").map(|one| (text(&one["status"]), text(&one["reason"]), text(&one["message"]))),
        })
    }

    /// Kinds and names of what is left on the target.
    async fn left(&self) -> Result<Vec<String>> {
        let label = format!("-l=access.sallyport.dev/grant={}", self.grant);
        let kinds = "serviceaccounts,rolebindings,clusterrolebindings";
        let list = self.kubectl.ok(&["get", kinds, "-A", &label, "-o", "name"]).await?;
        let grant = self.kubectl.ok(&["get", "accessgrants", "-o", "name"]).await?;
        let grant = grant.lines().filter(|line| line.ends_with(&format!("/{}", self.grant)));
        Ok(list.lines().chain(grant).map(str::to_owned).collect())
    }

    /// Leaves, and plays what is to be seen while something stands in the way, for `why`, said in `words`.
    async fn is_hindered(
        &self,
        desktop: &Desktop,
        lines: &mut Lines,
        what: &str,
        why: &str,
        words: &str,
    ) -> Result<()> {
        desktop.app.session_leave(self.session.clone()).await?;
        self.shows_hindered(lines, what, why, words).await
    }

    /// What is to be seen on its way out while something stands in the way.
    async fn shows_hindered(&self, lines: &mut Lines, what: &str, why: &str, words: &str) -> Result<()> {
        let closing = until("the condition Closing", Duration::from_secs(60), async || {
            self.word().await.ok()?.closing.filter(|(reason, _)| reason == why)
        })
        .await;
        let (reason, said) = match closing {
            Ok(closing) => closing,
            Err(error) => {
                lines.failed(
                    &format!("fault_a1: {what} is said"),
                    format!("{error:#}: {:?}", self.live().await?["status"]),
                );
                return Ok(());
            }
        };
        let binding = format!("RoleBinding {OWN}/{}-0: ", self.grant);
        lines.check(
            &format!("fault_a1: {what}: the binding that stays is named, with why"),
            said.starts_with(&binding) && said.contains(words),
            format!("Closing {reason}: {said}"),
        );
        let is_one =
            |left: &[String]| left.len() == 1 && left.iter().all(|one| one.starts_with("rolebinding"));
        // Where it is made again without end, nothing is there for a moment.
        let left = at_last(Duration::from_secs(60), async || self.left().await, |left| is_one(left)).await?;
        let one = is_one(&left);
        lines.check(
            "and nothing else is left: no other binding, ServiceAccount or grant",
            one,
            left.join(", "),
        );
        let word = self.word().await?;
        let ended =
            word.ended.as_ref().is_some_and(|(status, reason, _)| status == "False" && reason == "Left");
        lines.check(
            "the request is Active meanwhile, and will have ended as Left",
            word.phase == "Active" && ended,
            word.phase,
        );
        Ok(())
    }

    /// The obstacle is gone.
    async fn closes(&self, lines: &mut Lines, when: &str) -> Result<()> {
        let closed = until("Closed", Duration::from_secs(60), async || {
            self.word().await.ok().filter(|word| word.phase == "Closed")
        })
        .await;
        let ended = closed.ok().and_then(|word| word.ended);
        let left = self.left().await?;
        let fine = left.is_empty()
            && ended.as_ref().is_some_and(|(status, reason, _)| status == "True" && reason == "Left");
        let said = ended.map(|(_, reason, message)| format!("{reason}: {message}")).unwrap_or_default();
        lines.check(
            &format!("{when}: Closed as Left, with nothing left"),
            fine,
            format!("{said} {}", left.join(", ")),
        );
        Ok(())
    }
}

async fn refused_deletion(fleet: &Fleet, desktop: &Desktop, lines: &mut Lines) -> Result<()> {
    let session = Leaving::open(fleet, desktop).await?;
    let kubectl = fleet.target().plane.kubectl();
    let policy = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "story-bindings-stay"},
        "spec": {"failurePolicy": "Fail", "matchConstraints": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": OWN}},
        "resourceRules": [{"apiGroups": ["rbac.authorization.k8s.io"], "apiVersions": ["*"], "operations": ["DELETE"], "resources": ["rolebindings"]}]},
        "validations": [{"expression": "false", "message": "another team keeps its bindings"}]}});
    let bound = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "story-bindings-stay"},
        "spec": {"policyName": "story-bindings-stay", "validationActions": ["Deny"]}});
    kubectl.apply(&format!("{policy}\n---\n{bound}")).await?;
    deletions(&kubectl, Some("another team keeps its bindings")).await?;
    let seen = session
        .is_hindered(desktop, lines, "a refused DELETE", "Refused", "another team keeps its bindings")
        .await;
    let both = "validatingadmissionpolicy,validatingadmissionpolicybinding";
    kubectl.ok(&["delete", both, "story-bindings-stay"]).await?;
    seen?;
    session.closes(lines, "the policy is gone").await
}

async fn webhook_down(fleet: &Fleet, desktop: &Desktop, lines: &mut Lines) -> Result<()> {
    let session = Leaving::open(fleet, desktop).await?;
    let kubectl = fleet.target().plane.kubectl();
    // Port 9 of this machine: nobody listens there.
    let webhook = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "story-webhook"},
        "webhooks": [{"name": "bindings.example.test", "failurePolicy": "Fail", "sideEffects": "None", "timeoutSeconds": 1,
            "admissionReviewVersions": ["v1"], "clientConfig": {"url": "https://127.0.0.1:9/"},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": OWN}},
            "rules": [{"apiGroups": ["rbac.authorization.k8s.io"], "apiVersions": ["*"], "operations": ["DELETE"], "resources": ["rolebindings"]}]}]});
    kubectl.apply(&webhook.to_string()).await?;
    deletions(&kubectl, Some("failed calling webhook")).await?;
    let seen = session
        .is_hindered(desktop, lines, "a webhook that is down", "WebhookDown", "bindings.example.test")
        .await;
    kubectl.ok(&["delete", "validatingwebhookconfiguration", "story-webhook"]).await?;
    seen?;
    session.closes(lines, "the webhook is asked no more").await
}

/// Waits until deletions of bindings in the story's namespace are refused with these words, or are not.
async fn deletions(kubectl: &Kubectl, refused: Option<&str>) -> Result<()> {
    let make = ["create", "rolebinding", "probe", "-n", OWN, "--clusterrole=view", "--user=nobody"];
    let _ = kubectl.run(&make).await?;
    until("the obstacle", Duration::from_secs(60), async || {
        let tried =
            kubectl.run(&["delete", "rolebinding", "probe", "-n", OWN, "--dry-run=server"]).await.ok()?;
        match refused {
            Some(words) => tried.stderr.contains(words).then_some(()),
            None => (tried.code == Some(0)).then_some(()),
        }
    })
    .await
}

/// A finalizer and a copy can get onto a session's binding only where our own policy is away.
async fn with_the_guardrail_away(fleet: &Fleet, desktop: &Desktop, lines: &mut Lines) -> Result<()> {
    let kubectl = fleet.target().plane.kubectl();
    let held = Leaving::open(fleet, desktop).await?;
    let name = format!("{}-0", held.grant);
    let stay = r#"{"metadata":{"finalizers":["example.test/stay"]}}"#;
    let patch = ["patch", "rolebinding", &name, "-n", OWN, "-p", stay];
    let refused = kubectl.run(&patch).await?;
    let words = "only the broker binds session accounts";
    lines.check("nobody puts a finalizer on a session's binding", refused.stderr.contains(words), words);
    kubectl.ok(&["delete", "validatingadmissionpolicybinding", GUARDRAIL]).await?;
    until("the guardrail's absence", Duration::from_secs(60), async || {
        (kubectl.run(&patch).await.ok()?.code == Some(0)).then_some(())
    })
    .await?;
    held.is_hindered(desktop, lines, "a finalizer put on by someone", "Finalizer", "example.test/stay")
        .await?;
    made_again(fleet, desktop, lines).await?;
    fleet.target().plane.apply_kustomize(&deploy("target")).await?;
    until("the guardrail", Duration::from_secs(60), async || {
        let probe = [
            "create",
            "rolebinding",
            "x",
            "-n",
            OWN,
            "--clusterrole=view",
            "--dry-run=server",
            "--serviceaccount=sallyport-sessions:s-probe-1999999999",
        ];
        kubectl.run(&probe).await.ok()?.stderr.contains(words).then_some(())
    })
    .await?;
    // The guardrail lets what is being deleted go.
    let let_go = r#"{"metadata":{"finalizers":null}}"#;
    kubectl.ok(&["patch", "rolebinding", &name, "-n", OWN, "-p", let_go]).await?;
    held.closes(lines, "the finalizer is taken off").await
}

/// Whoever makes it again within the second in which nothing may come back is seen. On a busy machine a controller of ours
/// may be slower than that, and has missed its turn: then it has another.
async fn made_again(fleet: &Fleet, desktop: &Desktop, lines: &mut Lines) -> Result<()> {
    for turn in 1.. {
        let session = Leaving::open(fleet, desktop).await?;
        let (on, controllers) = copiers(fleet, &session)?;
        desktop.app.session_leave(session.session.clone()).await?;
        let was_quick = until("Closing or Closed", Duration::from_secs(60), async || {
            let word = session.word().await.ok()?;
            let is_seen = word.closing.is_some_and(|(reason, _)| reason == "MadeAgain");
            (is_seen || word.phase == "Closed").then_some(is_seen)
        })
        .await;
        let is_last = turn == 4 || !matches!(was_quick, Ok(false));
        let seen = if is_last {
            let words = "made again by story-copier";
            session.shows_hindered(lines, "a controller that makes it again", "MadeAgain", words).await
        } else {
            Ok(())
        };
        on.store(false, Ordering::Relaxed);
        for controller in controllers {
            controller.await?;
        }
        seen?;
        if is_last {
            return session.closes(lines, "the controller is gone").await;
        }
        let name = format!("{}-0", session.grant);
        session.kubectl.run(&["delete", "rolebinding", &name, "-n", OWN, "--ignore-not-found"]).await?;
    }
    Ok(())
}

type Copiers = (Arc<AtomicBool>, Vec<tokio::task::JoinHandle<()>>);

/// Controllers that make a session's binding again, until they are told to stop; each with a connection of its own.
fn copiers(fleet: &Fleet, session: &Leaving<'_>) -> Result<Copiers> {
    let binding: k8s_openapi::api::rbac::v1::RoleBinding = serde_json::from_value(json!({
        "metadata": {"name": format!("{}-0", session.grant), "namespace": OWN, "labels": {"access.sallyport.dev/grant": session.grant}},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "sallyport:debug"},
        "subjects": [{"kind": "ServiceAccount", "namespace": "sallyport-sessions", "name": session.account}],
    }))?;
    let on = Arc::new(AtomicBool::new(true));
    let mut controllers = Vec::new();
    for _ in 0..2 {
        let (on, binding) = (on.clone(), binding.clone());
        let api = kube::Api::namespaced(fleet.target().plane.admin()?, OWN);
        let params =
            kube::api::PostParams { field_manager: Some("story-copier".into()), ..Default::default() };
        controllers.push(tokio::spawn(async move {
            while on.load(Ordering::Relaxed) {
                // It exists already, most of the time.
                let _ = api.create(&params, &binding).await;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }));
    }
    Ok((on, controllers))
}

/// What the window would say of a request that can't be carried out.
async fn does_not_open(
    fleet: &Fleet,
    desktop: &Desktop,
    lines: &mut Lines,
    what: &str,
    words: &str,
) -> Result<()> {
    let started = desktop.app.session_open(input(fleet.target().spec.name, OWN)).await?;
    let view = desktop.until(&started.id, |v| v.state != SessionState::Opening).await?;
    let error = view.error.context("it does not open")?;
    let again = error.hint.as_deref().is_some_and(|hint| hint.contains("Try again"));
    lines.check(
        &format!("fault_c11: {what}, with what to ask for instead and not to try the same again"),
        error.message.contains(words)
            && error.message.contains("; ask again without it, for payments")
            && !again,
        error.message,
    );
    Ok(())
}

async fn full_quota(fleet: &Fleet, desktop: &Desktop, lines: &mut Lines) -> Result<()> {
    let kubectl = fleet.target().plane.kubectl();
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few", "namespace": OWN},
        "spec": {"hard": {"count/rolebindings.rbac.authorization.k8s.io": "0"}}});
    kubectl.apply(&quota.to_string()).await?;
    until("the quota counts", Duration::from_secs(60), async || {
        let hard = ["get", "resourcequota", "few", "-n", OWN, "-o=jsonpath={.status.hard}"];
        (!kubectl.ok(&hard).await.ok()?.is_empty()).then_some(())
    })
    .await?;
    let seen = does_not_open(fleet, desktop, lines, "a quota is told from a no", "exceeded quota: few").await;
    kubectl.ok(&["delete", "resourcequota", "few", "-n", OWN]).await?;
    seen?;
    // The API server has heard that it is gone.
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(())
}

async fn ending_namespace(fleet: &Fleet, desktop: &Desktop, lines: &mut Lines) -> Result<()> {
    let session = Leaving::open(fleet, desktop).await?;
    let kubectl = fleet.target().plane.kubectl();
    let held = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "namespace": OWN, "finalizers": ["example.test/stay"]}});
    kubectl.apply(&held.to_string()).await?;
    kubectl.ok(&["delete", "namespace", OWN, "--wait=false"]).await?;
    until("Terminating", Duration::from_secs(60), async || {
        let phase = ["get", "namespace", OWN, "-o=jsonpath={.status.phase}"];
        (kubectl.ok(&phase).await.ok()? == "Terminating").then_some(())
    })
    .await?;
    desktop.app.session_leave(session.session.clone()).await?;
    session.closes(lines, "fault_a1: a namespace that is Terminating stands in nobody's way").await?;
    let what = "what can't be opened in it is said";
    does_not_open(fleet, desktop, lines, what, &format!("namespace {OWN} is being deleted")).await?;
    kubectl
        .ok(&["patch", "configmap", "held", "-n", OWN, "-p", r#"{"metadata":{"finalizers":null}}"#])
        .await?;
    kubectl.ok(&["wait", "--for=delete", &format!("namespace/{OWN}"), "--timeout=90s"]).await.map(drop)
}
