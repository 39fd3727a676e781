//! A scan of a real API server through a session's gateway, beside the same lists alone: through the same gateway, by the
//! same client, as many at once and begun as soon as one ends, each page read as JSON. Also by the bytes alone.

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

/// Milliseconds at the median.
pub(crate) struct Took {
    /// A scan.
    pub(crate) scan: f64,
    /// The same lists, each page read as JSON.
    pub(crate) lists: f64,
    /// Their bytes, of which nothing is read but where the next page begins.
    pub(crate) bytes: f64,
}

/// Takes them in turn.
pub(crate) async fn gateway() -> Result<Took> {
    sallyport_testkit::plane::install_crypto();
    let fleet = Fleet::start(FleetOptions { pods: false, ..FleetOptions::default() }).await?;
    let target = fleet.target();
    target.plane.kubectl().within(Duration::from_secs(300)).apply(&roles()).await?;
    let ines = Desktop::signed_in(&fleet, "ines").await?;
    let open = ines.open(target.spec.name, "posture").await?;
    let client = client(&ines)?;
    let bounds = Bounds::default();
    let (mut scans, mut lists, mut raw) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let began = Instant::now();
        let reading = sallyport_scan::cluster(&client, &bounds).await?;
        let scan = ms(began);
        ensure!(
            reading.counts().get(&Kind::ClusterRole).copied().unwrap_or_default() > MORE,
            "all were read"
        );
        let began = Instant::now();
        let bytes = listed(&client, &bounds, true).await?;
        let listing = ms(began);
        ensure!(bytes > 100_000, "{bytes} bytes of lists");
        let began = Instant::now();
        listed(&client, &bounds, false).await?;
        let sent = ms(began);
        // The first round warms the API server and the connections.
        if round > 0 {
            scans.push(scan);
            lists.push(listing);
            raw.push(sent);
        }
    }
    ines.app.session_leave(open.id.clone()).await?;
    ines.until(&open.id, |view| view.state == sallyport_ipc::SessionState::Closed).await?;
    ines.app.shut_down().await;
    let [scan, lists, bytes] = [scans, lists, raw].map(|all| Sorted::new(all).at(0.5));
    Ok(Took { scan, lists, bytes })
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

/// The lists that a scan asks for, page by page, to their ends; how many bytes they have.
async fn listed(client: &kube::Client, bounds: &Bounds, read: bool) -> Result<usize> {
    let kinds = Kind::ALL.iter().filter(|kind| !matches!(kind, Kind::Secret | Kind::ConfigMap));
    let all: Vec<_> = kinds.map(|kind| Box::pin(one(client, *kind, bounds.page, read))).collect();
    let mut all = futures::stream::iter(all).buffer_unordered(bounds.at_once);
    let mut bytes = 0;
    while let Some(one) = all.next().await {
        bytes += one?;
    }
    Ok(bytes)
}

async fn one(client: &kube::Client, kind: Kind, page: u32, read: bool) -> Result<usize> {
    /// What says where the next page begins.
    #[derive(serde::Deserialize)]
    struct Page {
        metadata: Meta,
    }
    #[derive(serde::Deserialize)]
    struct Meta {
        #[serde(default)]
        r#continue: String,
    }
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
        let token = match read {
            true => {
                let list: Value = serde_json::from_slice(&answer)?;
                list["metadata"]["continue"].as_str().unwrap_or_default().to_owned()
            }
            false => serde_json::from_slice::<Page>(&answer)?.metadata.r#continue,
        };
        if token.is_empty() {
            return Ok(bytes);
        }
        next = format!("&continue={token}");
    }
}
