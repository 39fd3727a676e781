//! What the gateway costs: the same calls to one API server made directly, through the gateway, and through
//! `kubectl proxy`, turn by turn in the same run. The gateway runs in a process of its own, as kubectl proxy does.
//!
//! - latency: a GET of one small object over kept connections (HTTP/2 direct and through the gateway, as kubectl
//!   speaks it; HTTP/1.1 to kubectl proxy, which speaks nothing else);
//! - throughput: 100 MiB out of a pod by exec over WebSocket, which is what `kubectl cp` is made of; and, for
//!   comparison, a list of 100 MB over HTTP/2;
//! - cut: from asking for it until a client has seen the end of 20 watches and 10 execs.

mod clients;
mod serve;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clients::{Target, get, open_exec, read_exec, watch};
use sallyport_testkit::{Plane, PlaneOptions, Pods};
use serve::GatewayProcess;
use tokio::io::{AsyncBufReadExt, BufReader};

const ROUNDS: usize = 2000;
const STREAM: usize = 100 << 20;
const STREAM_ROUNDS: usize = 7;
const CUTS: usize = 25;
const SMALL: &str = "/api/v1/namespaces/default";

const SETUP: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.test/web:1"}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: big}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: bench, namespace: big}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: bench}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: bench, namespace: big}]
"#;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if std::env::args().nth(1).as_deref() == Some("--serve") {
        return runtime.block_on(serve::serve());
    }
    runtime.block_on(bench())
}

async fn bench() -> Result<()> {
    let plane = Plane::start(PlaneOptions::new("bench").pods()).await?;
    plane.kubectl().apply(SETUP).await?;
    let pod = Pods::running(&plane, "default", "app=web", 1, Duration::from_secs(60)).await?.remove(0);
    let token = plane.kubectl().ok(&["create", "token", "bench", "-n", "big", "--duration=1h"]).await?;
    let token = token.trim();
    let mut gateway = GatewayProcess::start(plane.url(), &plane.ca_pem(), token).await?;
    let session = gateway.open().await?;
    let direct = Target::direct(plane.url(), &plane.ca_pem(), token)?;
    let through = Target::gateway(&session)?;
    let kubectl = plane.kubectl_with(&plane.kubeconfig_with_token(token)?);
    let (_proxy, proxied) = kubectl_proxy(&kubectl).await?;

    let [direct_ms, gateway_ms, proxy_ms] = latency(&direct, &through, &proxied).await?;
    let overhead = percentile(&gateway_ms, 50) - percentile(&direct_ms, 50);
    let proxy_overhead = percentile(&proxy_ms, 50) - percentile(&direct_ms, 50);

    let exec = exec_throughput(&direct, &through, &pod).await?;
    let list = list_throughput(&plane, &direct, &through, &proxied).await?;
    let cuts = cuts(&mut gateway, &pod).await?;
    println!(
        "cut of 30 streams, until the last client saw it: p50 {:.2} ms, p95 {:.2} ms",
        percentile(&cuts, 50),
        percentile(&cuts, 95)
    );
    gateway.stop().await?;
    println!(
        "bench gateway overhead_p50_ms={overhead:.3} proxy_overhead_p50_ms={proxy_overhead:.3} \
         throughput_ratio={exec:.3} cut_p95_ms={:.2} list_throughput_ratio={list:.3} \
         overhead_p95_ms={:.3} proxy_overhead_p95_ms={:.3}",
        percentile(&cuts, 95),
        percentile(&gateway_ms, 95) - percentile(&direct_ms, 95),
        percentile(&proxy_ms, 95) - percentile(&direct_ms, 95),
    );
    Ok(())
}

/// kubectl proxy on a port of its own choice, killed when dropped.
async fn kubectl_proxy(kubectl: &sallyport_testkit::Kubectl) -> Result<(tokio::process::Child, Target)> {
    let mut child = kubectl.command(["proxy", "--port=0"]).stdout(std::process::Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("piped")?).lines();
    let line = lines.next_line().await?.context("kubectl proxy says where it serves")?;
    let address = line.rsplit(' ').next().context("an address")?;
    Ok((child, Target::plain(address)?))
}

/// Milliseconds of each call, the three ways in turn.
async fn latency(direct: &Target, gateway: &Target, proxy: &Target) -> Result<[Vec<f64>; 3]> {
    let mut ways = [direct.kept().await?, gateway.kept().await?, proxy.kept().await?];
    let mut taken = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..ROUNDS + 200 {
        for (way, taken) in ways.iter_mut().zip(&mut taken) {
            let start = Instant::now();
            let got = get(way, SMALL).await?;
            let ms = start.elapsed().as_secs_f64() * 1e3;
            ensure!(got > 100, "{got} bytes");
            if round >= 200 {
                taken.push(ms);
            }
        }
    }
    for (name, taken) in ["direct", "gateway", "kubectl proxy"].iter().zip(&mut taken) {
        taken.sort_by(f64::total_cmp);
        println!("GET {name}: p50 {:.3} ms, p95 {:.3} ms", percentile(taken, 50), percentile(taken, 95));
    }
    Ok(taken)
}

/// Throughput through the gateway over direct, of medians.
async fn exec_throughput(direct: &Target, gateway: &Target, pod: &str) -> Result<f64> {
    let command = ["dd", "if=/dev/zero", "bs=1M", "count=101"];
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..=STREAM_ROUNDS {
        for (way, rates) in [direct, gateway].into_iter().zip(&mut rates) {
            let start = Instant::now();
            let mut stream = open_exec(way, pod, &command).await?;
            read_exec(&mut stream, STREAM).await?;
            if round > 0 {
                rates.push(STREAM as f64 / 1e6 / start.elapsed().as_secs_f64());
            }
        }
    }
    ratio("exec of 100 MiB", &mut rates, &["direct", "gateway"])
}

async fn list_throughput(plane: &Plane, direct: &Target, gateway: &Target, proxy: &Target) -> Result<f64> {
    let admin = plane.kubectl();
    let filler = "0123456789abcdef".repeat(62_500);
    for n in 0..100 {
        let object = format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: big-{n}, namespace: big}}, data: {{a: \"{filler}\"}}}}"
        );
        let args = ["create", "-f", "-"];
        let answer = admin.run_with_stdin(&args, object.as_bytes()).await?;
        ensure!(answer.code == Some(0), "{}", answer.stderr);
    }
    let mut rates = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..=STREAM_ROUNDS {
        for (way, rates) in [direct, gateway, proxy].into_iter().zip(&mut rates) {
            let mut kept = way.kept().await?;
            let start = Instant::now();
            let got = get(&mut kept, "/api/v1/namespaces/big/configmaps?resourceVersion=0").await?;
            ensure!(got > 100_000_000, "{got} bytes");
            if round > 0 {
                rates.push(got as f64 / 1e6 / start.elapsed().as_secs_f64());
            }
        }
    }
    ratio("list of 100 MB", &mut rates, &["direct", "gateway", "kubectl proxy"])
}

fn ratio(what: &str, rates: &mut [Vec<f64>], names: &[&str]) -> Result<f64> {
    for (name, rates) in names.iter().zip(rates.iter_mut()) {
        rates.sort_by(f64::total_cmp);
        println!(
            "{what}, {name}: median {:.0} MB/s, best {:.0} MB/s",
            percentile(rates, 50),
            percentile(rates, 100)
        );
    }
    Ok(percentile(&rates[1], 50) / percentile(&rates[0], 50))
}

/// Milliseconds from asking for a cut until every stream was seen to end.
async fn cuts(gateway: &mut GatewayProcess, pod: &str) -> Result<Vec<f64>> {
    let mut taken = Vec::new();
    for _ in 0..CUTS {
        let target = Target::gateway(&gateway.open().await?)?;
        let mut ends = tokio::task::JoinSet::new();
        let mut kept = target.kept().await?;
        for _ in 0..20 {
            ends.spawn(watch(&mut kept, "/api/v1/namespaces/default/pods?watch=1").await?);
        }
        for _ in 0..10 {
            let ticking = ["sh", "-c", "while true; do echo tick; sleep 0.2; done"];
            let mut stream = open_exec(&target, pod, &ticking).await?;
            read_exec(&mut stream, 1).await?;
            ends.spawn(async move {
                // A cut ends it with an error, which is an end as well.
                let _ = read_exec(&mut stream, usize::MAX).await;
            });
        }
        let start = Instant::now();
        gateway.cut().await?;
        while ends.join_next().await.is_some() {}
        taken.push(start.elapsed().as_secs_f64() * 1e3);
    }
    taken.sort_by(f64::total_cmp);
    Ok(taken)
}

/// Of sorted values.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let at = (sorted.len() * percent).div_ceil(100).clamp(1, sorted.len());
    sorted[at - 1]
}
