//! `bench way_in`: from the click to the first 200 through the gateway, against the same API calls made bare.
//!
//! The rival makes the calls of docs/benchmarks.md one after the other with pooled connections where the product has
//! them and a new TLS handshake where the product has one. Both run in turn in the same process against the same
//! planes, so that a slow moment of the machine hits both.

use anyhow::{Context, Result, ensure};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use sallyport_api::{AccessGrant, AccessProfile, AccessRequest};
use sallyport_client::{Credential, Endpoint, Timeouts, connect, probe};
use sallyport_fleet::headless::{Desktop, id_token, proof, until};
use sallyport_fleet::{Fleet, FleetOptions};
use sallyport_ipc::{ProofKind, ProofState};
use sallyport_model::{RequestUid, Secret, SessionAccount};
use sallyport_testkit::Plane;
use sallyport_testkit::broker::Enrolled;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PROFILE: &str = "debug-prod";
const NAMESPACES: [&str; 2] = ["checkout", "payments"];
const ROUNDS: usize = 25;
const WARM_UP: usize = 3;
const DEADLINE: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<()> {
    let fleet = Fleet::start(FleetOptions { pods: false, ..FleetOptions::default() }).await?;
    let desktop = Desktop::signed_in(&fleet, "dana").await?;
    let bare = Bare::new(&fleet).await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + ROUNDS {
        // The target's own broker would take a grant that is not its own for a leftover, and remove it.
        fleet.target().broker.pause()?;
        let bare_ms = bare.once().await.with_context(|| format!("the bare calls, round {round}"));
        fleet.target().broker.resume()?;
        let bare_ms = bare_ms?;
        let our_ms = open_and_leave(&fleet, &desktop).await?;
        eprintln!("round {round}: {our_ms:.0} ms, bare {bare_ms:.0} ms");
        if round >= WARM_UP {
            ours.push(our_ms);
            theirs.push(bare_ms);
        }
    }
    desktop.app.shut_down().await;
    let (p50, p95, bare50) =
        (quantile(&mut ours, 0.5), quantile(&mut ours, 0.95), quantile(&mut theirs, 0.5));
    println!("{ROUNDS} rounds of each in turn, {} CPUs", std::thread::available_parallelism()?);
    println!("click to first 200: p50 {p50:.1} ms, p95 {p95:.1} ms; the same calls bare: p50 {bare50:.1} ms");
    println!(
        "bench way_in ratio={:.3} p50_ms={p50:.1} p95_ms={p95:.1} bare_p50_ms={bare50:.1}",
        p50 / bare50
    );
    Ok(())
}

/// One click and its way out; milliseconds from the click to the first answered call.
async fn open_and_leave(fleet: &Fleet, desktop: &Desktop) -> Result<f64> {
    let session = desktop.open(fleet.target().spec.name, PROFILE).await?;
    let took = session.click_to_prompt_ms.context("it opened")?;
    desktop.app.session_leave(session.id.clone()).await?;
    until("the flush", Duration::from_secs(20), async || {
        let view = desktop.session(&session.id).await.ok()?;
        (proof(&view, ProofKind::AccountRemoved).0 == Some(ProofState::Done)).then_some(())
    })
    .await?;
    Ok(took.into())
}

fn quantile(values: &mut [f64], at: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    values[((last as f64) * at).round() as usize]
}

/// The same calls, by whoever makes them in the product: the person, and a broker of a cluster that has none running.
struct Bare {
    person: Client,
    hub: Client,
    target: Client,
    probe: Endpoint,
    revision: String,
}

const CLUSTER: &str = "bench-eu-1";

impl Bare {
    async fn new(fleet: &Fleet) -> Result<Self> {
        let target = &fleet.target().plane;
        let enrolled = Enrolled::new(&fleet.hub, target, CLUSTER, "dev").await?;
        let client = |plane: &Plane, token: &str| {
            let endpoint = Endpoint::parse(plane.url(), Some(&plane.ca_pem()), None)?;
            Ok::<_, anyhow::Error>(connect(
                &endpoint,
                Credential::Token(Secret::new(token.to_owned())),
                Timeouts::both(DEADLINE),
            )?)
        };
        let profiles: Api<AccessProfile> = Api::all(fleet.hub.admin()?);
        let profile = profiles.get(PROFILE).await?;
        Ok(Self {
            person: client(&fleet.hub, &id_token(fleet, "dana").await?)?,
            hub: client(&fleet.hub, enrolled.hub_token())?,
            target: client(target, enrolled.target_token())?,
            probe: Endpoint::parse(target.url(), Some(&target.ca_pem()), None)?,
            revision: format!(
                "{}/{}",
                profile.uid().context("a UID")?,
                profile.metadata.generation.context("a generation")?
            ),
        })
    }

    async fn once(&self) -> Result<f64> {
        let started = Instant::now();
        let request = self.ask().await?;
        let given = json!({"duration": "1h", "namespaces": NAMESPACES});
        self.status(&request, json!({"phase": "Approved", "offer": offer(), "given": given})).await?;
        let grant = self.grant(&request).await?;
        let created = grant.metadata.creation_timestamp.as_ref().context("a creation time")?.0.as_second();
        let uid = RequestUid::new(request.uid().context("a UID")?);
        let account = SessionAccount::derive(&uid, created + 3600);
        let end = jiff::Timestamp::from_second(account.end())?.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let record =
            json!({"name": grant.name_any(), "uid": grant.uid(), "end": end, "account": account.to_string()});
        self.status(&request, json!({"grant": record})).await?;
        self.bind(&grant, &account).await?;
        let token = self.mint(&account).await?;
        self.ready(&token).await?;
        self.status(&request, json!({"phase": "Active", "credential": "c".repeat(3000), "jtis": ["bench"]}))
            .await?;
        let answer = probe(
            &self.probe,
            Some(&token),
            http::Method::GET,
            "/api/v1/namespaces/checkout/pods?limit=1",
            None,
            DEADLINE,
        )
        .await?;
        ensure!(answer.status == 200, "the last call answered {}", answer.status);
        let took = started.elapsed().as_secs_f64() * 1000.0;
        self.flush(&request, &grant).await?;
        Ok(took)
    }

    async fn ask(&self) -> Result<AccessRequest> {
        let object = serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest", "metadata": {"generateName": "bench-"},
            "spec": {
                "user": "oidc:dana@meridian.example", "groups": ["oidc:payments-dev"], "cluster": CLUSTER, "profile": PROFILE,
                "profileRevision": self.revision, "namespaces": NAMESPACES, "duration": "1h", "reason": "bench",
                "publicKey": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            },
        }))?;
        let api: Api<AccessRequest> = Api::namespaced(self.person.clone(), "team-payments");
        Ok(api.create(&PostParams::default(), &object).await?)
    }

    async fn status(&self, request: &AccessRequest, status: Value) -> Result<()> {
        let api: Api<AccessRequest> = Api::namespaced(self.hub.clone(), "team-payments");
        let patch = Patch::Merge(json!({"status": status}));
        api.patch_status(&request.name_any(), &PatchParams::default(), &patch).await?;
        Ok(())
    }

    async fn grant(&self, request: &AccessRequest) -> Result<AccessGrant> {
        let uid = RequestUid::new(request.uid().context("a UID")?);
        let object = serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessGrant",
            "metadata": {"name": SessionAccount::derive_grant_name(&uid)},
            "spec": {
                "request": {"namespace": "team-payments", "name": request.name_any(), "uid": uid.as_str()},
                "user": request.spec.user, "duration": "1h", "profile": PROFILE, "profileRevision": self.revision,
                "roles": ["sallyport:debug"], "namespaces": NAMESPACES, "offer": "0".repeat(64),
            },
        }))?;
        Ok(Api::<AccessGrant>::all(self.target.clone()).create(&PostParams::default(), &object).await?)
    }

    async fn bind(&self, grant: &AccessGrant, account: &SessionAccount) -> Result<()> {
        let meta = |name: String| {
            json!({
                "name": name, "labels": {"access.sallyport.dev/grant": grant.name_any()},
                "ownerReferences": [{
                    "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessGrant", "name": grant.name_any(),
                    "uid": grant.uid(), "blockOwnerDeletion": false,
                }],
            })
        };
        let body = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta(account.to_string()), "automountServiceAccountToken": false});
        self.post("/api/v1/namespaces/sallyport-sessions/serviceaccounts", body).await?;
        for namespace in NAMESPACES {
            let body = json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": meta(format!("{}-0", grant.name_any())),
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "sallyport:debug"},
                "subjects": [{"kind": "ServiceAccount", "namespace": "sallyport-sessions", "name": account.to_string()}],
            });
            self.post(
                &format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings"),
                body,
            )
            .await?;
        }
        Ok(())
    }

    async fn mint(&self, account: &SessionAccount) -> Result<Secret<String>> {
        let left = account.end() - jiff::Timestamp::now().as_second() - 2;
        let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": left}});
        let made = self
            .post(&format!("/api/v1/namespaces/sallyport-sessions/serviceaccounts/{account}/token"), body)
            .await?;
        Ok(Secret::new(made["status"]["token"].as_str().context("a token")?.to_owned()))
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value> {
        let request = http::Request::post(path)
            .header("content-type", "application/json")
            .body(serde_json::to_vec(&body)?)?;
        Ok(self.target.request(request).await?)
    }

    /// Three answers per namespace, each on a connection of its own; a "no" is asked again, as in the product.
    async fn ready(&self, token: &Secret<String>) -> Result<()> {
        for namespace in NAMESPACES {
            let body = json!({
                "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": {"namespace": namespace, "verb": "list", "resource": "pods"}},
            });
            let mut yes = 0;
            while yes < 3 {
                let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
                let body = Some(serde_json::to_vec(&body)?);
                let answer =
                    probe(&self.probe, Some(token), http::Method::POST, path, body, DEADLINE).await?;
                let said: Value = serde_json::from_slice(&answer.body)?;
                yes = if said["status"]["allowed"] == true { yes + 1 } else { 0 };
            }
        }
        Ok(())
    }

    /// Not timed: leaves nothing for the next round.
    async fn flush(&self, request: &AccessRequest, grant: &AccessGrant) -> Result<()> {
        for namespace in NAMESPACES {
            let path = format!(
                "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings/{}-0",
                grant.name_any()
            );
            let _: Value = self.target.request(http::Request::delete(path).body(Vec::new())?).await?;
        }
        let ended = json!([{
            "type": "Ended", "status": "True", "reason": "Left", "message": "bench",
            "lastTransitionTime": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }]);
        self.status(request, json!({"phase": "Closed", "credential": null, "conditions": ended})).await?;
        Api::<AccessGrant>::all(self.target.clone()).delete(&grant.name_any(), &Default::default()).await?;
        Ok(())
    }
}

fn offer() -> Value {
    json!({
        "digest": "0".repeat(64), "rules": [{"role": "sallyport:debug", "verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}],
        "endpoint": "https://bench.example.test", "caDigest": "0".repeat(64),
    })
}
