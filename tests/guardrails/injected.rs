//! A pod that somebody else changed on its way in (fault C10), by a real mutating webhook that does as Istio's does.

use crate::ask::Ask;
use crate::board::{Board, Person};
use crate::reach::CORE;
use crate::world::World;
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sallyport_testkit::pki::Authority;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

const HOOKS: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

pub(crate) async fn injected(world: &World, board: &mut Board, who: &Person) -> Result<()> {
    println!("\nA pod that an injector changed");
    let injector = Injector::start().await?;
    board.must(&world.owner, Ask::create(HOOKS, &injector.configuration())).await?;
    let told = tell(world, board, who).await;
    board.must(&world.owner, Ask::delete(&format!("{HOOKS}/injector"))).await?;
    told
}

fn pod(name: &str, labels: Value) -> Ask {
    let body = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": {"containers": [{"name": "c", "image": "busybox"}]}});
    Ask::create(&format!("{CORE}/pods"), &body).dry()
}

async fn tell(world: &World, board: &mut Board, who: &Person) -> Result<()> {
    // The API server takes a moment to know a new webhook.
    let started = Instant::now();
    while pod("capability", json!({})).send(&world.owner.client).await?.body["spec"]["initContainers"]
        .is_null()
    {
        anyhow::ensure!(started.elapsed() < Duration::from_secs(60), "the webhook is not asked");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (title, name, fragment) in [
        ("a container with NET_ADMIN", "capability", "loosens no confinement: container istio-init"),
        ("a token volume", "token", "only volumes without foreign data: not istio-token"),
        ("a path of the host", "path", "only volumes without foreign data: not cni"),
    ] {
        for wanted in [
            fragment,
            "If that is not in your manifest, something on this cluster added it to the pod, such as a sidecar injector",
            "with the label sidecar.istio.io/inject=false",
        ] {
            let title = format!("fault_c10: runs a plain pod, to which an injector adds {title}");
            board.refused("1", &title, who, vec![pod(name, json!({}))], wanted).await;
        }
        let off = json!({"sidecar.istio.io/inject": "false"});
        board
            .allowed(
                "1",
                &format!("fault_c10: runs it with the injector switched off, instead of {title}"),
                who,
                pod(name, off),
            )
            .await;
    }
    board
        .allowed(
            "1",
            "fault_c10: runs a pod to which an injector adds what is harmless",
            who,
            pod("harmless", json!({})),
        )
        .await;
    Ok(())
}

/// What is added to the pod of that name, as a JSON patch.
fn patch(name: &str) -> Value {
    match name {
        "capability" => json!([{"op": "add", "path": "/spec/initContainers", "value":
            [{"name": "istio-init", "image": "proxyv2", "securityContext": {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}}}]}]),
        "token" => json!([{"op": "add", "path": "/spec/volumes/-", "value":
            {"name": "istio-token", "projected": {"sources": [{"serviceAccountToken": {"audience": "istio-ca", "expirationSeconds": 43200, "path": "istio-token"}}]}}}]),
        "path" => {
            json!([{"op": "add", "path": "/spec/volumes/-", "value": {"name": "cni", "hostPath": {"path": "/var/run/cni"}}}])
        }
        _ => json!([{"op": "add", "path": "/spec/volumes/-", "value": {"name": "envoy", "emptyDir": {}}},
            {"op": "add", "path": "/metadata/annotations", "value": {"sidecar.istio.io/status": "{}"}}]),
    }
}

/// A mutating webhook's server on loopback, until it is dropped.
struct Injector {
    url: String,
    ca_pem: String,
    serving: JoinHandle<()>,
}

impl Drop for Injector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Injector {
    async fn start() -> Result<Self> {
        let authority = Authority::new("injector")?;
        let credential = authority.server(&[])?;
        let certificate = CertificateDer::from_pem_slice(credential.cert_pem.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(credential.key_pem.as_bytes())?;
        let tls =
            rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("https://{}/inject", listener.local_addr()?);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let serve = service_fn(answer);
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), serve)
                        .await;
                });
            }
        });
        Ok(Self { url, ca_pem: authority.cert_pem(), serving })
    }

    fn configuration(&self) -> Value {
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": {"name": "injector"},
            "webhooks": [{"name": "injector.example.test", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail", "timeoutSeconds": 5,
                "clientConfig": {"url": self.url, "caBundle": STANDARD.encode(&self.ca_pem)},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "payments"}},
                "objectSelector": {"matchExpressions": [{"key": "sidecar.istio.io/inject", "operator": "NotIn", "values": ["false"]}]},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]}]})
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
    let body = request.into_body().collect().await?.to_bytes();
    let review: Value = serde_json::from_slice(&body).context("an AdmissionReview")?;
    let name = review["request"]["name"].as_str().unwrap_or_default();
    let patch = STANDARD.encode(patch(name).to_string());
    let answer = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "response": {"uid": review["request"]["uid"], "allowed": true, "patchType": "JSONPatch", "patch": patch}});
    Ok(Response::builder()
        .header("content-type", "application/json")
        .body(Full::new(answer.to_string().into()))?)
}
