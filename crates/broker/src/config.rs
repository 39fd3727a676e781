use anyhow::{Context, Result};
use clap::Parser;
use sallyport_model::{ClusterName, Ttl};
use std::{path::PathBuf, time::Duration};

const MOUNTED: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Grants and removes access on one cluster. Dials out to the hub and to its own API server; nothing dials in.
#[derive(Clone, Debug, Parser)]
#[command(name = "sallyport-broker", version)]
pub struct Config {
    /// The cluster's name on the hub (AccessCluster and ServiceAccount in sallyport-brokers).
    #[arg(long, env = "SALLYPORT_CLUSTER")]
    pub cluster: ClusterName,
    /// The hub's API server.
    #[arg(long, env = "SALLYPORT_HUB_URL")]
    pub hub_url: String,
    /// PEM file of the CAs of the hub.
    #[arg(long, env = "SALLYPORT_HUB_CA")]
    pub hub_ca: PathBuf,
    /// The name in the hub's certificate, where it differs from the URL's host.
    #[arg(long, env = "SALLYPORT_HUB_TLS_NAME")]
    pub hub_tls_name: Option<String>,
    /// The broker's token for the hub; handed over once by an admin, then kept fresh in this file.
    #[arg(long, env = "SALLYPORT_HUB_TOKEN")]
    pub hub_token: PathBuf,
    /// The target's API server, as the broker reaches it.
    #[arg(long, env = "SALLYPORT_TARGET_URL", default_value = "https://kubernetes.default.svc")]
    pub target_url: String,
    /// PEM file of the CAs of the target.
    #[arg(long, env = "SALLYPORT_TARGET_CA", default_value_os_t = PathBuf::from(MOUNTED).join("ca.crt"))]
    pub target_ca: PathBuf,
    /// The broker's projected token for the target; read again when it changes.
    #[arg(long, env = "SALLYPORT_TARGET_TOKEN", default_value_os_t = PathBuf::from(MOUNTED).join("token"))]
    pub target_token: PathBuf,
    /// The target's API server as desktops reach it; sealed with every token.
    #[arg(long, env = "SALLYPORT_ENDPOINT")]
    pub endpoint: String,
    /// PEM file of the CAs of that endpoint; the target's when absent.
    #[arg(long, env = "SALLYPORT_ENDPOINT_CA")]
    pub endpoint_ca: Option<PathBuf>,
    /// The name in that endpoint's certificate, where it differs from the URL's host.
    #[arg(long, env = "SALLYPORT_ENDPOINT_TLS_NAME")]
    pub endpoint_tls_name: Option<String>,
    /// This instance's name in the Lease: the pod's. Two instances must never share it.
    #[arg(long, env = "HOSTNAME")]
    pub identity: Option<String>,
    /// The Lease's name in sallyport-system on the target.
    #[arg(long, default_value = "sallyport-broker")]
    pub lease_name: String,
    /// How long a leader that is not heard of stays the leader.
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub lease_duration: Duration,
    /// How often the leader renews its Lease; well below half its duration.
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub lease_renew: Duration,
    /// Deadline of every call.
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub deadline: Duration,
    /// How long a new token may take to work everywhere it was bound.
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub ready_within: Duration,
    /// After this long without the hub every grant is closed.
    #[arg(long, default_value = "10m", value_parser = duration)]
    pub hub_silence: Duration,
    /// How long a grant that someone removed on the cluster waits for the word of who ended it, and how.
    #[arg(long, default_value = "60s", value_parser = duration)]
    pub removed_grant_wait: Duration,
    /// How often everything is looked at again, whether or not a watch told of it.
    #[arg(long, default_value = "60s", value_parser = duration)]
    pub resync: Duration,
    /// How often the hub is asked whether those who have something open may still ask for it.
    #[arg(long, default_value = "60s", value_parser = duration)]
    pub rights_asked: Duration,
    /// How often the broker gives a sign of life on the hub (its Lease in sallyport-brokers) and compares the clocks.
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub heartbeat: Duration,
    /// How often it is looked whether what was reported still stands on the hub; it is written only when it changes.
    #[arg(long, default_value = "10m", value_parser = duration)]
    pub reports_compared: Duration,
    /// The longest wait between two tries of something that fails.
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub backoff_most: Duration,
    /// How long a closed request is kept on the hub.
    #[arg(long, default_value = "720h", value_parser = duration)]
    pub retention: Duration,
    /// How often the target's guardrails are verified.
    #[arg(long, default_value = "5m", value_parser = duration)]
    pub guardrails_every: Duration,
    /// Requests worked on at once.
    #[arg(long, default_value_t = 16)]
    pub workers: usize,
}

/// What the files held at start.
#[derive(Clone, Debug)]
pub(crate) struct Authorities {
    pub(crate) hub: String,
    pub(crate) target: String,
    pub(crate) endpoint: String,
}

impl Config {
    pub(crate) fn read_authorities(&self) -> Result<Authorities> {
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path).with_context(|| format!("read the CA file {}", path.display()))
        };
        let target = read(&self.target_ca)?;
        let endpoint = self.endpoint_ca.as_ref().map(read).transpose()?.unwrap_or_else(|| target.clone());
        Ok(Authorities { hub: read(&self.hub_ca)?, target, endpoint })
    }

    pub(crate) fn instance(&self) -> String {
        let name = self.identity.clone().unwrap_or_else(|| format!("broker-{}", std::process::id()));
        sallyport_model::clip(&sallyport_model::visible(&name), 253)
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let ttl: Ttl = text.parse().map_err(|e: sallyport_model::TtlError| e.to_string())?;
    if ttl.as_seconds() == 0 {
        return Err("it must not be zero".to_owned());
    }
    Ok(ttl.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_consistent_and_bad_ones_are_refused() {
        Config::command().debug_assert();
        let parse = |more: &[&str]| {
            let base = ["b", "--hub-url=https://h", "--hub-ca=x", "--hub-token=x", "--endpoint=https://t"];
            Config::try_parse_from(base.iter().chain(more))
        };
        let config = parse(&["--cluster=eu-1"]).expect("enough");
        assert_eq!((config.retention.as_secs(), config.hub_silence.as_secs()), (30 * 24 * 3600, 600));
        for bad in ["--cluster=EU/1", "--cluster=a..b"] {
            assert!(parse(&[bad]).is_err(), "{bad}");
        }
        assert!(parse(&["--cluster=a", "--deadline=soon"]).is_err());
        assert!(parse(&["--cluster=a", "--resync=0s"]).is_err());
    }
}
