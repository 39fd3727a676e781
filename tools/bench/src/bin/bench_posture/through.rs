//! A scan of a real API server through a session's gateway, beside the same lists through the same gateway and as many at once.

use super::ms;
use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use kube::client::Body;
use sallyport_bench::Sorted;
use sallyport_client::{Credential, Endpoint, Timeouts, connect};
use sallyport_fleet::headless::Desktop;
use sallyport_fleet::{Fleet, FleetOptions};
use sallyport_kubeconfig::{Kubeconfig, SignIn};
use sallyport_posture::Kind;
use sallyport_scan::Bounds;
use serde_json::Value;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;
/// ClusterRoles, and as many bindings, beside those that are there.
const MORE: usize = 1_500;

/// Milliseconds at the median: of a scan, and of the same lists.
pub(crate) async fn gateway() -> Result<(f64, f64)> {
    sallyport_testkit::plane::install_crypto();
    let fleet = Fleet::start(FleetOptions { pods: false, ..FleetOptions::default() }).await?;
    let target = fleet.target();
    target.plane.kubectl().within(Duration::from_secs(300)).apply(&roles()).await?;
    let ines = Desktop::signed_in(&fleet, "ines").await?;
    let open = ines.open(target.spec.name, "posture").await?;
    let client = client(&ines)?;
    let bounds = Bounds::default();
    let (mut scans, mut lists) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let began = Instant::now();
        let reading = sallyport_scan::cluster(&client, &bounds).await?;
        let scan = ms(began);
        ensure!(
            reading.counts().get(&Kind::ClusterRole).copied().unwrap_or_default() > MORE,
            "all were read"
        );
        let began = Instant::now();
        let bytes = listed(&client, &bounds).await?;
        let listing = ms(began);
        ensure!(bytes > 100_000, "{bytes} bytes of lists");
        // The first round warms the API server and the connections.
        if round > 0 {
            scans.push(scan);
            lists.push(listing);
        }
    }
    ines.app.session_leave(open.id.clone()).await?;
    ines.until(&open.id, |view| view.state == sallyport_ipc::SessionState::Closed).await?;
    ines.app.shut_down().await;
    Ok((Sorted::new(scans).at(0.5), Sorted::new(lists).at(0.5)))
}

fn roles() -> String {
    (0..MORE).fold(String::new(), |mut all, number| {
        let _ = writeln!(
            all,
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: bench-{number}}}\nrules:\n- \
             {{apiGroups: [example{number}.test], resources: [widgets], verbs: [get, list]}}\n---\napiVersion: \
             rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: bench-{number}}}\nroleRef: {{apiGroup: \
             rbac.authorization.k8s.io, kind: ClusterRole, name: bench-{number}}}\nsubjects: [{{kind: Group, apiGroup: \
             rbac.authorization.k8s.io, name: team-{number}}}]"
        );
        all
    })
}

/// As a tool in the session's terminal would come.
fn client(ines: &Desktop) -> Result<kube::Client> {
    let config = Kubeconfig::load(&ines.kubeconfig()?)?;
    let entry = config.entry(None)?;
    let authority = entry.cluster.authority.as_ref().context("the gateway's authority")?;
    let authority = authority.read().map_err(anyhow::Error::msg)?;
    let endpoint = Endpoint::parse(&entry.cluster.server, Some(authority.expose()), None)?;
    let Ok(SignIn::Certificate { chain, key }) = entry.user.context("a user")?.sign_in() else {
        anyhow::bail!("a session's kubeconfig signs in with a certificate");
    };
    let read = |kept: &sallyport_kubeconfig::Kept| kept.read().map_err(anyhow::Error::msg);
    let credential = Credential::Certificate { chain: read(chain)?.expose().clone(), key: read(key)? };
    Ok(connect(&endpoint, credential, Timeouts::both(Duration::from_secs(60)))?)
}

/// The lists that a scan asks for, page by page, read to their ends; how many bytes they have.
async fn listed(client: &kube::Client, bounds: &Bounds) -> Result<usize> {
    let kinds = Kind::ALL.iter().filter(|kind| !matches!(kind, Kind::Secret | Kind::ConfigMap));
    let all: Vec<_> = kinds.map(|kind| Box::pin(one(client, *kind, bounds.page))).collect();
    let mut all = futures::stream::iter(all).buffered(bounds.at_once);
    let mut bytes = 0;
    while let Some(one) = all.next().await {
        bytes += one?;
    }
    Ok(bytes)
}

async fn one(client: &kube::Client, kind: Kind, page: u32) -> Result<usize> {
    let base = match kind.group() {
        "" => "/api/v1".to_owned(),
        group => format!("/apis/{group}/v1"),
    };
    let (mut next, mut bytes) = (String::new(), 0);
    loop {
        let path = format!("{base}/{}?limit={page}{next}", kind.plural());
        let request = http::Request::get(path).header("accept", "application/json").body(Body::empty())?;
        let answer = client.send(request).await?.into_body().collect().await?.to_bytes();
        bytes += answer.len();
        let list: Value = serde_json::from_slice(&answer)?;
        match list["metadata"]["continue"].as_str().filter(|token| !token.is_empty()) {
            Some(token) => next = format!("&continue={token}"),
            None => return Ok(bytes),
        }
    }
}
