//! Two control planes with `deploy/` applied, and everyone who attacks them.

use crate::ask::Ask;
use crate::board::{Board, Person};
use anyhow::{Context, Result};
use sallyport_testkit::broker::{install_hub, install_target};
use sallyport_testkit::repository::deploy;
use sallyport_testkit::{Identity, Plane, PlaneOptions};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

pub(crate) const API: &str = "/apis/access.sallyport.dev/v1alpha1";
pub(crate) const MFA: &str = "urn:sallyport:mfa";
pub(crate) const CLUSTER: &str = "payments-eu-1";
pub(crate) use sallyport_testkit::profiles::EDITORS;

pub(crate) struct World {
    pub(crate) hub: Plane,
    pub(crate) target: Plane,
    /// system:masters by certificate.
    pub(crate) admin: Person,
    /// system:masters who signed in with MFA, for rules that a certificate would not even reach.
    pub(crate) strong_admin: Person,
    /// payments-dev.
    pub(crate) dana: Person,
    /// payments-dev.
    pub(crate) omar: Person,
    /// payments-leads: may ask, approve, revoke.
    pub(crate) lee: Person,
    /// platform-admins: may ask, approve, revoke.
    pub(crate) ines: Person,
    /// Profile editor and nothing else.
    pub(crate) editor: Person,
    /// The cluster's broker on the hub, by its token.
    pub(crate) broker: Person,
    /// Another cluster's broker on the hub, by its token.
    pub(crate) other_broker: Person,
    /// The broker on the target, by its token.
    pub(crate) hand: Person,
    /// system:masters on the target.
    pub(crate) owner: Person,
}

pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

pub(crate) fn stamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).expect("a time of this century").to_string()
}

/// Someone who signed in with MFA a minute ago.
pub(crate) fn signed_in(user: &str, groups: &[&str]) -> Identity {
    groups.iter().fold(Identity::new(user), |i, group| i.group(*group)).signed_in(
        MFA,
        &["pwd", "otp"],
        now() - 60,
    )
}

pub(crate) fn person(plane: &Plane, title: &str, user: &str, identity: &Identity) -> Result<Person> {
    Ok(Person { title: title.to_owned(), user: user.to_owned(), client: plane.client_as(identity)? })
}

impl World {
    pub(crate) async fn start() -> Result<Self> {
        let started = Instant::now();
        // StatefulSets and DaemonSets get the revisions that a rollback goes back to.
        let mut target = PlaneOptions::new("target");
        target.controllers.extend(["statefulset-controller", "daemonset-controller"].map(str::to_owned));
        // Two servers, as in a team: whatever holds on one does not lean on the other.
        let (hub, target) = tokio::try_join!(Plane::start(PlaneOptions::new("hub")), Plane::start(target))?;
        println!("two control planes are ready in {} ms", started.elapsed().as_millis());
        let started = Instant::now();
        let on_hub = async {
            install_hub(&hub).await?;
            hub.apply_kustomize(&deploy("demo")).await?;
            apply_profiles(&hub).await?;
            for cluster in [CLUSTER, "checkout-stage"] {
                let enrol = std::fs::read_to_string(deploy("hub/enrol.yaml"))?.replace("CLUSTER", cluster);
                hub.kubectl().apply(&enrol).await?;
                hub.kubectl().apply(&access_cluster(cluster, &hub).to_string()).await?;
            }
            anyhow::Ok(())
        };
        let on_target = async {
            install_target(&target).await?;
            target.apply_kustomize(&deploy("demo/target")).await?;
            anyhow::Ok(())
        };
        tokio::try_join!(on_hub, on_target)?;
        println!("deploy/ applied with kubectl apply -k in {} ms", started.elapsed().as_millis());
        let token = async |plane: &Plane, account: &str, namespace: &str| {
            let args = ["create", "token", account, "-n", namespace, "--duration", "1h"];
            plane.kubectl().ok(&args).await.map(|text| text.trim().to_owned())
        };
        let of_broker = |title: &str, user: &str, plane: &Plane, token: &str| {
            anyhow::Ok(Person {
                title: title.to_owned(),
                user: user.to_owned(),
                client: plane.client_with_token(token)?,
            })
        };
        let on_hub =
            |title: &str, user: &str, groups: &[&str]| person(&hub, title, user, &signed_in(user, groups));
        let broker_user = |cluster: &str| format!("system:serviceaccount:sallyport-brokers:{cluster}");
        Ok(Self {
            admin: Person {
                title: "cluster-admin".into(),
                user: "kubernetes-admin".into(),
                client: hub.admin()?,
            },
            strong_admin: on_hub("cluster-admin with MFA", "oidc:root@example.test", &["system:masters"])?,
            dana: on_hub("requester", "oidc:dana@example.test", &["oidc:payments-dev"])?,
            omar: on_hub("colleague", "oidc:omar@example.test", &["oidc:payments-dev"])?,
            lee: on_hub("approver", "oidc:lee@example.test", &["oidc:payments-leads"])?,
            ines: on_hub("second approver", "oidc:ines@example.test", &["oidc:platform-admins"])?,
            editor: on_hub("profile editor", "oidc:eda@example.test", &[EDITORS])?,
            broker: of_broker(
                "broker",
                &broker_user(CLUSTER),
                &hub,
                &token(&hub, CLUSTER, "sallyport-brokers").await?,
            )?,
            other_broker: of_broker(
                "another cluster's broker",
                &broker_user("checkout-stage"),
                &hub,
                &token(&hub, "checkout-stage", "sallyport-brokers").await?,
            )?,
            hand: of_broker(
                "broker",
                "system:serviceaccount:sallyport-system:broker",
                &target,
                &token(&target, "broker", "sallyport-system").await?,
            )?,
            owner: Person {
                title: "cluster-admin".into(),
                user: "kubernetes-admin".into(),
                client: target.admin()?,
            },
            hub,
            target,
        })
    }

    /// A request's spec under `profile` at its present revision.
    pub(crate) async fn spec(&self, who: &Person, profile: &str) -> Result<Value> {
        let live = Ask::get(&format!("{API}/accessprofiles/{profile}")).send(&self.admin.client).await?;
        let (uid, generation) =
            (live.body["metadata"]["uid"].as_str(), live.body["metadata"]["generation"].as_i64());
        let revision =
            format!("{}/{}", uid.context("the profile's UID")?, generation.context("its generation")?);
        Ok(json!({
            "user": who.user, "groups": [], "cluster": CLUSTER, "profile": profile, "profileRevision": revision,
            "namespaces": ["payments"], "duration": "30m", "reason": "checkout answers 500 since 03:05",
            "publicKey": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        }))
    }

    /// A request of `who` under `profile`; pending, without an offer.
    pub(crate) async fn request(&self, board: &Board, who: &Person, profile: &str) -> Result<String> {
        self.requested(board, who, &self.spec(who, profile).await?).await
    }

    /// A request of `who` with that spec.
    pub(crate) async fn requested(&self, board: &Board, who: &Person, spec: &Value) -> Result<String> {
        let body = request(spec);
        let made = board.must(who, Ask::create(&requests("team-payments"), &body)).await?;
        Ok(made["metadata"]["name"].as_str().context("the request's name")?.to_owned())
    }

    /// The same with the broker's offer.
    pub(crate) async fn offered(&self, board: &Board, who: &Person, profile: &str) -> Result<String> {
        let name = self.request(board, who, profile).await?;
        self.report(board, &name, json!({"offer": offer()})).await?;
        Ok(name)
    }

    /// The same, Approved, with its grant on record.
    pub(crate) async fn granted(&self, board: &Board, who: &Person, profile: &str) -> Result<String> {
        let name = self.offered(board, who, profile).await?;
        self.report(board, &name, decided()).await?;
        self.report(board, &name, json!({"grant": grant_record()})).await?;
        Ok(name)
    }

    /// The same, Active, with a sealed credential.
    pub(crate) async fn active(&self, board: &Board, who: &Person, profile: &str) -> Result<String> {
        let name = self.granted(board, who, profile).await?;
        self.report(board, &name, json!({"phase": "Active", "credential": "c2VhbGVk", "jtis": ["one"]}))
            .await?;
        Ok(name)
    }

    /// A status write of the broker that must succeed.
    pub(crate) async fn report(&self, board: &Board, name: &str, status: Value) -> Result<Value> {
        board.must(&self.broker, Ask::merge(&status_of(name), &json!({"status": status}))).await
    }

    /// The request as it stands.
    pub(crate) async fn live(&self, name: &str) -> Result<Value> {
        Ok(Ask::get(&format!("{}/{name}", requests("team-payments"))).send(&self.admin.client).await?.body)
    }
}

async fn apply_profiles(hub: &Plane) -> Result<()> {
    let folder = deploy("demo/profiles");
    let folder = folder.to_str().context("a folder named in UTF-8")?;
    let args = ["apply", "--server-side", "-k", folder, "--as", "setup", "--as-group", EDITORS];
    // The CRD was just made; the API server may need a moment to serve it to this user.
    let started = Instant::now();
    loop {
        match hub.kubectl().ok(&args).await {
            Ok(_) => return Ok(()),
            Err(error) if started.elapsed() > Duration::from_secs(60) => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

fn access_cluster(name: &str, plane: &Plane) -> Value {
    json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessCluster", "metadata": {"name": name},
        "spec": {"environment": "prod", "endpoints": ["https://192.0.2.1:6443"], "caBundle": plane.ca_pem()},
    })
}

pub(crate) fn requests(namespace: &str) -> String {
    format!("{API}/namespaces/{namespace}/accessrequests")
}

pub(crate) fn status_of(name: &str) -> String {
    format!("{}/{name}/status", requests("team-payments"))
}

pub(crate) fn request(spec: &Value) -> Value {
    json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
        "metadata": {"generateName": "r-"}, "spec": spec,
    })
}

/// The digest in [`offer`].
pub(crate) fn digest() -> String {
    "a1".repeat(32)
}

pub(crate) fn offer() -> Value {
    json!({
        "digest": digest(), "endpoint": "https://192.0.2.1:6443", "caDigest": "c0".repeat(32),
        "takesLimits": true, "rules": [{"role": "sallyport:debug", "verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}],
    })
}

/// A decision as its broker writes it: all that [`World::spec`] asks for is given.
pub(crate) fn decided() -> Value {
    json!({"phase": "Approved", "given": {"namespaces": ["payments"], "duration": "30m"}})
}

pub(crate) fn grant_record() -> Value {
    let end = now() + 1800;
    json!({"name": "g-abcdefgh", "uid": "0c1f7b7e-4f52-4b2e-8c57-2f6a7d4b9a11", "end": stamp(end), "account": format!("s-abcdefgh-{end}")})
}

/// The end of a request as its broker writes it.
pub(crate) fn closing(reason: &str) -> Value {
    json!({
        "phase": "Closed", "credential": null,
        "conditions": [{"type": "Ended", "status": "True", "reason": reason, "message": "", "lastTransitionTime": stamp(now())}],
    })
}

/// Waits until policies bite: until then the door is open, as an installer must know.
pub(crate) async fn until_refused(person: &Person, ask: &Ask, within: Duration) -> Result<Duration> {
    let started = Instant::now();
    loop {
        if ask.send(&person.client).await?.code >= 400 {
            return Ok(started.elapsed());
        }
        anyhow::ensure!(started.elapsed() < within, "{ask:?} is still accepted after {within:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
