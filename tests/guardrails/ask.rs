//! One request to an API server, in every form that Kubernetes takes it.

use anyhow::{Context, Result};
use http::{Method, Request};
use http_body_util::BodyExt;
use kube::{Client, client::Body};
use serde_json::{Value, json};
use std::time::Duration;

/// What an API server may take before a test gives up on it.
const DEADLINE: Duration = Duration::from_secs(60);

/// A request that has not been sent.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    method: Method,
    path: String,
    query: Vec<String>,
    content: &'static str,
    body: Option<Value>,
    pub(crate) form: &'static str,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) body: Value,
    /// The FlowSchema that the request was queued under, by UID.
    pub(crate) flow: String,
}

impl Ask {
    fn new(method: Method, path: &str, form: &'static str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            query: Vec::new(),
            content: "application/json",
            body: None,
            form,
        }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path, "GET")
    }

    pub(crate) fn create(path: &str, body: &Value) -> Self {
        Self { body: Some(body.clone()), ..Self::new(Method::POST, path, "POST") }
    }

    pub(crate) fn put(path: &str, body: &Value) -> Self {
        Self { body: Some(body.clone()), ..Self::new(Method::PUT, path, "PUT") }
    }

    pub(crate) fn merge(path: &str, patch: &Value) -> Self {
        let content = "application/merge-patch+json";
        Self { body: Some(patch.clone()), content, ..Self::new(Method::PATCH, path, "merge patch") }
    }

    pub(crate) fn json_patch(path: &str, operations: &Value) -> Self {
        let content = "application/json-patch+json";
        Self { body: Some(operations.clone()), content, ..Self::new(Method::PATCH, path, "JSON patch") }
    }

    pub(crate) fn strategic(path: &str, patch: &Value) -> Self {
        let content = "application/strategic-merge-patch+json";
        Self { body: Some(patch.clone()), content, ..Self::new(Method::PATCH, path, "strategic patch") }
    }

    /// Server-side apply, by force: conflicts are no guardrail.
    pub(crate) fn apply(path: &str, manager: &str, body: &Value) -> Self {
        let query = vec![format!("fieldManager={manager}"), "force=true".to_owned()];
        let content = "application/apply-patch+yaml";
        Self { query, body: Some(body.clone()), content, ..Self::new(Method::PATCH, path, "apply") }
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self::new(Method::DELETE, path, "DELETE")
    }

    /// A deletion with `DeleteOptions`.
    pub(crate) fn delete_with(path: &str, options: &Value) -> Self {
        Self { body: Some(options.clone()), ..Self::new(Method::DELETE, path, "DELETE with options") }
    }

    pub(crate) fn dry(mut self) -> Self {
        self.query.push("dryRun=All".to_owned());
        self.form = "dry run";
        self
    }

    /// The same with more in its body, as a merge patch says it.
    pub(crate) fn with(mut self, change: &Value) -> Self {
        if let Some(body) = &mut self.body {
            merged(body, change);
        }
        self
    }

    /// By a field manager of that name.
    pub(crate) fn managed_by(mut self, manager: &str) -> Self {
        self.query.push(format!("fieldManager={manager}"));
        self
    }

    pub(crate) fn is_put(&self) -> bool {
        self.method == Method::PUT
    }

    /// Sends it and reads the whole answer, whatever its status.
    pub(crate) async fn send(&self, client: &Client) -> Result<Reply> {
        let mut uri = self.path.clone();
        for (i, part) in self.query.iter().enumerate() {
            uri.push(if i == 0 && !self.path.contains('?') { '?' } else { '&' });
            uri.push_str(part);
        }
        let body = self.body.as_ref().map(|b| b.to_string().into_bytes()).unwrap_or_default();
        let request = Request::builder()
            .method(self.method.clone())
            .uri(&uri)
            .header("content-type", self.content)
            .header("accept", "application/json")
            .body(Body::from(body))?;
        let send = async {
            let response = client.send(request).await.with_context(|| format!("{} {uri}", self.method))?;
            let code = response.status().as_u16();
            let flow = response.headers().get("x-kubernetes-pf-flowschema-uid");
            let flow = flow.and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
            let bytes = response.into_body().collect().await?.to_bytes();
            let body = serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| json!({"message": String::from_utf8_lossy(&bytes)}));
            anyhow::Ok(Reply { code, body, flow })
        };
        tokio::time::timeout(DEADLINE, send)
            .await
            .with_context(|| format!("{} {uri} took over {DEADLINE:?}", self.method))?
    }
}

impl Reply {
    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    /// What the policy, or the API, says in the end, without the API server's preamble.
    pub(crate) fn sentence(&self) -> &str {
        let message = self.message();
        message.split_once(" denied request: ").map_or(message, |(_, said)| said)
    }
}

/// The same change of `live` (as a merge patch says it) in every form; `live` has its resourceVersion.
pub(crate) fn every_form(path: &str, live: &Value, change: &Value) -> Vec<Ask> {
    let mut whole = live.clone();
    merged(&mut whole, change);
    let mut forms = vec![
        Ask::put(path, &whole),
        Ask::merge(path, change),
        Ask::json_patch(path, &operations(live, change)),
        Ask::merge(path, change).dry(),
    ];
    // Apply can't take away what another manager owns, so a removal has no such form.
    if !has_null(change) {
        let mut applied = change.clone();
        for key in ["apiVersion", "kind"] {
            applied[key] = live[key].clone();
        }
        applied["metadata"]["name"] = live["metadata"]["name"].clone();
        forms.push(Ask::apply(path, "attacker", &applied));
    }
    forms
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().any(has_null),
        Value::Array(items) => items.iter().any(has_null),
        _ => false,
    }
}

/// Applies a merge patch (RFC 7386).
fn merged(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            target.as_object_mut().map(|fields| fields.remove(key));
        } else {
            merged(&mut target[key.as_str()], value);
        }
    }
}

/// A merge patch of depth two (`status.x`, `metadata.x`, `spec.x`) as a JSON patch.
fn operations(live: &Value, change: &Value) -> Value {
    let mut operations = Vec::new();
    for (section, fields) in change.as_object().into_iter().flatten() {
        if !live[section].is_object() {
            operations.push(json!({"op": "add", "path": format!("/{section}"), "value": {}}));
        }
        for (key, value) in fields.as_object().into_iter().flatten() {
            let path = format!("/{section}/{}", key.replace('~', "~0").replace('/', "~1"));
            if value.is_null() {
                operations.push(json!({"op": "remove", "path": path}));
            } else {
                let mut whole = live[section][key].clone();
                merged(&mut whole, value);
                operations.push(json!({"op": "add", "path": path, "value": whole}));
            }
        }
    }
    Value::Array(operations)
}
