//! Audit logs of 90 clusters over 14 days, a file for each, made from a seed: controllers and nodes most of all, people
//! less, sessions and refusals now and then.

use anyhow::Result;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

pub(crate) const CLUSTERS: usize = 90;
pub(crate) const DAYS: i64 = 14;
pub(crate) const DAY: i64 = 86_400_000_000;
/// 2026-11-01T00:00:00Z, in microseconds of Unix time.
pub(crate) const BEGIN: i64 = 1_793_491_200_000_000;

const RESOURCES: [(&str, &str, u32); 8] = [
    ("", "pods", 30),
    ("coordination.k8s.io", "leases", 25),
    ("apps", "deployments", 10),
    ("", "configmaps", 12),
    ("discovery.k8s.io", "endpointslices", 10),
    ("", "secrets", 6),
    ("apps", "replicasets", 5),
    ("batch", "jobs", 2),
];
const VERBS: [(&str, u32); 8] = [
    ("get", 38),
    ("list", 14),
    ("watch", 14),
    ("update", 16),
    ("patch", 10),
    ("create", 5),
    ("delete", 2),
    ("deletecollection", 1),
];

pub(crate) fn cluster(number: usize) -> String {
    format!("cluster-{number:02}")
}

pub(crate) fn file(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("{}.jsonl", cluster(number)))
}

/// Writes the files; how many bytes they are.
pub(crate) fn files(dir: &Path, events: u64, seed: u64) -> Result<u64> {
    let mut bytes = 0;
    let each = events / CLUSTERS as u64;
    for number in 0..CLUSTERS {
        let mut dice = StdRng::seed_from_u64(seed ^ (number as u64) << 32);
        let more = u64::from((number as u64) < events % CLUSTERS as u64);
        let calls = each + more;
        let mut out = BufWriter::with_capacity(1 << 20, File::create(file(dir, number))?);
        let tokens: Vec<String> = (0..400).map(|_| uuid(&mut dice)).collect();
        let mut line = Vec::with_capacity(2048);
        for n in 0..calls {
            line.clear();
            write_line(
                &mut line,
                &mut dice,
                number,
                BEGIN + (DAY * DAYS) / calls as i64 * n as i64,
                &tokens,
            )?;
            bytes += line.len() as u64;
            out.write_all(&line)?;
        }
        out.flush()?;
    }
    Ok(bytes)
}

fn write_line(
    out: &mut Vec<u8>,
    dice: &mut StdRng,
    cluster: usize,
    at: i64,
    tokens: &[String],
) -> Result<()> {
    let (group, resource, _) = RESOURCES.choose_weighted(dice, |one| one.2)?;
    let (verb, _) = VERBS.choose_weighted(dice, |one| one.1)?;
    let namespace = dice.random_range(0..40);
    let name = dice.random_range(0..1500);
    let token = dice.random_range(0..tokens.len());
    let (user, agent, groups) = match dice.random_range(0..100) {
        0..8 => (
            format!("oidc:person-{}@example.com", token % 120),
            "kubectl/v1.37.2 (linux/amd64) kubernetes/1b2c3d4",
            r#""payments","system:authenticated""#,
        ),
        8..11 => (
            format!(
                "system:serviceaccount:sallyport-sessions:s-abcdefghijklmn{:02}-1795500000",
                token % 90 + 10
            ),
            "kubectl/v1.37.2 (linux/amd64) kubernetes/1b2c3d4 sess/17",
            r#""system:serviceaccounts","system:serviceaccounts:sallyport-sessions","system:authenticated""#,
        ),
        11..30 => (
            format!("system:node:worker-{}", token % 60),
            "kubelet/v1.36.1 (linux/amd64) kubernetes/9a8b7c6",
            r#""system:nodes","system:authenticated""#,
        ),
        _ => (
            format!("system:serviceaccount:kube-system:controller-{}", token % 40),
            "kube-controller-manager/v1.36.1 (linux/amd64) kubernetes/9a8b7c6/system:serviceaccount:kube-system:x",
            r#""system:serviceaccounts","system:serviceaccounts:kube-system","system:authenticated""#,
        ),
    };
    let is_refused = dice.random_range(0..80) == 0;
    let (code, decision) = if is_refused {
        (403, "forbid")
    } else {
        (*[200, 200, 200, 200, 200, 200, 201, 404, 409].choose(dice).unwrap_or(&200), "allow")
    };
    let base = if group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{group}/v1") };
    let id = uuid(dice);
    let named = !matches!(*verb, "list" | "watch" | "deletecollection");
    write!(
        out,
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{id}","stage":"ResponseComplete","requestURI":"{base}/namespaces/team-{namespace}/{resource}"#
    )?;
    if named {
        write!(out, "/svc-{cluster}-{name}?timeout=10s")?;
    } else {
        write!(
            out,
            "?allowWatchBookmarks=true&resourceVersion={}&timeoutSeconds=512",
            dice.random_range(1..900_000_000)
        )?;
    }
    write!(
        out,
        r#"","verb":"{verb}","user":{{"username":"{user}","uid":"7d1c9f0e-1d5b-4c79-9f0e-0000000{token:05}","groups":[{groups}],"extra":{{"authentication.kubernetes.io/credential-id":["JTI={}"]}}}},"sourceIPs":["10.{cluster}.{}.{}"],"userAgent":"{agent}","objectRef":{{"resource":"{resource}","namespace":"team-{namespace}""#,
        tokens[token],
        namespace % 8,
        token % 250
    )?;
    if named {
        write!(out, r#","name":"svc-{cluster}-{name}""#)?;
    }
    if !group.is_empty() {
        write!(out, r#","apiGroup":"{group}""#)?;
    }
    let ends = at + dice.random_range(700..90_000);
    write!(
        out,
        r#","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":{code}}},"requestReceivedTimestamp":"{}","stageTimestamp":"{}","annotations":{{"authorization.k8s.io/decision":"{decision}","authorization.k8s.io/reason":"RBAC: allowed by ClusterRoleBinding \"team-{namespace}\" of ClusterRole \"edit\" to Group \"payments\""}}}}"#,
        time(at),
        time(ends)
    )?;
    out.push(b'\n');
    Ok(())
}

/// As API servers write it: always with six digits.
fn time(at: i64) -> String {
    let whole = jiff::Timestamp::from_microsecond(at).unwrap_or_default();
    format!("{}.{:06}Z", whole.strftime("%Y-%m-%dT%H:%M:%S"), at.rem_euclid(1_000_000))
}

fn uuid(dice: &mut StdRng) -> String {
    let (high, low): (u64, u64) = (dice.random(), dice.random());
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}
